using System.Buffers;

namespace ResumableUploads.S3.Appending;

/// <summary>The bytes of one segment in blocks of the budget.</summary>
internal sealed class SegmentBuffer
{
    private readonly List<Block> _blocks = [];

    public long Length { get; private set; }

    /// <summary>Gets a value that indicates whether the next byte needs another block.</summary>
    public bool NeedsBlock => Length == (long)_blocks.Count * BufferBudget.BlockSize;

    /// <summary>Gets the bytes. They are valid until the blocks are returned.</summary>
    public ReadOnlySequence<byte> Bytes =>
        _blocks.Count == 0 ? ReadOnlySequence<byte>.Empty : new ReadOnlySequence<byte>(_blocks[0], 0, _blocks[^1], (int)(Length - _blocks[^1].RunningIndex));

    public void AddBlock(byte[] bytes)
    {
        var block = new Block(bytes, Length);
        if (_blocks.Count > 0)
        {
            _blocks[^1].Append(block);
        }

        _blocks.Add(block);
    }

    /// <summary>Copies bytes into the last block.</summary>
    /// <returns>The number of copied bytes.</returns>
    public int Append(ReadOnlySpan<byte> bytes)
    {
        int position = (int)(Length - _blocks[^1].RunningIndex);
        int count = Math.Min(bytes.Length, BufferBudget.BlockSize - position);
        bytes[..count].CopyTo(_blocks[^1].Array.AsSpan(position));
        Length += count;
        return count;
    }

    /// <summary>Returns the blocks to the budget.</summary>
    public void Return(BufferBudget budget) => budget.Return([.. _blocks.Select(static block => block.Array)]);

    private sealed class Block : ReadOnlySequenceSegment<byte>
    {
        public Block(byte[] array, long runningIndex)
        {
            Array = array;
            Memory = array;
            RunningIndex = runningIndex;
        }

        public byte[] Array { get; }

        public void Append(Block next) => Next = next;
    }
}
