using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using ResumableUploads.Abstractions;

namespace ResumableUploads.AzureBlobs.Blobs;

/// <summary>The result of a conditional write.</summary>
/// <param name="IsWritten">Whether the record is written.</param>
/// <param name="Blob">The upload after the call, or null if it does not exist.</param>
internal readonly record struct WriteResult(bool IsWritten, UploadBlob? Blob);

/// <summary>Reads and writes the blobs of uploads. A write whose response is lost is resolved by a read: the record names the write.</summary>
internal sealed class UploadBlobs(BlobContainerClient container, BlobNames names, RecentUploads recent)
{
    private const int MaxReads = 10;

    public BlobContainerClient Container => container;

    public BlobNames Names => names;

    public RecentUploads Recent => recent;

    public SideBlobs Sides { get; } = new(container, names);

    public AppendBlobClient GetAppendBlob(UploadKey key) => container.GetAppendBlobClient(names.Upload(key));

    public BlobBaseClient GetBlob(UploadKey key) => container.GetBlobBaseClient(names.Upload(key));

    /// <summary>Reads an upload with its data, or returns null if it does not exist.</summary>
    public async ValueTask<UploadBlob?> ReadAsync(UploadKey key, CancellationToken cancellationToken)
    {
        for (int i = 0; i < MaxReads; i++)
        {
            if (await ReadWithoutDataAsync(key, cancellationToken) is not { } blob)
            {
                recent.Forget(key);
                return null;
            }

            if (await Sides.LoadAsync(blob.Record.Data, cancellationToken) is { } data)
            {
                blob = blob with { Data = data };
                recent.Remember(blob);
                return blob;
            }
        }

        throw new UploadStoreException(StoreFailure.Corrupt, $"The side blob of upload {key} is missing, or the upload kept changing while it was read.");
    }

    /// <summary>Reads an upload without its data, or returns null if it does not exist. Follows the pointers of replaced uploads.</summary>
    public async ValueTask<UploadBlob?> ReadWithoutDataAsync(UploadKey key, CancellationToken cancellationToken)
    {
        ETag? last = null;
        for (int i = 0; i < MaxReads; i++)
        {
            List<UploadBlob> pointers = [];
            UploadBlob? blob = await ReadBlobAsync(key, leaseId: null, cancellationToken);
            while (blob?.Record.Successor is { } successor)
            {
                pointers.Add(blob);
                blob = await ReadBlobAsync(successor.BlobKey, leaseId: null, cancellationToken) is { } next && next.Record.Nonce == successor.Nonce ? next : null;
            }

            if (blob is not null)
            {
                return (blob.Record.Move?.Key ?? key) == key ? blob with { Key = key, Pointers = pointers } : null;
            }

            // If the first pointer has changed meanwhile, the upload was replaced again.
            if (pointers.Count == 0 || pointers[0].ETag == last)
            {
                return null;
            }

            last = pointers[0].ETag;
        }

        throw new UploadStoreException(StoreFailure.Unavailable, $"Upload {key} kept being replaced while it was read; gave up after {MaxReads} attempts.");
    }

    /// <summary>Reads the properties of a blob, whichever upload it belongs to, on the condition that a lease holds if it is given.</summary>
    /// <exception cref="RequestFailedException">The lease does not hold.</exception>
    public async ValueTask<UploadBlob?> ReadBlobAsync(UploadKey blobKey, string? leaseId, CancellationToken cancellationToken)
    {
        try
        {
            BlobProperties properties = await GetBlob(blobKey).GetPropertiesAsync(leaseId is null ? null : new BlobRequestConditions { LeaseId = leaseId }, cancellationToken);
            return Parse(blobKey, properties) ?? throw NotReadable(blobKey);
        }
        catch (RequestFailedException e) when (StorageErrors.IsNotFound(e))
        {
            return null;
        }
        catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken) && !(leaseId is not null && StorageErrors.IsConflict(e)))
        {
            throw StorageErrors.ToStoreException(e, $"read upload {blobKey}");
        }
    }

    /// <summary>Creates a blob with a record, if there is none with the key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="record">The record.</param>
    /// <param name="create">The request, with the metadata and the conditions.</param>
    /// <param name="length">The length of the content.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The upload, or null if there is another one with the key.</returns>
    public async ValueTask<UploadBlob?> CreateAsync(
        UploadKey key, BlobRecord record, Func<Dictionary<string, string>, BlobRequestConditions, Task<BlobContentInfo>> create, long length, CancellationToken cancellationToken)
    {
        for (int i = 0; i < MaxReads; i++)
        {
            try
            {
                BlobContentInfo info = await create(BlobRecordCodec.Encode(record), new AppendBlobRequestConditions { IfNoneMatch = ETag.All });
                return new UploadBlob { Key = key, BlobKey = key, ETag = info.ETag, ContentLength = length, LastModified = info.LastModified, Record = record };
            }
            catch (Exception e) when (StorageErrors.IsConflict(e) || (StorageErrors.IsAmbiguous(e) && !cancellationToken.IsCancellationRequested))
            {
                UploadBlob? existing = await ReadWithoutDataAsync(key, cancellationToken);
                if (existing?.Record.Nonce == record.Nonce)
                {
                    return existing;
                }

                if (!StorageErrors.IsConflict(e) && existing is null)
                {
                    throw StorageErrors.ToStoreException(e, $"create upload {key}");
                }

                if (existing is not null || !await DeleteUnusedPointerAsync(key, cancellationToken))
                {
                    return null;
                }
            }
            catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken))
            {
                throw StorageErrors.ToStoreException(e, $"create upload {key}");
            }
        }

        return null;
    }

    /// <summary>Deletes the pointers to a blob that was deleted. Those that cannot be deleted now are deleted when an upload with the key is created.</summary>
    public async ValueTask DeletePointersAsync(UploadBlob blob)
    {
        try
        {
            foreach (UploadBlob pointer in blob.Pointers.Reverse())
            {
                await DeleteBlobAsync(pointer, CancellationToken.None);
            }

            await DeleteLeftPointerAsync(blob, CancellationToken.None);
        }
        catch (UploadStoreException)
        {
            // They do no harm.
        }
    }

    /// <summary>Deletes the blob of the upload that another one has replaced, if a crash has left it as a pointer that is not needed.</summary>
    public async ValueTask DeleteLeftPointerAsync(UploadBlob blob, CancellationToken cancellationToken)
    {
        if (blob.Record.Move is { } move && move.ReplacedBlobKey != move.Key && blob.Pointers.All(needed => needed.BlobKey != move.ReplacedBlobKey)
            && await ReadBlobAsync(move.ReplacedBlobKey, leaseId: null, cancellationToken) is { Record: { Successor: not null, Move: { } left } } pointer
            && left.Key == move.Key)
        {
            await DeleteBlobAsync(pointer, cancellationToken);
        }
    }

    /// <summary>Deletes a blob that has not changed since it was read.</summary>
    /// <returns>Whether the blob does not exist any more.</returns>
    public async ValueTask<bool> DeleteBlobAsync(UploadBlob blob, CancellationToken cancellationToken)
    {
        try
        {
            await GetBlob(blob.BlobKey).DeleteAsync(DeleteSnapshotsOption.IncludeSnapshots, new BlobRequestConditions { IfMatch = blob.ETag }, cancellationToken);
            return true;
        }
        catch (RequestFailedException e) when (StorageErrors.IsNotFound(e))
        {
            return true;
        }
        catch (RequestFailedException e) when (StorageErrors.IsConflict(e))
        {
            return false;
        }
        catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken))
        {
            throw StorageErrors.ToStoreException(e, $"delete a blob of upload {blob.Key}");
        }
    }

    /// <summary>Replaces the record of an upload that has not changed since it was read.</summary>
    /// <param name="blob">The upload as it was read.</param>
    /// <param name="record">The new record.</param>
    /// <param name="leaseId">The lease of the caller, or null.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    public async ValueTask<WriteResult> WriteAsync(UploadBlob blob, BlobRecord record, string? leaseId, CancellationToken cancellationToken)
    {
        try
        {
            BlobInfo info = await GetBlob(blob.BlobKey).SetMetadataAsync(
                BlobRecordCodec.Encode(record), new BlobRequestConditions { IfMatch = blob.ETag, LeaseId = leaseId }, cancellationToken);
            return new WriteResult(true, blob with { ETag = info.ETag, LastModified = info.LastModified, Record = record, IsRemembered = false });
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e) || StorageErrors.IsConflict(e) || (StorageErrors.IsAmbiguous(e) && !cancellationToken.IsCancellationRequested))
        {
            recent.Forget(blob.Key);
            if (!StorageErrors.IsNotFound(e) && await ReadBlobAsync(blob.BlobKey, leaseId: null, cancellationToken) is { } current && current.Record.WriteId == record.WriteId)
            {
                return new WriteResult(true, blob with { ETag = current.ETag, LastModified = current.LastModified, Record = record, IsRemembered = false });
            }

            return StorageErrors.IsAmbiguous(e) ? throw StorageErrors.ToStoreException(e, $"update upload {blob.Key}")
                : new WriteResult(false, await ReadAsync(blob.Key, cancellationToken));
        }
        catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken))
        {
            throw StorageErrors.ToStoreException(e, $"update upload {blob.Key}");
        }
    }

    /// <summary>Ends the lease of a running append. Returns false if there is none.</summary>
    public async ValueTask<bool> BreakLeaseAsync(UploadKey blobKey, CancellationToken cancellationToken)
    {
        try
        {
            await GetBlob(blobKey).GetBlobLeaseClient().BreakAsync(TimeSpan.Zero, cancellationToken: cancellationToken);
            return true;
        }
        catch (RequestFailedException e) when (StorageErrors.IsNotFound(e) || StorageErrors.IsConflict(e))
        {
            return false;
        }
        catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken))
        {
            throw StorageErrors.ToStoreException(e, $"break the lease of upload {blobKey}");
        }
    }

    public static UploadBlob? Parse(UploadKey key, BlobItem item) =>
        !BlobRecordCodec.TryDecode(item.Metadata, out BlobRecord? record) ? null : new UploadBlob
        {
            Key = key,
            BlobKey = key,
            ETag = item.Properties.ETag ?? default,
            ContentLength = item.Properties.ContentLength ?? 0,
            LastModified = item.Properties.LastModified ?? default,
            IsLeased = IsActive(item.Properties.LeaseState),
            IsBlockBlob = item.Properties.BlobType == BlobType.Block,
            Record = record,
        };

    /// <summary>Deletes the blob with the name of a key, if it is a pointer of that key to a blob that does not exist.</summary>
    private async ValueTask<bool> DeleteUnusedPointerAsync(UploadKey key, CancellationToken cancellationToken) =>
        await ReadBlobAsync(key, leaseId: null, cancellationToken) is { Record.Successor: not null } pointer
        && (pointer.Record.Move?.Key ?? key) == key
        && await ReadWithoutDataAsync(key, cancellationToken) is null
        && await DeleteBlobAsync(pointer, cancellationToken);

    private static UploadBlob? Parse(UploadKey key, BlobProperties properties) =>
        !BlobRecordCodec.TryDecode(properties.Metadata, out BlobRecord? record) ? null : new UploadBlob
        {
            Key = key,
            BlobKey = key,
            ETag = properties.ETag,
            ContentLength = properties.ContentLength,
            LastModified = properties.LastModified,
            IsLeased = IsActive(properties.LeaseState),
            IsBlockBlob = properties.BlobType == BlobType.Block,
            Blocks = properties.BlobCommittedBlockCount,
            Record = record,
        };

    private static bool IsActive(LeaseState? state) => state is LeaseState.Leased or LeaseState.Breaking;

    private static UploadStoreException NotReadable(UploadKey key) =>
        new(StoreFailure.Corrupt, $"The metadata of the blob of upload {key} are missing or invalid.");
}
