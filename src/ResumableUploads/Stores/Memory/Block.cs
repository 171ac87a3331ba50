namespace ResumableUploads.Stores.Memory;

/// <summary>A part of the content of an upload, in a pooled array that is filled from its start.</summary>
internal sealed class Block(byte[] array, int size, long start)
{
    private int _length;

    /// <summary>Gets the rented array, which may be longer than <see cref="Size"/>.</summary>
    public byte[] Array => array;

    /// <summary>Gets the usable size, in bytes, which counts against the budget.</summary>
    public int Size => size;

    /// <summary>Gets the offset of the first byte in the content.</summary>
    public long StartOffset { get; private set; } = start;

    /// <summary>Gets the offset after the last byte in the content.</summary>
    public long EndOffset => StartOffset + Volatile.Read(ref _length);

    public int FreeSpace => size - _length;

    public ReadOnlySpan<byte> WrittenSpan => array.AsSpan(0, Volatile.Read(ref _length));

    /// <summary>Appends as many bytes as fit and returns their number. Not thread-safe with other appends; safe with reads.</summary>
    public int Append(ReadOnlySpan<byte> bytes)
    {
        int count = Math.Min(bytes.Length, FreeSpace);
        bytes[..count].CopyTo(array.AsSpan(_length));
        Volatile.Write(ref _length, _length + count);
        return count;
    }

    /// <summary>Sets the position of the block in another content, before it can be read there.</summary>
    public void SetStartOffset(long start) => StartOffset = start;
}
