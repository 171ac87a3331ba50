using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Diagnostics;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Engine.Locking;
using ResumableUploads.Engine.Permits;
using ResumableUploads.Engine.Quotas;
using ResumableUploads.Infrastructure;

namespace ResumableUploads.Engine;

/// <summary>The services and settings that the classes of one engine share. <see cref="UploadEngine"/> creates it once.</summary>
internal sealed record EngineContext
{
    private static readonly TimeSpan FailureLogInterval = TimeSpan.FromMinutes(1);
    private LogThrottle<StoreFailure>? _failures;
    private UploadLifecycle? _lifecycle;

    public required IUploadStore Store { get; init; }

    public required EngineSettings Settings { get; init; }

    public required RecordPolicy RecordPolicy { get; init; }

    public required RecordUpdater RecordUpdater { get; init; }

    public required UploadTakeover Takeover { get; init; }

    public UsedPermits UsedPermits => field ??= new UsedPermits(Store, Time);

    public required OwnerQuota Quota { get; init; }

    public required EarlyVisits EarlyVisits { get; init; }

    public required ContentHasher ContentHasher { get; init; }

    public required UploadMetrics Metrics { get; init; }

    /// <summary>Gets the reports about uploads in metrics and in the log.</summary>
    public UploadLifecycle Lifecycle => Volatile.Read(ref _lifecycle) ?? LazyInitializer.EnsureInitialized(ref _lifecycle, () => new UploadLifecycle(Metrics, Time, Logger));

    public required TimeProvider Time { get; init; }

    public required ILogger Logger { get; init; }

    /// <summary>The token that is canceled when the server stops.</summary>
    public required CancellationToken Stopping { get; init; }

    /// <summary>
    /// Makes a change that must not end with its request, because no other request may follow. It has a grace period of its own after the request was canceled:
    /// if the store hangs, the lock of the upload must not be held for ever.
    /// </summary>
    /// <exception cref="UploadStoreException">The change failed, or did not end within the grace period.</exception>
    public async ValueTask<T> WithGracePeriodAsync<T>(UploadKey key, Func<CancellationToken, ValueTask<T>> change, CancellationToken cancellationToken)
    {
        using var gracePeriod = new DelayedCancellation(Settings.AppendGracePeriod, Time, cancellationToken);
        try
        {
            return await change(gracePeriod.Token);
        }
        catch (OperationCanceledException e) when (gracePeriod.Token.IsCancellationRequested)
        {
            // The change may take effect nevertheless.
            Quota.Invalidate(key.Owner);
            throw CreateGracePeriodException(key, e);
        }
    }

    /// <summary>Returns the failure of a store that has not responded within the grace period.</summary>
    public static UploadStoreException CreateGracePeriodException(UploadKey key, OperationCanceledException e) =>
        new(StoreFailure.Unavailable, $"The store did not respond for upload {key} within the grace period.", null, e);

    /// <summary>Logs a failure of the store and returns its result. A call that the stop of the server has canceled is no failure.</summary>
    public UploadResult ReportFailure(UploadStoreException e, UploadKey key)
    {
        if (e.InnerException is OperationCanceledException && Stopping.IsCancellationRequested)
        {
            return new UploadResult(UploadResultKind.ShuttingDown, e.DurableOffset);
        }

        LogStoreFailure(e, e.Failure, key, e.DurableOffset);
        return UploadResult.FromException(e);
    }

    /// <summary>Logs a failure of the store as an error. Further failures of the kind within a minute are logged at level Debug.</summary>
    public void LogStoreFailure(Exception exception, StoreFailure failure, UploadKey key, long? offset)
    {
        LogThrottle<StoreFailure> failures = LazyInitializer.EnsureInitialized(ref _failures, () => new LogThrottle<StoreFailure>(Time, FailureLogInterval));
        bool isLogged = failures.TryEnter(failure, out int skipped);
        Log.StoreFailed(Logger, isLogged ? LogLevel.Error : LogLevel.Debug, exception, failure, key, offset, skipped);
    }
}
