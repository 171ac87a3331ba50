using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine;

/// <summary>
/// Updates records with optimistic concurrency, because other requests or processes may change them at the same time. Makes up to 20 attempts if the
/// upload has changed since it was read or is busy, and waits 20 milliseconds after an attempt that found it busy.
/// </summary>
internal sealed class RecordUpdater(IUploadStore store, TimeProvider time)
{
    private const int MaxAttempts = 20;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(20);

    /// <summary>Updates the record of an upload.</summary>
    /// <param name="info">The upload as last read.</param>
    /// <param name="createRecord">
    /// A function that returns the new record for the current upload, or null if no update is necessary. It is called in each attempt.
    /// </param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The updated upload, the unchanged upload if no update was necessary, or null if the upload no longer exists.</returns>
    /// <exception cref="UploadStoreException">The upload was changing or busy in every attempt, or the storage failed.</exception>
    public async ValueTask<UploadInfo?> UpdateAsync(UploadInfo info, Func<UploadInfo, UploadRecord?> createRecord, CancellationToken cancellationToken)
    {
        for (int i = 0; i < MaxAttempts; i++)
        {
            if (createRecord(info) is not { } record)
            {
                return info;
            }

            UpdateResult result = await store.UpdateAsync(info.Key, info.Version, record, cancellationToken);
            switch (result.Status)
            {
                case ChangeStatus.Succeeded:
                    return result.Info;
                case ChangeStatus.NotFound:
                    return null;
                case ChangeStatus.Busy:
                    await Task.Delay(RetryDelay, time, cancellationToken);
                    break;
            }

            // The version is stale or the upload was busy. Read the upload again and retry.
            if (await store.GetAsync(info.Key, cancellationToken) is not { } current)
            {
                return null;
            }

            info = current;
        }

        throw new UploadStoreException(StoreFailure.Unavailable, $"The record of upload {info.Key} was not updated after {MaxAttempts} attempts, because another request or process kept changing the upload.", info.Offset);
    }
}
