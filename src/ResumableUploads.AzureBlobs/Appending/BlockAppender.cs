using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using ResumableUploads.Abstractions;
using ResumableUploads.AzureBlobs.Blobs;

namespace ResumableUploads.AzureBlobs.Appending;

/// <summary>Specifies why an append can write no more.</summary>
internal enum AppendLoss
{
    None = 0,
    TakenOver = 1,
    Deleted = 2,
}

/// <summary>Appends blocks to a blob at the offset that they must have. If a response is lost, the blob is read to find out whether the block was appended.</summary>
internal sealed class BlockAppender(UploadBlobs blobs, UploadBlob blob, AppendLease lease, TimeProvider timeProvider)
{
    private const int MaxAttempts = 4;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);

    private readonly AppendBlobClient _client = blobs.GetAppendBlob(blob.BlobKey);

    /// <summary>Gets the upload as this append knows it: its length is the durable offset.</summary>
    public UploadBlob Blob { get; private set; } = blob;

    public AppendLoss Loss { get; private set; }

    /// <summary>Appends a block.</summary>
    /// <returns>Whether the block is durable. If not, <see cref="Loss"/> says why.</returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    public async Task<bool> AppendAsync(Func<Stream> openBlock, CancellationToken cancellationToken)
    {
        for (int attempt = 1; Loss == AppendLoss.None; attempt++)
        {
            try
            {
                await using Stream block = openBlock();
                long length = block.Length;
                var conditions = new AppendBlobRequestConditions { IfAppendPositionEqual = Blob.ContentLength, LeaseId = lease.Id };
                BlobAppendInfo info = await _client.AppendBlockAsync(block, new AppendBlobAppendBlockOptions { Conditions = conditions }, cancellationToken);
                Blob = Blob with
                {
                    ETag = info.ETag,
                    ContentLength = Blob.ContentLength + length,
                    LastModified = info.LastModified,
                    Blocks = info.BlobCommittedBlockCount,
                };
                return true;
            }
            catch (RequestFailedException e) when (StorageErrors.IsNotFound(e))
            {
                Loss = AppendLoss.Deleted;
            }
            catch (Exception e) when ((StorageErrors.IsConflict(e) || StorageErrors.IsAmbiguous(e)) && !cancellationToken.IsCancellationRequested)
            {
                if (await IsAppendedAsync(cancellationToken))
                {
                    return true;
                }

                if (Loss == AppendLoss.None && attempt == MaxAttempts)
                {
                    throw StorageErrors.ToStoreException(e, $"append to upload {Blob.Key}");
                }

                if (Loss == AppendLoss.None)
                {
                    await Task.Delay(RetryDelay * attempt, timeProvider, cancellationToken);
                }
            }
            catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken))
            {
                throw StorageErrors.ToStoreException(e, $"append to upload {Blob.Key}");
            }
        }

        return false;
    }

    /// <summary>
    /// Notes that the upload is deleted or taken over, if the lease does not hold. A deletion breaks the lease first, so an upload that seemed to be taken over may be deleted now.
    /// </summary>
    public async ValueTask CheckLeaseAsync(CancellationToken cancellationToken)
    {
        if (Loss == AppendLoss.None)
        {
            await IsAppendedAsync(cancellationToken);
        }
        else if (Loss == AppendLoss.TakenOver)
        {
            await IsDeletedAsync(cancellationToken);
        }
    }

    /// <summary>Reads the blob, and returns whether the upload is deleted.</summary>
    public async ValueTask<bool> IsDeletedAsync(CancellationToken cancellationToken)
    {
        SetBlob(await blobs.ReadWithoutDataAsync(Blob.Key, cancellationToken));
        return Loss == AppendLoss.Deleted;
    }

    /// <summary>Reads the blob, and returns whether it is longer than before. While the lease holds, only this append can have written the bytes.</summary>
    private async ValueTask<bool> IsAppendedAsync(CancellationToken cancellationToken)
    {
        long before = Blob.ContentLength;
        UploadBlob? current;
        try
        {
            current = await blobs.ReadBlobAsync(Blob.BlobKey, lease.Id, cancellationToken);
        }
        catch (RequestFailedException)
        {
            current = await blobs.ReadWithoutDataAsync(Blob.Key, cancellationToken);
            if (current?.Record.Nonce == Blob.Record.Nonce && !await IsStillMineAsync(current, cancellationToken))
            {
                // The bytes up to the current length count, also those of another server.
                Blob = current with { Data = Blob.Data };
                Loss = AppendLoss.TakenOver;
                return false;
            }
        }

        SetBlob(current);
        return Loss == AppendLoss.None && Blob.ContentLength > before;
    }

    private void SetBlob(UploadBlob? current)
    {
        if (current?.Record.Successor is null && current?.Record.Nonce == Blob.Record.Nonce)
        {
            Blob = current with { Key = Blob.Key, Pointers = Blob.Pointers, Data = Blob.Data };
        }
        else
        {
            Loss = AppendLoss.Deleted;
        }
    }

    /// <summary>Renews an expired lease, if nothing has happened to the upload meanwhile.</summary>
    private async ValueTask<bool> IsStillMineAsync(UploadBlob current, CancellationToken cancellationToken)
    {
        try
        {
            return current.ETag == Blob.ETag && await lease.TryRenewExpiredAsync(Blob.ETag, cancellationToken);
        }
        catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken))
        {
            throw StorageErrors.ToStoreException(e, $"lease upload {Blob.Key}");
        }
    }
}
