using System.Globalization;
using System.Text;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using ResumableUploads.Abstractions;
using ResumableUploads.AzureBlobs.Blobs;
using CopyStatus = ResumableUploads.Abstractions.CopyStatus;

namespace ResumableUploads.AzureBlobs.Content;

/// <summary>The target of a copy.</summary>
internal sealed record CopyTarget(string Container, string Name, bool Overwrites);

/// <summary>Copies the content of an upload to a block blob of the same account, within the service. The copy appears with its last step.</summary>
internal sealed class ContentCopy(UploadBlobs blobs, ReadUrls urls)
{
    /// <summary>The metadata of a copy that names the upload from which it comes.</summary>
    internal const string SourceMetadata = "resumableuploadsource";

    /// <summary>The size of the blocks of a copy.</summary>
    private const long BlockSize = 256L * 1024 * 1024;

    private const int MaxAttempts = 10;
    private static readonly TimeSpan SignatureLifetime = TimeSpan.FromHours(24);

    public async ValueTask<CopyStatus> RunAsync(UploadKey key, string version, CopyTarget target, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        string? nonce = null;
        for (int attempt = 1; ; attempt++)
        {
            UploadBlob? blob = await blobs.ReadAsync(key, cancellationToken);
            if (Refuse(blob, version, nonce) is { } refusal)
            {
                return refusal;
            }

            nonce = blob!.Record.Nonce;
            BlobContainerClient container = blobs.Container.GetParentBlobServiceClient().GetBlobContainerClient(target.Container);
            BlockBlobClient destination = container.GetBlockBlobClient(target.Name);
            try
            {
                List<string> blocks = await StageAsync(blob, destination, cancellationToken);
                if (Refuse(await blobs.ReadAsync(key, cancellationToken), version, nonce) is { } changed)
                {
                    return changed;
                }

                await CommitAsync(blob, destination, blocks, target.Overwrites, cancellationToken);
                return CopyStatus.Copied;
            }
            catch (Exception e) when (IsConflict(e) || (StorageErrors.IsAmbiguous(e) && !cancellationToken.IsCancellationRequested))
            {
                if (await FindSourceAsync(destination, cancellationToken) is { Exists: true } existing)
                {
                    if (existing.Source == nonce)
                    {
                        return CopyStatus.Copied;
                    }

                    if (!target.Overwrites)
                    {
                        return CopyStatus.TargetExists;
                    }
                }

                if (attempt == MaxAttempts)
                {
                    throw StorageErrors.ToStoreException(e, $"copy upload {key}");
                }
            }
            catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken))
            {
                throw StorageErrors.ToStoreException(e, $"copy upload {key} to container '{target.Container}'");
            }
        }
    }

    /// <summary>Returns why the upload is not copied. The version counts when the call starts, and later whether it is still the same upload.</summary>
    private static CopyStatus? Refuse(UploadBlob? blob, string version, string? nonce) => blob switch
    {
        null => CopyStatus.NotFound,
        { State: UploadState.Receiving } => CopyStatus.Busy,
        _ when (nonce == null && blob.Version != version) || (nonce != null && nonce != blob.Record.Nonce) => CopyStatus.VersionMismatch,
        _ => null,
    };

    /// <summary>
    /// Copies the content into blocks of the target. Another copy to the same target may run at the same time, so that the names of blocks are unique. The ETag of the upload is
    /// no condition: it changes with each renewal of the lease of the handler, and the content does not.
    /// </summary>
    private async Task<List<string>> StageAsync(UploadBlob blob, BlockBlobClient destination, CancellationToken cancellationToken)
    {
        Uri uri = await urls.SignAsync(blobs.GetBlob(blob.BlobKey), SignatureLifetime, cancellationToken);
        string prefix = BlobRecord.NewId();
        List<string> blocks = [];
        for (long position = 0; position < blob.Offset; position += BlockSize)
        {
            string block = Convert.ToBase64String(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{prefix}{blocks.Count:D8}")));
            var range = new HttpRange(position, Math.Min(BlockSize, blob.Offset - position));
            await destination.StageBlockFromUriAsync(uri, block, new StageBlockFromUriOptions { SourceRange = range }, cancellationToken);
            blocks.Add(block);
        }

        return blocks;
    }

    private static async Task CommitAsync(UploadBlob blob, BlockBlobClient destination, List<string> blocks, bool overwrites, CancellationToken cancellationToken)
    {
        var options = new CommitBlockListOptions
        {
            Metadata = new Dictionary<string, string> { [SourceMetadata] = blob.Record.Nonce },
            Conditions = new BlobRequestConditions { IfNoneMatch = overwrites ? null : ETag.All },
        };
        await destination.CommitBlockListAsync(blocks, options, cancellationToken);
    }

    /// <summary>Returns whether the target was changed meanwhile. Another copy that is committed discards the blocks of this one.</summary>
    private static bool IsConflict(Exception e) => StorageErrors.IsConflict(e) || e is RequestFailedException { ErrorCode: "InvalidBlockList" };

    private static async Task<(bool Exists, string? Source)> FindSourceAsync(BlockBlobClient destination, CancellationToken cancellationToken)
    {
        try
        {
            BlobProperties properties = await destination.GetPropertiesAsync(cancellationToken: cancellationToken);
            string? source = properties.Metadata.FirstOrDefault(static pair => pair.Key.Equals(SourceMetadata, StringComparison.OrdinalIgnoreCase)).Value;
            return (true, source);
        }
        catch (RequestFailedException e) when (StorageErrors.IsNotFound(e))
        {
            return (false, null);
        }
        catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken))
        {
            throw StorageErrors.ToStoreException(e, "read the target of a copy");
        }
    }
}
