using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>Reads the beginning of a file, up to the durable offset. Bytes behind it are not shown. If the file is shorter, a read fails.</summary>
/// <param name="file">The open file. It is closed with the stream.</param>
/// <param name="length">The number of bytes that are shown.</param>
/// <param name="scheduler">The scheduler of asynchronous reads.</param>
/// <param name="lane">The lane of the reads.</param>
internal sealed class BoundedReadStream(OpenFile file, long length, DiskScheduler scheduler, string lane) : Stream
{
    private long _position;
    private bool _disposed;

    public OpenFile File => file;

    public override bool CanRead => !_disposed;

    public override bool CanSeek => !_disposed;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => _position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _position = value;
        }
    }

    public override int Read(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int count = (int)Math.Min(buffer.Length, Math.Max(0, length - _position));
        return Advance(count, count == 0 ? 0 : RandomAccess.Read(file.Handle, buffer[..count], _position));
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int count = (int)Math.Min(buffer.Length, Math.Max(0, length - _position));
        int read = count == 0 ? 0 : await scheduler.RunAsync(
            new DiskCallOptions(lane, DiskCallKind.Read, AbandonDelay: null),
            (file.Handle, buffer: buffer[..count], _position),
            static s => RandomAccess.Read(s.Handle, s.buffer.Span, s._position),
            cancellationToken);
        return Advance(count, read);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    public override long Seek(long offset, SeekOrigin origin) => Position = offset + origin switch
    {
        SeekOrigin.Begin => 0,
        SeekOrigin.Current => _position,
        SeekOrigin.End => length,
        _ => throw new ArgumentOutOfRangeException(nameof(origin)),
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private int Advance(int count, int read)
    {
        if (read == 0 && count > 0)
        {
            throw new UploadStoreException(StoreFailure.Corrupt, $"'{file.Path}' ended after {_position} of {length} bytes.", length);
        }

        _position += read;
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            file.Dispose();
        }

        base.Dispose(disposing);
    }
}
