using System.Buffers;
using System.Security.Cryptography;

namespace ResumableUploads.Client.Sources;

/// <summary>Content that can be read at any offset.</summary>
internal abstract class RandomAccessSource(long length, ContentHasher? hasher) : UploadSource(hasher)
{
    /// <summary>The number of bytes of the last request if it has the digest of the content: some servers store such a request completely or not at all.</summary>
    private const int LastRequestSize = 64 * 1024;
    private const int FingerprintedSize = 64 * 1024;

    public override long? Length => length;

    public override long FirstOffset => 0;

    /// <summary>Gets what the fingerprint contains besides the length and the first and last bytes.</summary>
    protected virtual string Attributes => "";

    public override async ValueTask<string?> GetFingerprintAsync(CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(System.Text.Encoding.UTF8.GetBytes($"{length}\n{Attributes}\n"));
        byte[] buffer = new byte[(int)Math.Min(FingerprintedSize, length)];
        foreach (long offset in new[] { 0, length - buffer.Length })
        {
            await ReadExactlyAsync(offset, buffer, cancellationToken);
            hash.AppendData(buffer);
        }

        return System.Buffers.Text.Base64Url.EncodeToString(hash.GetHashAndReset());
    }

    public override ValueTask<SourceRange> PrepareAsync(long offset, long maxCount, CancellationToken cancellationToken)
    {
        ThrowIfChanged();
        long end = Math.Min(length, offset + Math.Min(maxCount, length - offset));
        long lastRequest = length - LastRequestSize;
        if (Hasher is not null && offset < lastRequest)
        {
            end = Math.Min(end, lastRequest);
        }

        return ValueTask.FromResult(new SourceRange(end - offset, end == length));
    }

    public override async ValueTask WriteAsync(long offset, long count, IRangeWriter writer, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(BufferSize, count));
        try
        {
            for (long end = offset + count; offset < end;)
            {
                Memory<byte> bytes = buffer.AsMemory(0, (int)Math.Min(buffer.Length, end - offset));
                await ReadExactlyAsync(offset, bytes, cancellationToken);
                offset += bytes.Length;
                if (offset == end)
                {
                    // Without the last bytes, the server does not complete the request.
                    ThrowIfChanged();
                }

                Hasher?.Append(offset - bytes.Length, bytes.Span);
                await writer.WriteAsync(offset, bytes, cancellationToken);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public override async ValueTask<string?> GetDigestAsync(CancellationToken cancellationToken)
    {
        if (Hasher is null)
        {
            return null;
        }

        // The end, and after a restart everything that an earlier process has sent.
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            for (long offset; (offset = Hasher.Position) < length;)
            {
                Memory<byte> bytes = buffer.AsMemory(0, (int)Math.Min(buffer.Length, length - offset));
                await ReadExactlyAsync(offset, bytes, cancellationToken);
                Hasher.Append(offset, bytes.Span);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return Hasher.Format();
    }

    /// <summary>Reads bytes at an offset. Returns 0 at the end of the source.</summary>
    protected abstract ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken);

    /// <exception cref="SourceException">The source is known to have changed.</exception>
    protected abstract void ThrowIfChanged();

    private async ValueTask ReadExactlyAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        for (int count = 0; count < buffer.Length;)
        {
            int read;
            try
            {
                read = await ReadAsync(offset + count, buffer[count..], cancellationToken);
            }
            catch (Exception e) when (e is not SourceException and not OperationCanceledException)
            {
                throw new SourceException(UploadFailureReason.SourceFailed, $"The content cannot be read: {e.Message}", e);
            }

            if (read == 0)
            {
                throw SourceException.Changed($"it ends after {offset + count} of {length} bytes.");
            }

            count += read;
        }
    }
}
