using Azure;
using Azure.Storage.Blobs.Models;
using ResumableUploads.Abstractions;
using ResumableUploads.AzureBlobs.Blobs;

namespace ResumableUploads.AzureBlobs.Maintenance;

/// <summary>Deletes side blobs to which no upload refers, because a server has died or lost the network between two requests.</summary>
internal sealed class SideBlobCleanup(UploadBlobs blobs)
{
    /// <summary>
    /// The age, by the clock of the service, after which the record of a side blob has certainly been written. A server may be suspended between the two requests.
    /// </summary>
    internal static readonly TimeSpan MinAge = TimeSpan.FromDays(7);

    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            var options = new GetBlobsOptions { Prefix = blobs.Names.SidePrefix };
            await foreach (Page<BlobItem> page in blobs.Container.GetBlobsAsync(options, cancellationToken).AsPages())
            {
                DateTimeOffset? now = page.GetRawResponse().Headers.Date;
                foreach (BlobItem item in page.Values)
                {
                    if (now - item.Properties.LastModified > MinAge)
                    {
                        await DeleteUnusedAsync(item, cancellationToken);
                    }
                }
            }
        }
        catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken) && e is not UploadStoreException)
        {
            throw StorageErrors.ToStoreException(e, "clean up side blobs");
        }
    }

    private async ValueTask DeleteUnusedAsync(BlobItem item, CancellationToken cancellationToken)
    {
        if (!blobs.Names.TryParseSide(item.Name, out UploadKey key))
        {
            return;
        }

        try
        {
            UploadBlob? blob = await blobs.ReadBlobAsync(key, leaseId: null, cancellationToken);
            if (blob?.Record.RefersTo(item.Name[blobs.Names.SidePrefix.Length..]) != true
                && (blob is not { Record: { Move: { } move, Successor: null } } || await EndMoveAsync(blob, move, cancellationToken)))
            {
                await blobs.Container.GetBlobClient(item.Name).DeleteIfExistsAsync(cancellationToken: cancellationToken);
            }
        }
        catch (UploadStoreException e) when (e.Failure == StoreFailure.Corrupt)
        {
            // It may belong to the upload that cannot be read.
        }
    }

    /// <summary>Deletes an upload that has neither replaced the upload of its mark nor can do so any more. Returns whether the replacement has ended.</summary>
    private async ValueTask<bool> EndMoveAsync(UploadBlob blob, BlobMove move, CancellationToken cancellationToken)
    {
        UploadBlob? current = await blobs.ReadWithoutDataAsync(move.Key, cancellationToken);
        if (current?.BlobKey == blob.BlobKey)
        {
            await blobs.DeleteLeftPointerAsync(current, cancellationToken);
            return true;
        }

        if (current?.ETag.ToString() == move.ReplacedETag || !await blobs.DeleteBlobAsync(blob, cancellationToken))
        {
            return false;
        }

        await blobs.Sides.DeleteUnusedAsync(blob.Record);
        return true;
    }
}
