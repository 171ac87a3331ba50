using Azure;
using Azure.Storage.Blobs.Models;
using ResumableUploads.Abstractions;

namespace ResumableUploads.AzureBlobs.Blobs;

/// <summary>The deletion of an upload: if the version is current or, without a version, in any case, even during an append.</summary>
internal sealed class UploadDeletion(UploadBlobs blobs, UploadKey key, string? version)
{
    private const int MaxAttempts = 10;

    /// <summary>Returns why an upload may not be changed, or null if it may.</summary>
    public static ChangeStatus? Refuse(UploadBlob? blob, string version) => blob switch
    {
        null => ChangeStatus.NotFound,
        { IsLeased: true } => ChangeStatus.Busy,
        _ when blob.Version != version => ChangeStatus.VersionMismatch,
        _ => null,
    };

    public async ValueTask<DeleteResult> RunAsync(CancellationToken cancellationToken)
    {
        UploadBlob? blob = version is null ? null : blobs.Recent.Find(key, version);
        UploadBlob? lost = null;
        bool isLost = false;
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            (bool exists, blob) = blob is null ? await ReadAsync(cancellationToken) : (true, blob);
            if (!exists)
            {
                // If the response of an earlier attempt was lost, that attempt has deleted the upload.
                await DeleteRestAsync(lost);
                return new DeleteResult(isLost ? ChangeStatus.Succeeded : ChangeStatus.NotFound);
            }

            if (version is not null && Refuse(blob, version) is { } refusal)
            {
                return new DeleteResult(refusal);
            }

            try
            {
                blobs.Recent.Forget(key);
                BlobRequestConditions? conditions = blob is null ? null : new BlobRequestConditions { IfMatch = blob.ETag };
                await blobs.GetBlob(blob?.BlobKey ?? key).DeleteAsync(DeleteSnapshotsOption.IncludeSnapshots, conditions, cancellationToken);
                await DeleteRestAsync(blob);
                return new DeleteResult(ChangeStatus.Succeeded);
            }
            catch (RequestFailedException e) when (StorageErrors.IsNotFound(e))
            {
                await DeleteRestAsync(blob);
            }
            catch (RequestFailedException e) when (StorageErrors.IsConflict(e))
            {
                if (version is null)
                {
                    await blobs.BreakLeaseAsync(blob?.BlobKey ?? key, cancellationToken);
                }
            }
            catch (Exception e) when (StorageErrors.IsAmbiguous(e) && attempt < MaxAttempts / 2 && !cancellationToken.IsCancellationRequested)
            {
                (isLost, lost) = (true, blob);
            }
            catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken))
            {
                throw StorageErrors.ToStoreException(e, $"delete upload {key}");
            }

            blob = null;
        }

        return version is null
            ? throw new UploadStoreException(StoreFailure.Unavailable, $"Upload {key} kept changing while it was to be deleted; gave up after {MaxAttempts} attempts.")
            : new DeleteResult(ChangeStatus.Busy);
    }

    /// <summary>Reads the upload. An unreadable one exists, and can be deleted without a version.</summary>
    private async ValueTask<(bool Exists, UploadBlob? Blob)> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            UploadBlob? blob = await blobs.ReadWithoutDataAsync(key, cancellationToken);
            return (blob is not null, blob);
        }
        catch (UploadStoreException e) when (version is null && e.Failure == StoreFailure.Corrupt)
        {
            return (true, null);
        }
    }

    private async ValueTask DeleteRestAsync(UploadBlob? blob)
    {
        if (blob is not null)
        {
            await blobs.Sides.DeleteUnusedAsync(blob.Record);
            await blobs.DeletePointersAsync(blob);
        }
    }
}
