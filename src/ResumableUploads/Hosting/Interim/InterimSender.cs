using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace ResumableUploads;

/// <summary>
/// Sends the interim responses of one request, one at a time and none after <see cref="DrainAsync"/>. Kestrel has no way to send them, so they are
/// written where Kestrel writes: on HTTP/1.1 into the connection, which is the request's own until its response begins; on HTTP/2 between
/// Kestrel's frames.
/// </summary>
internal sealed class InterimSender
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly HttpContext _context;
    private readonly TimeProvider _time;
    private readonly Func<InterimResponse, CancellationToken, ValueTask> _write;
    private readonly Action _end;
    private readonly Lock _lock = new();
    private Task _running = Task.CompletedTask;
    private bool _ended;

    private InterimSender(HttpContext context, TimeProvider time, Func<InterimResponse, CancellationToken, ValueTask> write, Action end) =>
        (_context, _time, _write, _end) = (context, time, write, end);

    /// <summary>The sender for a request, or null where its server or its HTTP cannot: IIS, HTTP.sys, TestHost, HTTP/1.0, HTTP/3, and HTTP/2 on a
    /// listener that was not prepared for it.</summary>
    public static InterimSender? For(HttpContext context, TimeProvider time)
    {
        if (context.Features.Get<IConnectionTransportFeature>()?.Transport?.Output is not { } output)
        {
            return null;
        }

        if (HttpProtocol.IsHttp11(context.Request.Protocol))
        {
            return new InterimSender(context, time, (response, token) => WriteAsync(output, response, token), static () => { });
        }

        if (!HttpProtocol.IsHttp2(context.Request.Protocol)
            || output is not InterimPipeWriter between || context.Features.Get<IHttp2StreamIdFeature>() is not { StreamId: var stream })
        {
            return null;
        }

        between.Open(stream);
        return new InterimSender(
            context,
            time,
            (response, token) => response.ToHttp2(stream) is { } frame ? between.WriteBetweenAsync(stream, frame, token) : ValueTask.CompletedTask,
            () => between.Close(stream));
    }

    /// <summary>Sends one, and waits until it has left. To be called by the request's own flow, while nothing of its body is being read.</summary>
    public Task SendAsync(InterimResponse response)
    {
        Post(response);
        lock (_lock)
        {
            return _running;
        }
    }

    /// <summary>
    /// Begins to send one, and does not wait. While another one is still under way, it is dropped. Not before the first read of the body has
    /// ended: until then Kestrel may be writing "100 Continue" itself.
    /// </summary>
    public void Post(InterimResponse response)
    {
        lock (_lock)
        {
            if (!_ended && _running.IsCompleted && !_context.Response.HasStarted && !_context.RequestAborted.IsCancellationRequested)
            {
                _running = TryWriteAsync(response);
            }
        }
    }

    /// <summary>
    /// Waits for one that is under way, after which there are no more. Who reads so little that not even this gets through, gets no answer.
    /// </summary>
    public async ValueTask DrainAsync()
    {
        Task running;
        lock (_lock)
        {
            _ended = true;
            running = _running;
        }

        try
        {
            await running.WaitAsync(Patience, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            _context.Abort();
        }

        _end();
    }

    private static async ValueTask WriteAsync(PipeWriter output, InterimResponse response, CancellationToken cancellationToken) =>
        await output.WriteAsync(response.ToHttp1(), cancellationToken).ConfigureAwait(false);

    [SuppressMessage("Design", "CA1031", Justification = "Whatever a connection throws into which nothing can be written any more says only that.")]
    private async Task TryWriteAsync(InterimResponse response)
    {
        try
        {
            await _write(response, _context.RequestAborted).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The client is gone. The final response finds that out by itself.
        }
    }
}
