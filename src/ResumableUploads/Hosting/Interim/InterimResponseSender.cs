using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using ResumableUploads.Hosting.Interim.Http2;

namespace ResumableUploads.Hosting.Interim;

/// <summary>
/// Sends the interim responses of one request directly to the transport, because Kestrel has no API for them. Sending is best effort: an interim
/// response that cannot be sent is dropped without an error. <see cref="DrainAsync"/> must be called before the final response starts.
/// </summary>
internal abstract class InterimResponseSender
{
    private readonly Lock _lock = new();
    private readonly IHttpResponseFeature _response;
    private readonly CancellationToken _requestAborted;
    private Task _pendingSend = Task.CompletedTask;
    private bool _isDrained;

    protected InterimResponseSender(HttpContext context)
    {
        // HttpContext is not thread-safe and sends may start on other threads, so the features are read once here.
        _response = context.Features.GetRequiredFeature<IHttpResponseFeature>();
        _requestAborted = context.RequestAborted;
    }

    /// <summary>Gets a value indicating whether a send is pending. Until it completes, another response would be dropped and need not be created.</summary>
    public bool IsSending
    {
        get
        {
            lock (_lock)
            {
                return !_pendingSend.IsCompleted;
            }
        }
    }

    /// <summary>
    /// Creates the sender of a request. Must be called at most once per request. Returns null if the response has started, the request is aborted, or interim
    /// responses cannot be sent: HTTP/1.0 does not have them (<see href="https://www.rfc-editor.org/rfc/rfc9110#section-15.2">RFC 9110, section 15.2</see>),
    /// HTTP/2 needs <c>UseResumableUploadInterimResponses</c> on the listener, and HTTP/3 and servers other than Kestrel are not supported.
    /// </summary>
    public static InterimResponseSender? TryCreate(HttpContext context)
    {
        if (context.Response.HasStarted || context.RequestAborted.IsCancellationRequested
            || context.Features.Get<IConnectionTransportFeature>() is not { Transport.Output: { } output })
        {
            return null;
        }

        if (HttpProtocol.IsHttp11(context.Request.Protocol))
        {
            return new Http1InterimResponseSender(context, output);
        }

        return HttpProtocol.IsHttp2(context.Request.Protocol)
            && output is FrameInterleavingPipeWriter writer
            && context.Features.Get<IHttp2StreamIdFeature>() is { } stream
                ? new Http2InterimResponseSender(context, writer, stream.StreamId)
                : null;
    }

    /// <summary>
    /// Sends a response and waits until it is flushed. Must be called by the request before the body is first read: on HTTP/1.1, that read makes
    /// Kestrel write <c>100 Continue</c> to the same transport.
    /// </summary>
    public ValueTask SendAsync(InterimResponse response) => new(StartSend(response));

    /// <summary>
    /// Starts sending a response without waiting. Drops it if another send is pending. May be called on any thread, but not concurrently, and only
    /// after the first read of the body has completed.
    /// </summary>
    public void TryStartSend(InterimResponse response) => _ = StartSend(response);

    /// <summary>Prevents further sends, and waits until the final response can start.</summary>
    public ValueTask DrainAsync()
    {
        Task pendingSend;
        lock (_lock)
        {
            _isDrained = true;
            pendingSend = _pendingSend;
        }

        return DrainCoreAsync(pendingSend);
    }

    protected abstract Task WriteAsync(InterimResponse response);

    /// <summary>Waits, after further sends have been prevented, until the final response may start.</summary>
    protected abstract ValueTask DrainCoreAsync(Task pendingSend);

    private Task StartSend(InterimResponse response)
    {
        lock (_lock)
        {
            if (!_isDrained && _pendingSend.IsCompleted && !_response.HasStarted && !_requestAborted.IsCancellationRequested)
            {
                _pendingSend = WriteIgnoringErrorsAsync(response);
            }

            return _pendingSend;
        }
    }

    private async Task WriteIgnoringErrorsAsync(InterimResponse response)
    {
        try
        {
            await WriteAsync(response);
        }
        catch (Exception)
        {
            // The connection is closed. Each layer throws a different exception type, and the request fails when it next reads the body.
        }
    }
}
