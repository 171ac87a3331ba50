using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using ResumableUploads.Abstractions;
using ResumableUploads.AzureBlobs.Blobs;

namespace ResumableUploads.AzureBlobs.Content;

/// <summary>
/// The content of an upload, read in one streaming request from the current position. Every response names its upload, so that a blob that was created again with the same key is
/// never read.
/// </summary>
internal sealed class BlobContentStream : Stream
{
    private const int MaxAttempts = 4;

    private readonly BlobBaseClient _client;
    private readonly UploadKey _key;
    private readonly string _nonce;
    private Stream? _source;
    private long _sourcePosition;
    private long _position;

    private BlobContentStream(BlobBaseClient client, UploadKey key, string nonce, long length, Stream? source)
    {
        _client = client;
        _key = key;
        _nonce = nonce;
        Length = length;
        _source = source;
    }

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length { get; }

    public override long Position
    {
        get => _position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _position = value;
        }
    }

    /// <summary>Opens the content in the request that finds out whether the upload exists. Returns null if it does not.</summary>
    public static ValueTask<BlobContentStream?> OpenAsync(UploadBlobs blobs, UploadKey key, CancellationToken cancellationToken) =>
        OpenAsync(blobs, key, key, cancellationToken);

    private static async ValueTask<BlobContentStream?> OpenAsync(UploadBlobs blobs, UploadKey key, UploadKey blobKey, CancellationToken cancellationToken)
    {
        BlobBaseClient client = blobs.GetBlob(blobKey);
        try
        {
            BlobDownloadStreamingResult result = await client.DownloadStreamingAsync(cancellationToken: cancellationToken);
            if (!BlobRecordCodec.TryDecode(result.Details.Metadata, out BlobRecord? record))
            {
                result.Dispose();
                throw new UploadStoreException(StoreFailure.Corrupt, $"The metadata of the blob of upload {key} are missing or invalid.");
            }

            if (record.Successor is not null || (record.Move?.Key ?? blobKey) != key)
            {
                result.Dispose();
                UploadBlob? moved = await blobs.ReadWithoutDataAsync(key, cancellationToken);
                return moved is null || moved.BlobKey == blobKey ? null : await OpenAsync(blobs, key, moved.BlobKey, cancellationToken);
            }

            long length = result.Details.ContentLength;
            if (record.State != UploadState.Receiving && length < record.Offset)
            {
                result.Dispose();
                throw new UploadStoreException(StoreFailure.Corrupt, $"The blob of upload {key} has {length} bytes, but {record.Offset} were received.");
            }

            return new BlobContentStream(client, key, record.Nonce, record.State == UploadState.Receiving ? length : record.Offset, result.Content);
        }
        catch (RequestFailedException e) when (StorageErrors.IsNotFound(e))
        {
            // An upload that has replaced another one may have been replaced meanwhile.
            return blobKey == key ? null : await OpenAsync(blobs, key, key, cancellationToken);
        }
        catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken))
        {
            throw StorageErrors.ToStoreException(e, $"read upload {key}");
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (GetReadLength(buffer.Length) is not (> 0 and var count))
        {
            return 0;
        }

        for (int attempt = 1; ; attempt++)
        {
            try
            {
                Stream source = GetSource() ?? UseSource(await _client.DownloadStreamingAsync(FromPosition(), cancellationToken));
                if (await source.ReadAsync(buffer[..count], cancellationToken) is > 0 and var read)
                {
                    return Advance(read);
                }

                throw new IOException("The response ended early.");
            }
            catch (Exception e) when (MayRetry(e, attempt, cancellationToken))
            {
                CloseSource();
            }
            catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken) && e is not UploadStoreException)
            {
                throw StorageErrors.ToStoreException(e, $"read upload {_key}");
            }
        }
    }

    public override int Read(Span<byte> buffer)
    {
        if (GetReadLength(buffer.Length) is not (> 0 and var count))
        {
            return 0;
        }

        for (int attempt = 1; ; attempt++)
        {
            try
            {
                Stream source = GetSource() ?? UseSource(_client.DownloadStreaming(FromPosition()));
                if (source.Read(buffer[..count]) is > 0 and var read)
                {
                    return Advance(read);
                }

                throw new IOException("The response ended early.");
            }
            catch (Exception e) when (MayRetry(e, attempt, CancellationToken.None))
            {
                CloseSource();
            }
            catch (Exception e) when (StorageErrors.IsStorageFailure(e, CancellationToken.None) && e is not UploadStoreException)
            {
                throw StorageErrors.ToStoreException(e, $"read upload {_key}");
            }
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => _position + offset,
        _ => Length + offset,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        CloseSource();
        base.Dispose(disposing);
    }

    private int GetReadLength(int count) => (int)Math.Min(count, Math.Max(0, Length - _position));

    private BlobDownloadOptions FromPosition() => new() { Range = new HttpRange(_position, Length - _position) };

    /// <summary>Returns the open response, if it continues at the current position.</summary>
    private Stream? GetSource()
    {
        if (_sourcePosition != _position)
        {
            CloseSource();
        }

        return _source;
    }

    private Stream UseSource(BlobDownloadStreamingResult result)
    {
        if (!BlobRecordCodec.TryDecode(result.Details.Metadata, out BlobRecord? record) || record.Nonce != _nonce || record.Successor is not null)
        {
            result.Dispose();
            throw new UploadStoreException(StoreFailure.Unavailable, $"Upload {_key} was deleted while it was read.");
        }

        _source = result.Content;
        _sourcePosition = _position;
        return _source;
    }

    private int Advance(int count)
    {
        _position += count;
        _sourcePosition = _position;
        return count;
    }

    /// <summary>Returns whether another request may succeed. The client library cannot continue a response after the record has changed, which changes the ETag.</summary>
    private static bool MayRetry(Exception e, int attempt, CancellationToken cancellationToken) =>
        attempt < MaxAttempts && e is not UploadStoreException && StorageErrors.IsStorageFailure(e, cancellationToken)
        && (StorageErrors.IsAmbiguous(e) || StorageErrors.IsConflict(e));

    private void CloseSource()
    {
        _source?.Dispose();
        _source = null;
    }
}
