using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Engine.Locking;
using ResumableUploads.Engine.Quotas;

namespace ResumableUploads.Engine;

/// <summary>The services and settings that the classes of one engine share. <see cref="UploadEngine"/> creates it once.</summary>
internal sealed record EngineContext
{
    public required IUploadStore Store { get; init; }

    public required EngineSettings Settings { get; init; }

    public required RecordPolicy RecordPolicy { get; init; }

    public required RecordUpdater RecordUpdater { get; init; }

    public required UploadTakeover Takeover { get; init; }

    public required OwnerQuota Quota { get; init; }

    public required ContentHasher ContentHasher { get; init; }

    public required UploadMetrics Metrics { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILogger Logger { get; init; }

    /// <summary>The token that is canceled when the server stops.</summary>
    public required CancellationToken Stopping { get; init; }

    /// <summary>Logs a failure of the store and returns its result. A call that the stop of the server has canceled is no failure.</summary>
    public UploadResult ReportFailure(UploadStoreException e, UploadKey key)
    {
        if (e.InnerException is OperationCanceledException && Stopping.IsCancellationRequested)
        {
            return new UploadResult(UploadResultKind.ShuttingDown, e.DurableOffset);
        }

        Log.StoreFailed(Logger, e, e.Failure, key, e.DurableOffset);
        return UploadResult.FromException(e);
    }
}
