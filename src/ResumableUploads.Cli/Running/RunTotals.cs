using ResumableUploads.Cli.Output;
using ResumableUploads.Client;

namespace ResumableUploads.Cli.Running;

/// <summary>Counts results and chooses the exit code.</summary>
/// <param name="count">The number of files, including those that cannot be read.</param>
internal sealed class RunTotals(int count)
{
    private int _completed;
    private int _failed;
    private int _signedOut;
    private int _unavailable;

    public int CompletedCount => Volatile.Read(ref _completed);

    public void AddCompleted() => Interlocked.Increment(ref _completed);

    public void AddFailed(UploadFailureReason? reason)
    {
        Interlocked.Increment(ref _failed);
        if (reason == UploadFailureReason.SignedOut)
        {
            Interlocked.Increment(ref _signedOut);
        }
        else if (reason == UploadFailureReason.RetriesExhausted)
        {
            Interlocked.Increment(ref _unavailable);
        }
    }

    /// <summary>Returns the exit code.</summary>
    /// <param name="isPaused">Whether the user has paused the run.</param>
    public ExitCode GetExitCode(bool isPaused)
    {
        int unfinished = count - _completed - _failed;
        return isPaused && unfinished > 0 ? ExitCode.Paused
            : _signedOut > 0 ? ExitCode.SignedOut
            : _failed > _unavailable ? ExitCode.Failed
            : _unavailable > 0 ? ExitCode.Unavailable
            : ExitCode.Succeeded;
    }

    /// <summary>Returns the last event of a run.</summary>
    /// <param name="exitCode">The exit code.</param>
    public CliEvent ToEvent(ExitCode exitCode) => new(EventKind.Summary)
    {
        CompletedCount = _completed,
        FailedCount = _failed,
        UnfinishedCount = Math.Max(0, count - _completed - _failed),
        ExitCode = (int)exitCode,
    };
}
