using System.Diagnostics;

namespace ResumableUploads.CrashHost;

/// <summary>
/// The completion handler: writes a file below <c>runs</c> for each run and moves the content below <c>finished</c>. In mode <c>hold</c> it first waits for the
/// line "release" on standard input; in the modes <c>die-before</c> and <c>die-after</c> it kills the process before or after the move.
/// </summary>
internal sealed class CompletionHandler(string root, string mode)
{
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async Task RunAsync(CompletedUpload upload, CancellationToken cancellationToken)
    {
        string runs = Path.Combine(root, "runs");
        Directory.CreateDirectory(runs);

        // Synchronous, so that a tracer finds the same system calls on the same thread in each run.
        File.WriteAllText(Path.Combine(runs, $"{upload.FileName}.{Guid.NewGuid():n}"), upload.Key.ToString());
        Console.WriteLine($"completing {upload.FileName} {upload.Attempt}");
        await WaitForReleaseAsync(cancellationToken);
        CrashIf("die-before");
        await upload.MoveToDirectoryAsync(Path.Combine(root, "finished"), cancellationToken);
        CrashIf("die-after");
        upload.Response = UploadResponse.Text($"finished {upload.FileName} in {Environment.ProcessId}");
    }

    /// <summary>Waits for the line "release" in mode <c>hold</c>.</summary>
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

    /// <summary>Prints the number of bytes in reachable objects.</summary>
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
