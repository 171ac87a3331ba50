using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ResumableUploads.Hosting.Endpoints.Execution.Responses;

/// <summary>
/// Buffers the response of an endpoint until it is stored. It behaves like the response of the server: it starts with the first byte, after which
/// its status and headers cannot be changed. A body that exceeds the limit is streamed instead.
/// </summary>
internal sealed class BufferedResponse : IHttpResponseFeature, IHttpResponseBodyFeature, IDisposable
{
    private readonly IHttpResponseFeature _serverResponse;
    private readonly Func<Stream> _startStreaming;
    private readonly long _bufferLimit;
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly BufferedHeaders _headers;
    private readonly Stack<(Func<object, Task> Callback, object State)> _onStartingCallbacks = new();
    private readonly BufferedResponseStream _stream;
    private PipeWriter? _writer;
    private Stream? _streamingBody;
    private long _writtenBytes;
    private int _statusCode;
    private string? _reasonPhrase;

    /// <summary>Creates a buffer for the response of a request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="bufferLimit">The maximum number of bytes of the body to buffer.</param>
    /// <param name="startStreaming">Sends the status and headers when the body exceeds the limit, and returns the stream for the body.</param>
    public BufferedResponse(HttpContext context, long bufferLimit, Func<Stream> startStreaming)
    {
        _serverResponse = context.Features.GetRequiredFeature<IHttpResponseFeature>();
        _bufferLimit = bufferLimit;
        _startStreaming = startStreaming;
        _statusCode = _serverResponse.StatusCode;
        _stream = new BufferedResponseStream(this);
        _headers = new BufferedHeaders(_serverResponse.Headers);
    }

    public int StatusCode
    {
        get => _statusCode;
        set
        {
            ThrowIfStarted();
            _statusCode = value;
        }
    }

    public string? ReasonPhrase
    {
        get => _reasonPhrase;
        set
        {
            ThrowIfStarted();
            _reasonPhrase = value;
        }
    }

    public IHeaderDictionary Headers
    {
        get => _headers;
        set => throw new NotSupportedException("The collection of response headers cannot be replaced.");
    }

    public Stream Body
    {
        get => _stream;
        set => throw new NotSupportedException("Set HttpResponse.Body instead.");
    }

    public bool HasStarted { get; private set; }

    /// <summary>Gets the length of the body that the endpoint has declared, or null if it is only known at the end.</summary>
    private long? DeclaredLength =>
        StatusCode == StatusCodes.Status304NotModified || _headers.ContainsKey("Transfer-Encoding") ? null : _headers.ContentLength;

    /// <summary>Gets whether the body exceeded the limit, so that it is streamed instead of buffered.</summary>
    public bool IsStreaming => _streamingBody is not null;

    /// <summary>Gets the buffered body.</summary>
    public ReadOnlyMemory<byte> BufferedBody => _buffer.WrittenMemory;

    public Stream Stream => _stream;

    public PipeWriter Writer => _writer ??= PipeWriter.Create(_stream, new StreamPipeWriterOptions(leaveOpen: true));

    public void OnStarting(Func<object, Task> callback, object state)
    {
        ThrowIfStarted();
        _onStartingCallbacks.Push((callback, state));
    }

    public void OnCompleted(Func<object, Task> callback, object state) => _serverResponse.OnCompleted(callback, state);

    public void DisableBuffering()
    {
        // Not supported: the response is stored before it is sent.
    }

    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        if (HasStarted)
        {
            return;
        }

        while (_onStartingCallbacks.TryPop(out (Func<object, Task> Callback, object State) starting))
        {
            await starting.Callback(starting.State);
        }

        HasStarted = true;
        _headers.IsReadOnly = true;
    }

    public async Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default)
    {
        await StartAsync(cancellationToken);
        await SendFileFallback.SendFileAsync(_stream, path, offset, count, cancellationToken);
    }

    /// <summary>Completes the response, including bytes that <see cref="Writer"/> has not flushed.</summary>
    /// <exception cref="InvalidOperationException">The body is shorter than its <c>Content-Length</c>, which the server does not accept either.</exception>
    public async Task CompleteAsync()
    {
        await StartAsync();
        if (_writer is not null)
        {
            await _writer.FlushAsync();
        }

        if (_writtenBytes < DeclaredLength)
        {
            throw new InvalidOperationException($"Response Content-Length mismatch: too few bytes written ({_writtenBytes} of {DeclaredLength}).");
        }
    }

    public void Dispose() => _stream.Dispose();

    private async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await StartAsync(cancellationToken);
        _writtenBytes += bytes.Length;
        if (_writtenBytes > DeclaredLength)
        {
            throw new InvalidOperationException($"Response Content-Length mismatch: too many bytes written ({_writtenBytes} of {DeclaredLength}).");
        }

        if (!IsStreaming)
        {
            if (_buffer.WrittenCount + bytes.Length <= _bufferLimit)
            {
                _buffer.Write(bytes.Span);
                return;
            }

            _streamingBody = _startStreaming();
            await SendAsync(static (body, bytes, cancellationToken) => body.WriteAsync(bytes, cancellationToken), BufferedBody, cancellationToken);
        }

        await SendAsync(static (body, bytes, cancellationToken) => body.WriteAsync(bytes, cancellationToken), bytes, cancellationToken);
    }

    /// <summary>Sends a part of the body. If the client has disconnected, the endpoint continues, and the rest of its response is discarded.</summary>
    private async ValueTask SendAsync(
        Func<Stream, ReadOnlyMemory<byte>, CancellationToken, ValueTask> send, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            await send(_streamingBody!, bytes, cancellationToken);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            _streamingBody = Stream.Null;
        }
    }

    private async Task FlushAsync(CancellationToken cancellationToken)
    {
        await StartAsync(cancellationToken);
        if (IsStreaming)
        {
            await SendAsync(static (body, _, cancellationToken) => new ValueTask(body.FlushAsync(cancellationToken)), default, cancellationToken);
        }
    }

    private void ThrowIfStarted()
    {
        if (HasStarted)
        {
            throw new InvalidOperationException("The response has already started.");
        }
    }

    private sealed class BufferedResponseStream(BufferedResponse response) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush() => FlushAsync(CancellationToken.None).GetAwaiter().GetResult();

        public override Task FlushAsync(CancellationToken cancellationToken) => response.FlushAsync(cancellationToken);

        public override void Write(byte[] buffer, int offset, int count) =>
            response.WriteAsync(buffer.AsMemory(offset, count), CancellationToken.None).AsTask().GetAwaiter().GetResult();

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            response.WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            response.WriteAsync(buffer, cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
