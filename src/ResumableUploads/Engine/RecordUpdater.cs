using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Quotas;
using ResumableUploads.Infrastructure;

namespace ResumableUploads.Engine;

/// <summary>
/// Updates records with optimistic concurrency, because other requests or processes may change them at the same time. Retries for up to 10 seconds if the
/// upload has changed since it was read or is busy, with increasing delays.
/// </summary>
internal sealed class RecordUpdater(IUploadStore store, OwnerQuota quota, TimeProvider time)
{
    /// <summary>The number of attempts without a delay, if the upload has changed but is not busy.</summary>
    private const int MaxImmediateRetries = 5;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromMilliseconds(500);
    private readonly IDeferredSyncStore? _deferredSyncStore = store.GetCapability<IDeferredSyncStore>();

    /// <summary>Updates the record of an upload.</summary>
    /// <param name="info">The upload as last read.</param>
    /// <param name="createRecord">
    /// A function that returns the new record for the current upload, or null if no update is necessary. It is called in each attempt.
    /// </param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <param name="isDeferred">Whether the change may become durable later, because nothing has been reported to a client.</param>
    /// <param name="response">The response that is stored together with the record, or null. Requires a record in state <see cref="UploadState.Completed"/>.</param>
    /// <returns>The updated upload, the unchanged upload if no update was necessary, or null if the upload no longer exists.</returns>
    /// <exception cref="UploadStoreException">The upload was changing or busy in every attempt, or the storage failed.</exception>
    public async ValueTask<UploadInfo?> UpdateAsync(
        UploadInfo info,
        Func<UploadInfo, UploadRecord?> createRecord,
        CancellationToken cancellationToken,
        bool isDeferred = false,
        ReadOnlyMemory<byte>? response = null)
    {
        var backoff = new Backoff(time, Timeout, MaxDelay);
        for (int attempt = 1; ; attempt++)
        {
            if (createRecord(info) is not { } record)
            {
                return info;
            }

            UpdateResult result;
            try
            {
                result = await (
                    response is { } bytes ? store.CompleteAsync(info.Key, info.Version, record, bytes, cancellationToken)
                    : isDeferred && _deferredSyncStore is not null ? _deferredSyncStore.UpdateDeferredAsync(info.Key, info.Version, record, cancellationToken)
                    : store.UpdateAsync(info.Key, info.Version, record, cancellationToken));
            }
            catch (UploadStoreException)
            {
                // The state may have changed nevertheless.
                quota.Invalidate(info.Key.Owner);
                throw;
            }

            switch (result.Status)
            {
                case ChangeStatus.Succeeded:
                    return result.Info;
                case ChangeStatus.NotFound:
                    return null;
            }

            if ((result.Status == ChangeStatus.Busy || attempt > MaxImmediateRetries) && !await backoff.WaitAsync(cancellationToken))
            {
                throw new UploadStoreException(StoreFailure.Unavailable, $"The record of upload {info.Key} was not updated within {Timeout}, because another request or process kept changing the upload.", info.Offset);
            }

            // The version is stale or the upload was busy. Read the upload again and retry.
            if (await store.GetAsync(info.Key, cancellationToken) is not { } current)
            {
                return null;
            }

            info = current;
        }
    }
}
