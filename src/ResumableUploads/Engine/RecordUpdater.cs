using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine;

/// <summary>Updates records that other requests or processes may be changing at the same time. Retries a limited number of times.</summary>
internal sealed class RecordUpdater(IUploadStore store, TimeProvider time)
{
    private const int MaxAttempts = 20;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(20);

    /// <summary>Updates the record of an upload.</summary>
    /// <param name="info">The upload as last read.</param>
    /// <param name="change">Returns the new record for the current upload, or null if no update is necessary.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The upload after the update, or null if it has been removed.</returns>
    /// <exception cref="UploadStoreException">The upload was still busy after all attempts.</exception>
    public async ValueTask<UploadInfo?> UpdateAsync(UploadInfo info, Func<UploadInfo, UploadRecord?> change, CancellationToken cancellationToken)
    {
        for (int i = 0; i < MaxAttempts; i++)
        {
            if (change(info) is not { } record)
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

            if (await store.GetAsync(info.Key, cancellationToken) is not { } current)
            {
                return null;
            }

            info = current;
        }

        throw new UploadStoreException(StoreFailure.Unavailable, $"The record of upload {info.Key} could not be updated in {MaxAttempts} attempts, because the upload kept changing or was busy.", info.Offset);
    }
}
