using System.Diagnostics;

namespace ResumableUploads.CrashHost;

/// <summary>
/// Handles a completed upload: writes a file for each run and moves the content below <c>finished</c>. The mode adds behavior: <c>hold</c> waits for
/// the line "release" on standard input, <c>die-before</c> and <c>die-after</c> kill the process before or after the move.
/// </summary>
internal sealed class CompletionHandler(string root, string mode)
{
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async Task RunAsync(CompletedUpload upload, CancellationToken cancellationToken)
    {
        string runs = Path.Combine(root, "runs");
        Directory.CreateDirectory(runs);
        await File.WriteAllTextAsync(Path.Combine(runs, $"{upload.FileName}.{Guid.NewGuid():n}"), upload.Key.ToString(), cancellationToken);
        Console.WriteLine($"completing {upload.FileName} {upload.Attempt}");
        await WaitForReleaseAsync(cancellationToken);
        CrashIf("die-before");
        await upload.MoveToDirectoryAsync(Path.Combine(root, "finished"), cancellationToken);
        CrashIf("die-after");
        upload.Response = UploadResponse.Text($"finished {upload.FileName} in {Environment.ProcessId}");
    }

    /// <summary>Waits until the test writes "release", in the mode <c>hold</c>.</summary>
    public Task WaitForReleaseAsync(CancellationToken cancellationToken) =>
        mode == "hold" ? _released.Task.WaitAsync(cancellationToken) : Task.CompletedTask;

    public async Task ReadCommandsAsync(IHostApplicationLifetime lifetime)
    {
        while (await Console.In.ReadLineAsync() is { } line)
        {
            if (line == "release")
            {
                _released.TrySetResult();
            }
            else if (line.StartsWith("collect ", StringComparison.Ordinal))
            {
                ReportLiveMemory(line["collect ".Length..]);
            }
        }

        lifetime.StopApplication();
    }

    /// <summary>Reports the number of bytes of live objects after a full garbage collection.</summary>
    private static void ReportLiveMemory(string question)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Console.WriteLine($"alive {question} {GC.GetTotalMemory(forceFullCollection: true)}");
    }

    private void CrashIf(string when)
    {
        if (mode == when)
        {
            Process.GetCurrentProcess().Kill();
        }
    }
}
