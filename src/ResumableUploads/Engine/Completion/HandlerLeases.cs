using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Completion;

/// <summary>Who may run the handler of a received upload, as its record says: between processes there is nothing else to ask.</summary>
internal sealed class HandlerLeases(RecordPolicy recordPolicy, RecordUpdater recordUpdater, EngineSettings settings, TimeProvider time)
{
    private readonly string _processId = Guid.NewGuid().ToString("n");

    /// <summary>The handler's state for a record that is written now by the one who is about to run it.</summary>
    public HandlerState StartAttempt(HandlerState? before) => WithLease(new((before?.Attempts ?? 0) + 1, null, default, (before?.TotalRuns ?? 0) + 1));

    /// <summary>The same state, held by this process for a while.</summary>
    public HandlerState WithLease(HandlerState state) => state with { LeasedBy = _processId, LeasedUntil = time.GetUtcNow() + settings.HandlerLeaseDuration };

    /// <summary>How often it was tried, held by nobody.</summary>
    public static HandlerState WithoutLease(EngineRecord record) => new(record.Handler?.Attempts ?? 1, null, default, record.Handler?.TotalRuns ?? 1);

    public bool IsLeased(EngineRecord record) => record.Handler is { LeasedBy: not null } handler && handler.LeasedUntil > time.GetUtcNow();

    /// <summary>Whether no handler may be started any more.</summary>
    public bool IsExhausted(EngineRecord record) => record.Handler?.IsExhausted(settings.MaxHandlerAttempts) is true;

    /// <summary>Writes how far the handler is, unless another process has claimed or completed the upload meanwhile: then null.</summary>
    public async ValueTask<UploadInfo?> UpdateIfLeasedAsync(UploadInfo info, EngineRecord record)
    {
        bool isOurs = false;
        UploadInfo? written = await recordUpdater.UpdateAsync(
            info,
            now =>
            {
                isOurs = now.State == UploadState.Received && EngineRecord.From(now).Handler?.LeasedBy == _processId;
                return isOurs ? recordPolicy.CreateReceived(record, now.Offset) : null;
            },
            CancellationToken.None);
        return isOurs ? written : null;
    }
}
