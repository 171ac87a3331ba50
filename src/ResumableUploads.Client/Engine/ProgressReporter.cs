namespace ResumableUploads.Client.Engine;

/// <summary>Reports what the server has acknowledged, and in between what was sent, but not too often.</summary>
internal sealed class ProgressReporter(IProgress<TransferProgress>? progress, TimeProvider timeProvider)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private long? _last;

    public void Report(long offset, long? length, bool isAcknowledged = false)
    {
        if (progress is null || (!isAcknowledged && _last is { } last && timeProvider.GetElapsedTime(last) < Interval))
        {
            return;
        }

        _last = timeProvider.GetTimestamp();
        progress.Report(new TransferProgress(offset, length));
    }
}
