using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using ResumableUploads.Abstractions;
using ResumableUploads.AzureBlobs.Blobs;

namespace ResumableUploads.AzureBlobs.Maintenance;

/// <summary>The key of the upload that was swept last, in a small blob.</summary>
internal sealed class SweepCheckpoint(UploadBlobs blobs)
{
    public async ValueTask<UploadKey?> ReadAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            BlobDownloadResult result = await blobs.Container.GetBlobClient(blobs.Names.SweepCheckpoint).DownloadContentAsync(cancellationToken);
            return result.Content.ToString().Split('/') is [var owner, var id] && UploadKey.IsValidPart(owner) && UploadKey.IsValidPart(id)
                ? new UploadKey(owner, id)
                : null;
        }
        catch (RequestFailedException e) when (StorageErrors.IsNotFound(e))
        {
            return null;
        }
        catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken))
        {
            throw StorageErrors.ToStoreException(e, "read the checkpoint of the sweep");
        }
    }

    public async ValueTask WriteAsync(UploadKey? checkpoint, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        BlockBlobClient client = blobs.Container.GetBlockBlobClient(blobs.Names.SweepCheckpoint);
        try
        {
            if (checkpoint is { } key)
            {
                using Stream body = BinaryData.FromString(key.ToString()).ToStream();
                await client.UploadAsync(body, SideBlobs.SinglePut(body.Length), cancellationToken);
            }
            else
            {
                await client.DeleteIfExistsAsync(cancellationToken: cancellationToken);
            }
        }
        catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken))
        {
            throw StorageErrors.ToStoreException(e, "write the checkpoint of the sweep");
        }
    }
}
