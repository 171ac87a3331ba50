using Azure;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using ResumableUploads.Abstractions;

namespace ResumableUploads.AzureBlobs.Blobs;

/// <summary>Blobs for data and responses that are too long for metadata. Each is written once, under a name of its own, before the record that refers to it.</summary>
internal sealed class SideBlobs(BlobContainerClient container, BlobNames names)
{
    /// <summary>Returns the part for some bytes, and writes a side blob if they are longer than a limit.</summary>
    public async ValueTask<RecordPart> StoreAsync(UploadKey key, ReadOnlyMemory<byte> bytes, int maxInlineLength, CancellationToken cancellationToken)
    {
        if (bytes.Length <= maxInlineLength)
        {
            return new RecordPart(bytes.ToArray(), null);
        }

        string name = BlobNames.NewSideName(key);
        try
        {
            using var stream = new MemoryStream(bytes.ToArray(), writable: false);
            await container.GetBlockBlobClient(names.Side(name)).UploadAsync(stream, SinglePut(bytes.Length), cancellationToken);
            return new RecordPart(default, name);
        }
        catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken))
        {
            throw StorageErrors.ToStoreException(e, "write a side blob");
        }
    }

    /// <summary>Returns the bytes of a part, or null if its side blob does not exist, because the record has changed since it was read.</summary>
    public async ValueTask<ReadOnlyMemory<byte>?> LoadAsync(RecordPart part, CancellationToken cancellationToken)
    {
        if (part.SideName is null)
        {
            return part.Inline;
        }

        try
        {
            Response<BlobDownloadResult> result = await container.GetBlobClient(names.Side(part.SideName)).DownloadContentAsync(cancellationToken);
            return result.Value.Content.ToMemory();
        }
        catch (RequestFailedException e) when (StorageErrors.IsNotFound(e))
        {
            return null;
        }
        catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken))
        {
            throw StorageErrors.ToStoreException(e, "read a side blob");
        }
    }

    /// <summary>Deletes the side blobs of a record to which other records do not refer. Those that cannot be deleted are left to the clean-up.</summary>
    public async ValueTask DeleteUnusedAsync(BlobRecord record, params BlobRecord?[] others)
    {
        foreach (RecordPart? part in (RecordPart?[])[record.Data, record.Response])
        {
            if (part?.SideName is { } name && !others.Any(other => other?.RefersTo(name) == true))
            {
                await DeleteUnusedAsync(part);
            }
        }
    }

    /// <summary>Deletes the side blob of a part to which no record refers.</summary>
    public async ValueTask DeleteUnusedAsync(RecordPart part)
    {
        try
        {
            await container.GetBlobClient(names.Side(part.SideName!)).DeleteIfExistsAsync(cancellationToken: CancellationToken.None);
        }
        catch (Exception e) when (StorageErrors.IsStorageFailure(e, CancellationToken.None))
        {
            // The clean-up finds it.
        }
    }

    /// <summary>Returns options for an upload that is a single request: the client library splits an upload that is not shorter than the initial transfer size.</summary>
    public static BlobUploadOptions SinglePut(long length) => new()
    {
        TransferOptions = new StorageTransferOptions { InitialTransferSize = length + 1, MaximumConcurrency = 1 },
    };
}
