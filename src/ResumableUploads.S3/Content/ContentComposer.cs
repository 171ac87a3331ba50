using System.Collections.Concurrent;
using Amazon.S3;
using Amazon.S3.Model;
using ResumableUploads.Abstractions;
using ResumableUploads.S3.State;
using ResumableUploads.S3.Storage;

namespace ResumableUploads.S3.Content;

/// <summary>Composes the segments of an upload into one object.</summary>
internal sealed class ContentComposer(StoreContext context)
{
    /// <summary>The metadata of a copy, which says from which upload it comes.</summary>
    private const string SourceMetadata = "x-amz-meta-resumable-upload";

    private const int MaxRequests = 4;
    private const int MaxAttempts = 100;

    private IAmazonS3 Client => context.Storage.Client;

    /// <summary>Copies the content to an object of any bucket.</summary>
    /// <returns>Whether the object has the content. Otherwise, another object exists and is not to be replaced.</returns>
    public async Task<bool> CopyAsync(UploadDocument document, string bucket, string name, bool overwrite, CancellationToken cancellationToken)
    {
        GetObjectMetadataResponse? existing = await context.Storage.FindMetadataAsync(bucket, name, cancellationToken);
        if (IsCopy(existing, document))
        {
            return true;
        }

        if (existing is not null && !overwrite)
        {
            return false;
        }

        return await context.Storage.RunAsync(
            async token =>
            {
                try
                {
                    await ComposeAsync(document, bucket, name, overwrite, token);
                    return true;
                }
                catch (Exception e) when (StorageErrors.IsConditionFailed(e))
                {
                    return IsCopy(await context.Storage.FindMetadataAsync(bucket, name, token), document);
                }
                catch (Exception e) when (StorageErrors.IsTransient(e) && !token.IsCancellationRequested)
                {
                    // The request may have taken effect nevertheless.
                    if (IsCopy(await context.Storage.FindMetadataAsync(bucket, name, token), document))
                    {
                        return true;
                    }

                    throw;
                }
            },
            $"compose '{name}'",
            isWrite: true,
            cancellationToken);
    }

    /// <summary>Makes the content one object of the store, and returns its key. Returns <see langword="null"/> if the upload was deleted meanwhile.</summary>
    public async Task<string?> ComposeAsync(StoredState state, CancellationToken cancellationToken)
    {
        StoredState? current = state;
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (current?.Document is not { Phase: UploadPhase.Live } document || document.Nonce != state.Document.Nonce)
            {
                return null;
            }

            if (document.Segments is [{ Count: 1 } only])
            {
                return context.Keys.GetObject(only.Folder ?? document.Folder, SegmentRun.GetName(only.Epoch, only.First));
            }

            string key = context.Keys.GetObject(document.Folder, SegmentRun.ComposedName);
            await CopyAsync(document, context.Storage.Bucket, key, overwrite: true, cancellationToken);
            if (document.Offset == 0)
            {
                return key;
            }

            // The clean-up deletes the segments.
            StateWrite write = await context.States.WriteAsync(current, document with { Segments = [SegmentRun.Composed(document.Offset)] }, cancellationToken);
            current = write.State;
        }

        throw new UploadStoreException(StoreFailure.Unavailable, $"The state of upload '{state.Key}' kept changing while it was composed; gave up after {MaxAttempts} attempts.");
    }

    private static bool IsCopy(GetObjectMetadataResponse? found, UploadDocument document) =>
        found is not null && found.ContentLength == document.Offset && found.Metadata[SourceMetadata] == document.Nonce;

    private async Task ComposeAsync(UploadDocument document, string bucket, string name, bool overwrite, CancellationToken cancellationToken)
    {
        string? ifNoneMatch = overwrite ? null : "*";
        if (document.Offset <= PartPlan.MinPartLength)
        {
            using var content = new MemoryStream(await ReadAsync(document, new ContentPart(0, document.Offset, null), cancellationToken), writable: false);
            PutObjectRequest put = ObjectStorage.CreatePut(bucket, name, content);
            put.IfNoneMatch = ifNoneMatch;
            put.Metadata[SourceMetadata] = document.Nonce;
            await Client.PutObjectAsync(put, cancellationToken);
            return;
        }

        var initiation = new InitiateMultipartUploadRequest { BucketName = bucket, Key = name };
        initiation.Metadata[SourceMetadata] = document.Nonce;
        string uploadId = (await context.Storage.BoundAsync(token => Client.InitiateMultipartUploadAsync(initiation, token), cancellationToken)).UploadId;
        try
        {
            var parts = new ConcurrentBag<PartETag>();
            await Parallel.ForEachAsync(
                PartPlan.Create(document).Index(),
                new ParallelOptions { MaxDegreeOfParallelism = MaxRequests, CancellationToken = cancellationToken },
                async (item, token) => parts.Add(await WritePartAsync(document, item.Item, new PartTarget(bucket, name, uploadId, item.Index + 1), token)));
            var completion = new CompleteMultipartUploadRequest
            {
                BucketName = bucket,
                Key = name,
                UploadId = uploadId,
                PartETags = [.. parts.OrderBy(static part => part.PartNumber)],
                IfNoneMatch = ifNoneMatch,
            };
            await context.Storage.BoundAsync(token => Client.CompleteMultipartUploadAsync(completion, token), cancellationToken);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e) || e is UploadStoreException)
        {
            await AbortAsync(bucket, name, uploadId);
            throw;
        }
    }

    private async Task<PartETag> WritePartAsync(UploadDocument document, ContentPart part, PartTarget target, CancellationToken cancellationToken)
    {
        if (part.Source is { } source)
        {
            var copy = new CopyPartRequest
            {
                SourceBucket = context.Storage.Bucket,
                SourceKey = context.Keys.GetObject(source.Folder, source.Name),
                DestinationBucket = target.Bucket,
                DestinationKey = target.Name,
                UploadId = target.UploadId,
                PartNumber = target.Number,
            };

            // Amazon S3 documents ranges for objects above 5 MiB only, and the last segment may be smaller.
            if (part.Length < source.Length)
            {
                (copy.FirstByte, copy.LastByte) = (part.Start - source.Start, part.Start - source.Start + part.Length - 1);
            }

            CopyPartResponse copied = await context.Storage.BoundAsync(token => Client.CopyPartAsync(copy, token), cancellationToken);
            return new PartETag(target.Number, copied.ETag);
        }

        using var content = new MemoryStream(await ReadAsync(document, part, cancellationToken), writable: false);
        UploadPartResponse written = await Client.UploadPartAsync(
            new UploadPartRequest
            {
                BucketName = target.Bucket,
                Key = target.Name,
                UploadId = target.UploadId,
                PartNumber = target.Number,
                InputStream = content,
                PartSize = part.Length,
                UseChunkEncoding = false,
            },
            cancellationToken);
        return new PartETag(target.Number, written.ETag);
    }

    private async Task<byte[]> ReadAsync(UploadDocument document, ContentPart part, CancellationToken cancellationToken)
    {
        byte[] bytes = GC.AllocateUninitializedArray<byte>(checked((int)part.Length));
        string[] folder = document.Folder.Split('/');
        await using var stream = new SegmentStream(context, new StoredState(new UploadKey(folder[0], folder[1]), document, "")) { Position = part.Start };
        await stream.ReadExactlyAsync(bytes, cancellationToken);
        return bytes;
    }

    private async Task AbortAsync(string bucket, string name, string uploadId)
    {
        try
        {
            await Client.AbortMultipartUploadAsync(new AbortMultipartUploadRequest { BucketName = bucket, Key = name, UploadId = uploadId }, CancellationToken.None);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            Log.AbortFailed(context.Logger, name, e);
        }
    }

    private readonly record struct PartTarget(string Bucket, string Name, string UploadId, int Number);
}
