namespace ResumableUploads.Stores.Memory;

/// <summary>A piece of a content: a pooled array, filled from its beginning.</summary>
internal sealed class Block(byte[] array, int size, long start)
{
    private int _length;

    /// <summary>The array that was rented; the pool may have given more than <see cref="Size"/>.</summary>
    public byte[] Array => array;

    /// <summary>How many bytes of the array the store was charged for and may use.</summary>
    public int Size => size;

    /// <summary>The offset in the content of the first byte.</summary>
    public long StartOffset { get; private set; } = start;

    /// <summary>The offset in the content behind the last byte.</summary>
    public long EndOffset => StartOffset + Volatile.Read(ref _length);

    /// <summary>How many bytes can still be added.</summary>
    public int FreeSpace => size - _length;

    /// <summary>The bytes that are there.</summary>
    public ReadOnlySpan<byte> WrittenSpan => array.AsSpan(0, Volatile.Read(ref _length));

    /// <summary>Adds as much as there is room for, and tells how much that was. One caller at a time.</summary>
    public int Append(ReadOnlySpan<byte> bytes)
    {
        int count = Math.Min(bytes.Length, FreeSpace);
        bytes[..count].CopyTo(array.AsSpan(_length));
        Volatile.Write(ref _length, _length + count);
        return count;
    }

    /// <summary>Moves the block to its place in another content, before anybody can read it there.</summary>
    public void SetStartOffset(long start) => StartOffset = start;
}
