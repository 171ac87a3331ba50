using System.Security.Cryptography;

namespace ResumableUploads.Client.Sources;

/// <summary>The content of an upload.</summary>
internal abstract class UploadSource(ContentHasher? hasher) : IAsyncDisposable
{
    /// <summary>The size of the largest read and write.</summary>
    public const int BufferSize = 256 * 1024;

    /// <summary>The maximum number of bytes in a request that has to be sent completely, unless the app sets another one.</summary>
    public const int DefaultChunkSize = 4 * 1024 * 1024;

    /// <summary>Gets the length, or null if it is not known yet.</summary>
    public abstract long? Length { get; }

    /// <summary>Gets the lowest offset from which the content can still be sent.</summary>
    public abstract long FirstOffset { get; }

    /// <summary>Gets the file name, if there is one.</summary>
    public virtual string? FileName => null;

    protected ContentHasher? Hasher => hasher;

    /// <summary>Returns what identifies the content, or null if it cannot be known before it is sent.</summary>
    public virtual ValueTask<string?> GetFingerprintAsync(CancellationToken cancellationToken) => ValueTask.FromResult<string?>(null);

    /// <summary>Prepares the bytes from an offset, which the server has acknowledged. No earlier range is read any more.</summary>
    /// <param name="offset">The offset.</param>
    /// <param name="maxCount">The maximum number of bytes.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    public abstract ValueTask<SourceRange> PrepareAsync(long offset, long maxCount, CancellationToken cancellationToken);

    /// <summary>Writes a prepared range. It can be written several times.</summary>
    /// <exception cref="SourceException">The source cannot be read, or has changed.</exception>
    public abstract ValueTask WriteAsync(long offset, long count, IRangeWriter writer, CancellationToken cancellationToken);

    /// <summary>Returns the digest of the whole content, or null if none is wanted. The last range was prepared.</summary>
    public virtual ValueTask<string?> GetDigestAsync(CancellationToken cancellationToken) => ValueTask.FromResult(hasher?.Format());

    /// <summary>Returns the digest of a prepared range.</summary>
    /// <exception cref="SourceException">The source cannot be read, or has changed.</exception>
    public async ValueTask<string> GetRangeDigestAsync(long offset, long count, UploadDigest digest, CancellationToken cancellationToken)
    {
        using IncrementalHash hash = DigestField.CreateHash(digest);
        await WriteAsync(offset, count, new HashWriter(hash), cancellationToken);
        return DigestField.Format(digest, hash);
    }

    public virtual ValueTask DisposeAsync()
    {
        hasher?.Dispose();
        return ValueTask.CompletedTask;
    }

    private sealed class HashWriter(IncrementalHash hash) : IRangeWriter
    {
        public ValueTask WriteAsync(long end, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            hash.AppendData(bytes.Span);
            return ValueTask.CompletedTask;
        }
    }
}
