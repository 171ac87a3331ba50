using Microsoft.AspNetCore.Http;

namespace ResumableUploads.FunctionalTests.Clients.CommandLine;

/// <summary>Stops the request bodies of a server after a number of bytes, until it is opened.</summary>
/// <param name="limit">The number of bytes of each body.</param>
internal sealed class BodyGate(long limit)
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Gets a task that completes when a body has reached the limit.</summary>
    public Task Reached => _reached.Task;

    public void Open() => _opened.TrySetResult();

    public Task RunAsync(HttpContext context, RequestDelegate next)
    {
        if (!_opened.Task.IsCompleted && context.Request.ContentLength > limit)
        {
            context.Request.Body = new GatedStream(context.Request.Body, this);
        }

        return next(context);
    }

    private sealed class GatedStream(Stream inner, BodyGate gate) : Stream
    {
        private long _count;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_count >= gate.Limit)
            {
                gate._reached.TrySetResult();
                await gate._opened.Task.WaitAsync(cancellationToken);
            }

            long left = gate._opened.Task.IsCompleted ? buffer.Length : gate.Limit - _count;
            int read = await inner.ReadAsync(buffer[..(int)Math.Min(buffer.Length, left)], cancellationToken);
            _count += read;
            return read;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }

    private long Limit => limit;
}
