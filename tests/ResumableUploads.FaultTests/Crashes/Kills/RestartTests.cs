using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes.Kills;

/// <summary>Servers that are stopped by SIGTERM during uploads, and their successors.</summary>
public class RestartTests(ITestOutputHelper output)
{
    private const int Size = 150_000;

    /// <summary>Longer than a test waits for the end of a process, so that a server that has ended has not waited for it.</summary>
    private const string ShutdownTimeout = "shutdownTimeoutSeconds=1800";

    private static readonly TimeSpan ProgressTimeout = TimeSpan.FromMinutes(5);

    [Fact]
    public Task Server_stopped_under_load_exits_in_time_and_the_next_one_continues() => RestartAsync(servers: 1, restarts: 3, uploads: 20);

    [Fact]
    public Task Rolling_restart_of_two_processes_completes_all_uploads() => RestartAsync(servers: 2, restarts: 6, uploads: 50);

    private async Task RestartAsync(int servers, int restarts, int uploads)
    {
        using var directory = new UploadDirectory();
        RetryingUpload[] all = Uploads(uploads);
        var running = new ChildHost[servers];
        for (int i = 0; i < servers; i++)
        {
            running[i] = await ChildHost.StartAsync(directory.Root, ShutdownTimeout);
        }

        // Each restart has a part of every upload that was not sent before.
        int limit = 0;
        int next = 0;
        Task[] sending = [.. all.Select(upload => Task.Run(() => upload.SendAsync(
            () => Volatile.Read(ref running[(uint)Interlocked.Increment(ref next) % servers]).Client, () => Volatile.Read(ref limit))))];
        for (int i = 0; i < restarts; i++)
        {
            int before = limit;
            Volatile.Write(ref limit, Size / (restarts + 1) * (i + 1));
            await WaitForProgressAsync(directory, all, before);
            ChildHost old = running[i % servers];
            await StopAsync(old);
            Volatile.Write(ref running[i % servers], await ChildHost.StartAsync(directory.Root, ShutdownTimeout));
            await old.DisposeAsync();
        }

        Volatile.Write(ref limit, int.MaxValue);
        await Task.WhenAll(sending).WaitAsync(ProgressTimeout);
        foreach (ChildHost server in running)
        {
            await server.DisposeAsync();
        }

        // How many requests are in progress when a server stops depends on chance: ShutdownTests covers their responses.
        AssertFinished(directory, all);
    }

    private static RetryingUpload[] Uploads(int count) =>
    [
        .. Enumerable.Range(0, count).Select(static i =>
        {
            byte[] source = new byte[Size + i];
            new Random(i).NextBytes(source);
            return new RetryingUpload($"upload-{i}-.bin", source, i);
        }),
    ];

    /// <summary>Waits until some uploads have advanced.</summary>
    private static async Task WaitForProgressAsync(UploadDirectory directory, RetryingUpload[] uploads, int before)
    {
        using var timeout = new CancellationTokenSource(ProgressTimeout);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (uploads.Count(upload => directory.DataOf(upload.Name) is { } path && new FileInfo(path).Length > before) < 3)
        {
            Assert.True(await timer.WaitForNextTickAsync(timeout.Token));
        }
    }

    private static async Task StopAsync(ChildHost server)
    {
        server.Terminate();
        await server.EndAsync();
        Assert.True(server.ExitCode == 0, $"Exit code {server.ExitCode}: {server.Errors}");
    }

    private void AssertFinished(UploadDirectory directory, RetryingUpload[] uploads)
    {
        foreach (RetryingUpload upload in uploads)
        {
            directory.AssertFinished(upload.Name, upload.Source);
        }

        Assert.Equal(uploads.Length, Directory.GetFiles(directory.Finished).Length);
        output.WriteLine($"{uploads.Length} uploads; {uploads.Sum(static upload => upload.Stopping)} times a server responded that it is stopping, {uploads.Sum(static upload => upload.Lost)} lost responses.");
    }
}
