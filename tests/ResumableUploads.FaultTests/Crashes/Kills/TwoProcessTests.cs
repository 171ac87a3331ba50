using System.Net;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes.Kills;

/// <summary>Two processes on one directory that access the same upload.</summary>
public class TwoProcessTests
{
    private const int Rounds = 150;
    private const int MinWins = 3;
    private static readonly TimeSpan MaxTime = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Quickly = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData("ProcessCrash")]
    [InlineData("PowerLoss")]
    public async Task Concurrent_creations_and_appends_of_two_processes_have_one_winner(string durability)
    {
        using var directory = new UploadDirectory();
        await using ChildHost a = await ChildHost.StartAsync(directory.Root, $"ResumableUploads:FileSystem:Durability={durability}");
        await using ChildHost b = await ChildHost.StartAsync(directory.Root, $"ResumableUploads:FileSystem:Durability={durability}");
        var random = new Random(7);
        int[] wins = new int[2];

        // Which process wins depends on the machine, so the races continue until each has won some. On a slow machine, there are fewer races.
        long start = TimeProvider.System.GetTimestamp();
        for (int round = 0; (round < Rounds || wins.Min() < MinWins) && TimeProvider.System.GetElapsedTime(start) < MaxTime; round++)
        {
            ChildHost[] inStartOrder = round % 2 == 0 ? [a, b] : [b, a];
            string name = $"race-{round}-.bin";
            int first = 1 + random.Next(20_000);
            int size = first + 1 + random.Next(20_000);
            byte[] content = [];

            // The creation, an append to it, and the last byte, each with two different bodies.
            foreach (int length in (int[])[first, size - first - 1, 1])
            {
                byte[][] bodies = [Bytes(random, length), Bytes(random, length)];
                int winner = await RaceAsync(inStartOrder, name, content.Length, size, bodies);
                if (length > 0)
                {
                    content = [.. content, .. bodies[winner]];
                    wins[(winner + round) % 2]++;
                }

                if (content.Length < size)
                {
                    Assert.Equal(content, directory.BytesOf(name));
                    Assert.Equal(content.Length, await a.Client.StatusAsync(name));
                    Assert.Equal(content.Length, await b.Client.StatusAsync(name));
                }
            }

            directory.AssertFinished(name, content);
            Assert.Equal(1, directory.RunsOf(name));
        }

        Assert.All(wins, static count => Assert.InRange(count, 1, int.MaxValue));
    }

    [Theory]
    [InlineData("ProcessCrash")]
    [InlineData("PowerLoss")]
    public async Task Second_process_takes_over_a_silent_append(string durability)
    {
        using var directory = new UploadDirectory();
        string[] options = [$"ResumableUploads:FileSystem:Durability={durability}", "ResumableUploads:FileSystem:SyncSize=1", "ResumableUploads:Timeouts:PreemptionTimeout=00:01:00", "ResumableUploads:Timeouts:ProgressInterval=00:00:00.0000001", "Progress=true"];
        await using ChildHost a = await ChildHost.StartAsync(directory.Root, options);
        await using ChildHost b = await ChildHost.StartAsync(directory.Root, options);
        await directory.HasMailboxesAsync(2);
        byte[] file = Bytes(new Random(3), 200_000);
        await using RawConnection silent = await RawConnection.OpenAsync(a.Address);
        await silent.SendHeadAsync("POST /upload", "X-File-Id: half.bin", "X-File-Name: half.bin", "X-File-Size: 200000", "Transfer-Encoding: chunked");
        await silent.SendChunkAsync(file.AsMemory(0, 70_000));
        await a.PrintsAsync(static line => line == "progress half.bin 70000");

        using (HttpResponseMessage behind = await b.Client.AppendAsync("half.bin", 10, file[10..], file.Length).WaitAsync(Quickly))
        {
            Assert.Equal(HttpStatusCode.Conflict, behind.StatusCode);
            Assert.Equal("70000", behind.Header("X-Start-Byte"));
        }

        // The stale append has not disturbed the silent one.
        await silent.SendChunkAsync(file.AsMemory(70_000, 10_000));
        await a.PrintsAsync(static line => line == "progress half.bin 80000");

        Assert.Equal(80_000, await b.Client.StatusAsync("half.bin").WaitAsync(Quickly));
        RawResponse? takenOver = await silent.ReadResponseAsync();
        Assert.Equal(409, takenOver?.Status);
        Assert.Contains("urn:resumable-uploads:taken-over", takenOver!.Body);
        using HttpResponseMessage last = await b.Client.AppendAsync("half.bin", 80_000, file[80_000..], file.Length);
        Assert.Equal("true", last.Header("X-Upload-Complete"));
        directory.AssertFinished("half.bin", file);
    }

    [Fact]
    public async Task Suspended_process_keeps_its_upload_and_loses_nothing()
    {
        using var directory = new UploadDirectory();
        string[] options =
        [
            "ResumableUploads:FileSystem:Durability=PowerLoss", "ResumableUploads:FileSystem:SyncInterval=1.00:00:00", "ResumableUploads:Timeouts:PreemptionTimeout=00:00:01",
        ];
        await using ChildHost a = await ChildHost.StartAsync(directory.Root, options);
        await using ChildHost b = await ChildHost.StartAsync(directory.Root, options);
        await directory.HasMailboxesAsync(2);
        byte[] file = Bytes(new Random(4), 90_000);
        (await a.Client.AppendAsync("half.bin", 0, file[..20_000], file.Length, ("X-File-Name", "half.bin"))).Dispose();
        await using RawConnection silent = await RawConnection.OpenAsync(a.Address);
        await silent.SendHeadAsync("POST /upload", "X-File-Id: half.bin", "X-Start-Byte: 20000", "Content-Length: 70000");
        await silent.SendAsync(file.AsMemory(20_000, 40_000));
        await directory.HasAsync("half.bin", 60_000);
        a.SuspendThreads();

        // Only the durable bytes are reported, and no other process may write.
        Assert.Equal(20_000, await b.Client.StatusAsync("half.bin"));
        using (HttpResponseMessage busy = await b.Client.AppendAsync("half.bin", 20_000, file[20_000..], file.Length))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, busy.StatusCode);
            Assert.NotNull(busy.Headers.RetryAfter);
            Assert.Contains("urn:resumable-uploads:busy", await busy.Content.ReadAsStringAsync());
        }

        a.Resume();
        await Eventually.TrueAsync(async () => await b.Client.StatusAsync("half.bin") == 60_000, "the process that continues has released the upload");
        Assert.Equal(file[..60_000], directory.BytesOf("half.bin"));
        using HttpResponseMessage last = await b.Client.AppendAsync("half.bin", 60_000, file[60_000..], file.Length);
        Assert.Equal("true", last.Header("X-Upload-Complete"));
        directory.AssertFinished("half.bin", file);
    }

    /// <summary>Sends two bodies for the same offset to two processes, and asserts that exactly one of them is stored.</summary>
    private static async Task<int> RaceAsync(ChildHost[] children, string name, long offset, int size, byte[][] bodies)
    {
        await using RawConnection first = await RawConnection.OpenAsync(children[0].Address);
        await using RawConnection second = await RawConnection.OpenAsync(children[1].Address);
        RawConnection[] connections = [first, second];
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<RawResponse?>[] answers = [.. Enumerable.Range(0, 2).Select(i => Task.Run(async () =>
        {
            await start.Task;
            string head = $"POST /upload HTTP/1.1\r\nHost: 127.0.0.1\r\nX-File-Id: {name}\r\nX-File-Name: {name}\r\n"
                + $"X-Start-Byte: {offset}\r\nX-File-Size: {size}\r\nContent-Length: {bodies[i].Length}\r\n\r\n";
            await connections[i].SendAsync((byte[])[.. System.Text.Encoding.ASCII.GetBytes(head), .. bodies[i]]);
            return await connections[i].ReadResponseAsync();
        }))];
        start.SetResult();
        RawResponse?[] responses = await Task.WhenAll(answers);
        Assert.All(responses, static response => Assert.Contains(response!.Status, (int[])[200, 409, 503]));
        if (bodies[0].Length == 0)
        {
            return 0;
        }

        return Array.IndexOf(responses, Assert.Single(responses, static response => response!.Status == 200));
    }

    private static byte[] Bytes(Random random, int length)
    {
        byte[] bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
