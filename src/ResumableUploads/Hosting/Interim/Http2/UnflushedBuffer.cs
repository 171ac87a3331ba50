using System.Buffers;

namespace ResumableUploads.Hosting.Interim.Http2;

/// <summary>The bytes that were written since the last flush, in memory that is given back with them.</summary>
internal sealed class UnflushedBuffer
{
    private const int MinBufferSize = 4096;

    private byte[] _buffer = [];
    private int _length;
    private bool _hasOutstandingMemory;

    public int Length => _length;

    public ReadOnlySpan<byte> Span => _buffer.AsSpan(0, _length);

    /// <summary>Memory for at least so many bytes, and at least one.</summary>
    public Memory<byte> GetMemory(int sizeHint)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        int wanted = Math.Max(sizeHint, 1);
        if (_buffer.Length - _length < wanted)
        {
            int doubled = (int)Math.Min(2L * _buffer.Length, Array.MaxLength);
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(MinBufferSize, Math.Max(doubled, checked(_length + wanted))));
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

    /// <summary>Memory that somebody may still write into is left to the garbage collector: no other connection may get it.</summary>
    private void ReturnBuffer()
    {
        if (!_hasOutstandingMemory && _buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        _hasOutstandingMemory = false;
    }
}
