using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine;

/// <summary>Changes a record that somebody else may be changing too: reads again and tries again, a bounded number of times.</summary>
internal sealed class RecordUpdater(IUploadStore store, TimeProvider time)
{
    private const int MaxAttempts = 20;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(20);

    /// <summary>Writes what <paramref name="change"/> makes of the record; null from it means that nothing is to be done any more.</summary>
    /// <returns>The upload as it is then, or null when it is gone.</returns>
    /// <exception cref="UploadStoreException">It stayed busy.</exception>
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

        throw new UploadStoreException(StoreFailure.Unavailable, $"The record of upload {info.Key} stayed busy.", info.Offset);
    }
}
