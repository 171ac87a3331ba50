namespace ResumableUploads.FaultTests.Fuzz;

/// <summary>The content of every fuzzed upload. Each byte depends on its offset, so wrong bytes are detected.</summary>
internal sealed class FuzzContent(long from, int length, int? cutAfter) : Stream
{
    private int _given;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public static byte At(long offset) => (byte)((offset * 7) + (offset >> 8));

    public static byte[] Bytes(long from, int length)
    {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++)
        {
            bytes[i] = At(from + i);
        }

        return bytes;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_given >= cutAfter)
        {
            throw new IOException("The client has left.");
        }

        // Several reads, so that something can happen between them.
        int count = Math.Min(Math.Min(buffer.Length, Math.Min(cutAfter ?? length, length) - _given), 97);
        Bytes(from + _given, count).CopyTo(buffer);
        _given += count;
        return new ValueTask<int>(count);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
