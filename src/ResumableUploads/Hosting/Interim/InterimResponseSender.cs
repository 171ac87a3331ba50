using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using ResumableUploads.Hosting.Interim.Http2;

namespace ResumableUploads.Hosting.Interim;

/// <summary>
/// Sends the interim responses of one request, past the server, which has no way for them. They are a courtesy: one that cannot be sent is
/// not sent, and nobody is told. <see cref="DrainAsync"/> has to be called before the answer may begin.
/// </summary>
internal sealed class InterimResponseSender
{
    private readonly Lock _lock = new();
    private readonly IHttpResponseFeature _response;
    private readonly CancellationToken _requestAborted;
    private readonly PipeWriter _output;
    private readonly int? _streamId;
    private Task _pendingSend = Task.CompletedTask;
    private bool _isDrained;

    private InterimResponseSender(HttpContext context, PipeWriter output, int? streamId)
    {
        // Kept, because a context may not be asked from another thread than the request's.
        _response = context.Features.GetRequiredFeature<IHttpResponseFeature>();
        _requestAborted = context.RequestAborted;
        _output = output;
        _streamId = streamId;
    }

    /// <summary>Whether one is under way: another would be dropped now, and need not be made.</summary>
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
    /// The sender of a request, or null where there cannot be one: HTTP/1.0 and HTTP/3, HTTP/2 on an endpoint without
    /// <c>UseResumableUploadInterimResponses</c>, servers other than Kestrel, and an answer that has begun. Called once for a request.
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
            return new InterimResponseSender(context, output, streamId: null);
        }

        if (HttpProtocol.IsHttp2(context.Request.Protocol) && output is FrameInterleavingPipeWriter writer && context.Features.Get<IHttp2StreamIdFeature>() is { } stream)
        {
            writer.OpenStream(stream.StreamId);
            return new InterimResponseSender(context, output, stream.StreamId);
        }

        return null;
    }

    /// <summary>
    /// Sends one and waits until it is flushed. Called from the request's own flow before the body is first read: on HTTP/1.1 that read makes
    /// the server write a 100 of its own.
    /// </summary>
    public ValueTask SendAsync(InterimResponse response) => new(StartSend(response));

    /// <summary>
    /// Begins to send one and waits for nothing. While an earlier one is under way it is dropped. May be called from another thread than the
    /// request's, but not twice at a time, and only after the first read of the body has completed.
    /// </summary>
    public void TryStartSend(InterimResponse response) => _ = StartSend(response);

    /// <summary>
    /// Ends it: after this, none is begun any more. On HTTP/1.1 it waits until the one under way is flushed, which is as slow as the client
    /// reads. On HTTP/2 the connection keeps the order, and there is nothing to wait for.
    /// </summary>
    public async ValueTask DrainAsync()
    {
        Task underWay;
        lock (_lock)
        {
            _isDrained = true;
            underWay = _pendingSend;
        }

        if (_streamId is { } streamId)
        {
            ((FrameInterleavingPipeWriter)_output).CloseStream(streamId);
            return;
        }

        await underWay;
    }

    private Task StartSend(InterimResponse response)
    {
        lock (_lock)
        {
            if (!_isDrained && _pendingSend.IsCompleted && !_response.HasStarted && !_requestAborted.IsCancellationRequested)
            {
                _pendingSend = WriteAsync(response);
            }

            return _pendingSend;
        }
    }

    private async Task WriteAsync(InterimResponse response)
    {
        try
        {
            if (_streamId is { } streamId)
            {
                await ((FrameInterleavingPipeWriter)_output).SendAsync(streamId, response.ToHttp2Frame(streamId));
            }
            else if ((await _output.WriteAsync(response.ToHttp1Bytes(), CancellationToken.None)).IsCanceled)
            {
                // It was the server's flush that somebody wanted to cancel.
                _output.CancelPendingFlush();
            }
        }
        catch (Exception)
        {
            // The connection is gone, in one of the many ways that its layers have for saying so. The request finds out by itself.
        }
    }
}
