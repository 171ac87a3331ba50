using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Completion;

/// <summary>Who may run the handler of a received upload, as its record says: between processes there is nothing else to ask.</summary>
internal sealed class HandlerClaims(Records records, RecordChange change, EngineSettings settings, TimeProvider time)
{
    private readonly string _process = Guid.NewGuid().ToString("n");

    /// <summary>The handler's state for a record that is written now by the one who is about to run it.</summary>
    public HandlerState Begin(HandlerState? before) => Hold(new((before?.Attempts ?? 0) + 1, null, default, (before?.Runs ?? 0) + 1));

    /// <summary>The same state, held by this process for a while.</summary>
    public HandlerState Hold(HandlerState state) => state with { LeasedBy = _process, LeasedUntil = time.GetUtcNow() + settings.HandlerLease };

    /// <summary>How often it was tried, held by nobody.</summary>
    public static HandlerState Release(UploadData data) => new(data.Handler?.Attempts ?? 1, null, default, data.Handler?.Runs ?? 1);

    public bool IsHeld(UploadData data) => data.Handler is { LeasedBy: not null } handler && handler.LeasedUntil > time.GetUtcNow();

    /// <summary>Whether no handler may be started any more.</summary>
    public bool IsParked(UploadData data) => data.Handler?.HasEnough(settings.HandlerAttempts) is true;

    /// <summary>Writes how far the handler is, unless another process has claimed or completed the upload meanwhile: then null.</summary>
    public async ValueTask<UploadInfo?> WriteAsync(UploadInfo info, UploadData data)
    {
        bool isOurs = false;
        UploadInfo? written = await change.WriteAsync(
            info,
            now =>
            {
                isOurs = now.State == UploadState.Received && UploadData.From(now).Handler?.LeasedBy == _process;
                return isOurs ? records.Received(data, now.Offset) : null;
            },
            CancellationToken.None).ConfigureAwait(false);
        return isOurs ? written : null;
    }
}
