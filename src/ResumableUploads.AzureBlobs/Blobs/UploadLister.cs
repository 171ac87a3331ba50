using System.Runtime.CompilerServices;
using Azure;
using Azure.Storage.Blobs.Models;
using ResumableUploads.Abstractions;

namespace ResumableUploads.AzureBlobs.Blobs;

/// <summary>Lists uploads in the ordinal order of the names of their blobs.</summary>
internal sealed class UploadLister(UploadBlobs blobs)
{
    public async IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        string? after = query.StartAfter is { } key ? blobs.Names.Upload(key) : null;
        var options = new GetBlobsOptions
        {
            Traits = BlobTraits.Metadata,
            Prefix = query.Owner is { } owner ? blobs.Names.UploadsOf(owner) : blobs.Names.UploadPrefix,
            StartFrom = after,
        };
        await using IAsyncEnumerator<Page<BlobItem>> pages = blobs.Container.GetBlobsAsync(options, cancellationToken).AsPages().GetAsyncEnumerator(cancellationToken);
        while (await MoveNextAsync(pages, cancellationToken))
        {
            foreach (BlobItem item in pages.Current.Values)
            {
                // A service without support for the start returns all blobs.
                if (string.CompareOrdinal(item.Name, after) > 0 && await ReadAsync(item, query, cancellationToken) is { } info
                    && (query.ExpiredAsOf is not { } time || info.IsUnreadable || info.Expires <= time))
                {
                    yield return info;
                }
            }
        }
    }

    private static async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<Page<BlobItem>> pages, CancellationToken cancellationToken)
    {
        try
        {
            return await pages.MoveNextAsync();
        }
        catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken) || StorageErrors.IsNotFound(e))
        {
            throw StorageErrors.ToStoreException(e, "list uploads");
        }
    }

    private async ValueTask<UploadInfo?> ReadAsync(BlobItem item, UploadQuery query, CancellationToken cancellationToken)
    {
        if (!blobs.Names.TryParseUpload(item.Name, out UploadKey key))
        {
            return null;
        }

        try
        {
            if (UploadBlobs.Parse(key, item) is { } blob)
            {
                return blob.Record.Successor is not null || blob.Record.Move is not null ? (await blobs.ReadAsync(key, cancellationToken))?.ToInfo()
                    : await blobs.Sides.LoadAsync(blob.Record.Data, cancellationToken) is { } data
                    ? (blob with { Data = data }).ToInfo()
                    : (await blobs.ReadAsync(key, cancellationToken))?.ToInfo();
            }
        }
        catch (UploadStoreException e) when (e.Failure == StoreFailure.Corrupt)
        {
            // Its side blob is missing.
        }

        return !query.IncludeUnreadable || query.ExpiredAsOf is not null ? null : new UploadInfo
        {
            Key = key,
            Version = item.Properties.ETag?.ToString() ?? "",
            Offset = item.Properties.ContentLength ?? 0,
            LastModified = item.Properties.LastModified ?? default,
            Record = new UploadRecord(),
            IsUnreadable = true,
        };
    }
}
