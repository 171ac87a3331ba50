using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using ResumableUploads.Abstractions;

namespace ResumableUploads.AzureBlobs.Blobs;

/// <summary>
/// Moves an upload to the key of another one. The service cannot rename a blob, so the content stays where it is. First, the blob of the new upload is marked with its new key and no
/// longer belongs to the key in its name. Then one conditional request turns the blob of the old upload into an empty pointer to it.
/// </summary>
/// <remarks>
/// If a server dies between the two, the old upload remains. A side blob without a reference lets the clean-up find the other one. Every change of an upload is conditional on the blob
/// that has its record, also the next replacement, so that no pointer decides whether a change succeeds.
/// </remarks>
internal sealed class UploadReplacement(UploadBlobs blobs)
{
    private const int MaxAttempts = 10;
    private static readonly byte[] IntentContent = [0];

    public async ValueTask<UpdateResult> RunAsync(
        UploadKey key, string version, UploadKey replacementKey, string replacementVersion, CancellationToken cancellationToken)
    {
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            UploadBlob? old = await blobs.ReadWithoutDataAsync(key, cancellationToken);
            UploadBlob? replacement = await blobs.ReadAsync(replacementKey, cancellationToken);
            if (old is null || replacement is null)
            {
                return new UpdateResult(ChangeStatus.NotFound, null);
            }

            if ((UploadDeletion.Refuse(old, version) ?? UploadDeletion.Refuse(replacement, replacementVersion)) is { } refusal)
            {
                return new UpdateResult(refusal, null);
            }

            if (replacement.State != UploadState.Receiving)
            {
                throw new ArgumentException("The replacement must be in state Receiving.", nameof(replacementKey));
            }

            if (await TryMoveAsync(old, replacement, cancellationToken) is { } moved)
            {
                return new UpdateResult(ChangeStatus.Succeeded, moved.ToInfo());
            }
        }

        return new UpdateResult(ChangeStatus.Busy, null);
    }

    /// <summary>Returns the moved upload, or null if one of the two has changed.</summary>
    private async ValueTask<UploadBlob?> TryMoveAsync(UploadBlob old, UploadBlob replacement, CancellationToken cancellationToken)
    {
        RecordPart intent = await blobs.Sides.StoreAsync(replacement.BlobKey, IntentContent, maxInlineLength: 0, cancellationToken);
        BlobRecord unmarked = replacement.Record;
        WriteResult mark = await blobs.WriteAsync(
            replacement,
            unmarked with
            {
                WriteId = BlobRecord.NewId(),
                Offset = replacement.Offset,
                Move = new BlobMove(old.Key, old.BlobKey, old.ETag.ToString(), replacement.ToInfo().LastModified),
            },
            leaseId: null,
            cancellationToken);
        UploadBlob? pointer = null;
        if (mark is { IsWritten: true, Blob: { } marked })
        {
            // From here on, a cancellation would leave the replacement without its key.
            pointer = await WritePointerAsync(old, marked, CancellationToken.None);
            if (pointer is null)
            {
                await blobs.WriteAsync(marked, unmarked with { WriteId = BlobRecord.NewId() }, leaseId: null, CancellationToken.None);
            }
        }

        if (pointer is not null)
        {
            UploadBlob moved = mark.Blob! with { Key = old.Key, Pointers = [.. old.Pointers, pointer] };
            moved = await ShortenAsync(moved);
            blobs.Recent.Forget(replacement.Key);
            blobs.Recent.Remember(moved);
            await blobs.DeletePointersAsync(replacement);
            if (old.State != UploadState.Receiving)
            {
                await DeleteSnapshotsAsync(old.BlobKey);
            }

            await blobs.Sides.DeleteUnusedAsync(old.Record);
            await blobs.Sides.DeleteUnusedAsync(intent);
            return moved;
        }

        await blobs.Sides.DeleteUnusedAsync(intent);
        return null;
    }

    /// <summary>Deletes the snapshots to which read URLs of the old upload lead. If that fails, they remain until the new upload is deleted.</summary>
    private async ValueTask DeleteSnapshotsAsync(UploadKey blobKey)
    {
        try
        {
            await blobs.GetBlob(blobKey).DeleteAsync(DeleteSnapshotsOption.OnlySnapshots, cancellationToken: CancellationToken.None);
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e) || StorageErrors.IsStorageFailure(e, CancellationToken.None))
        {
            // Usually, there are none.
        }
    }

    /// <summary>Turns the blob of an upload that has not changed since it was read into a pointer, without content.</summary>
    /// <returns>The pointer, or null if the upload has changed.</returns>
    private async ValueTask<UploadBlob?> WritePointerAsync(UploadBlob old, UploadBlob successor, CancellationToken cancellationToken)
    {
        BlobRecord record = old.Record with
        {
            WriteId = BlobRecord.NewId(),
            Data = RecordPart.Empty,
            Response = null,
            Successor = new BlobPointer(successor.BlobKey, successor.Record.Nonce),
        };
        try
        {
            BlobContentInfo info = await PutEmptyAsync(old, BlobRecordCodec.Encode(record), cancellationToken);
            return old with { ETag = info.ETag, ContentLength = 0, Record = record, Pointers = [] };
        }
        catch (RequestFailedException e) when (StorageErrors.IsNotFound(e))
        {
            return null;
        }
        catch (Exception e) when (StorageErrors.IsConflict(e) || StorageErrors.IsAmbiguous(e))
        {
            UploadBlob? current = await blobs.ReadBlobAsync(old.BlobKey, leaseId: null, cancellationToken);
            return current?.Record.WriteId == record.WriteId ? current
                : StorageErrors.IsConflict(e) ? null
                : throw StorageErrors.ToStoreException(e, $"replace upload {old.Key}");
        }
        catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken))
        {
            throw StorageErrors.ToStoreException(e, $"replace upload {old.Key}");
        }
    }

    private async Task<BlobContentInfo> PutEmptyAsync(UploadBlob old, Dictionary<string, string> metadata, CancellationToken cancellationToken)
    {
        if (!old.IsBlockBlob)
        {
            var conditions = new AppendBlobRequestConditions { IfMatch = old.ETag };
            return await blobs.GetAppendBlob(old.BlobKey).CreateAsync(new AppendBlobCreateOptions { Metadata = metadata, Conditions = conditions }, cancellationToken);
        }

        using var empty = new MemoryStream();
        BlobUploadOptions options = SideBlobs.SinglePut(0);
        options.Metadata = metadata;
        options.Conditions = new BlobRequestConditions { IfMatch = old.ETag };
        return await blobs.Container.GetBlockBlobClient(blobs.Names.Upload(old.BlobKey)).UploadAsync(empty, options, cancellationToken);
    }

    /// <summary>Lets the first pointer point to the upload, and deletes the others. If that fails, they remain until the upload is replaced again or deleted.</summary>
    private async ValueTask<UploadBlob> ShortenAsync(UploadBlob moved)
    {
        if (moved.Pointers is not [var first, _, ..])
        {
            return moved;
        }

        try
        {
            BlobRecord record = first.Record with { WriteId = BlobRecord.NewId(), Successor = new BlobPointer(moved.BlobKey, moved.Record.Nonce) };
            if (await blobs.WriteAsync(first, record, leaseId: null, CancellationToken.None) is { IsWritten: true, Blob: { } shortened })
            {
                await blobs.DeletePointersAsync(moved with { Pointers = [.. moved.Pointers.Skip(1)] });
                return moved with { Pointers = [shortened] };
            }
        }
        catch (UploadStoreException)
        {
            // The longer way works as well.
        }

        return moved;
    }
}
