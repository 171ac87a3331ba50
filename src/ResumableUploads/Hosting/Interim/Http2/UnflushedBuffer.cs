using System.Buffers;

namespace ResumableUploads.Hosting.Interim.Http2;

/// <summary>A growing buffer of pooled memory for the bytes that were written since the last flush.</summary>
internal sealed class UnflushedBuffer
{
    private const int MinBufferSize = 4096;

    private byte[] _buffer = [];
    private int _length;
    private bool _hasOutstandingMemory;

    public int Length => _length;

    public ReadOnlySpan<byte> Span => _buffer.AsSpan(0, _length);

    /// <summary>Returns memory for at least <paramref name="sizeHint"/> bytes, and at least one byte.</summary>
    public Memory<byte> GetMemory(int sizeHint)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        int required = Math.Max(sizeHint, 1);
        if (_buffer.Length - _length < required)
        {
            int doubled = (int)Math.Min(2L * _buffer.Length, Array.MaxLength);
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(MinBufferSize, Math.Max(doubled, checked(_length + required))));
            Span.CopyTo(larger);
            ReturnBuffer();
            _buffer = larger;
        }

        _hasOutstandingMemory = true;
        return _buffer.AsMemory(_length);
    }

    public void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, _buffer.Length - _length);
        _length += bytes;
        _hasOutstandingMemory = false;
    }

    public void Clear()
    {
        ReturnBuffer();
        _buffer = [];
        _length = 0;
    }

    /// <summary>
    /// Returns the buffer to the pool, unless the caller has obtained memory without calling <see cref="Advance"/>. The caller could still write to it while
    /// another connection uses it.
    /// </summary>
    private void ReturnBuffer()
    {
        if (!_hasOutstandingMemory && _buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        _hasOutstandingMemory = false;
    }
}
