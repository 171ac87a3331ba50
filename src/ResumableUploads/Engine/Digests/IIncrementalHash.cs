using System.Buffers;

namespace ResumableUploads.Engine.Digests;

/// <summary>A hash that is computed from consecutive blocks of bytes.</summary>
internal interface IIncrementalHash : IDisposable
{
    void Append(ReadOnlySpan<byte> bytes);

    /// <summary>Returns the hash of the bytes appended so far. More bytes can be appended afterwards.</summary>
    byte[] GetCurrentHash();

    /// <summary>Appends a stream from its current position to its end.</summary>
    async ValueTask AppendAsync(Stream stream, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            int read;
            while ((read = await stream.ReadAsync(buffer, cancellationToken)) > 0)
            {
                Append(buffer.AsSpan(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
