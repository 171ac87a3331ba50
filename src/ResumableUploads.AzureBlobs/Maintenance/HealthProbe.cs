using Azure.Storage.Blobs.Specialized;
using ResumableUploads.AzureBlobs.Blobs;

namespace ResumableUploads.AzureBlobs.Maintenance;

/// <summary>Tests whether the container can be written, with a blob of one byte.</summary>
internal sealed class HealthProbe(UploadBlobs blobs)
{
    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        BlockBlobClient client = blobs.Container.GetBlockBlobClient(blobs.Names.HealthProbe);
        try
        {
            using var body = new MemoryStream([0], writable: false);
            await client.UploadAsync(body, SideBlobs.SinglePut(body.Length), cancellationToken);
            await client.DeleteIfExistsAsync(cancellationToken: cancellationToken);
        }
        catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken))
        {
            throw StorageErrors.ToStoreException(e, "write a blob");
        }
    }
}
