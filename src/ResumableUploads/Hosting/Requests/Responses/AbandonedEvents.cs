using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ResumableUploads.Hosting.Requests.Responses;

/// <summary>
/// The events of a request that are still running although the engine has continued without them. They use the request and its services. When the request
/// ends, the server reuses it for another client and the services are disposed, so the client gets its response and then the request waits for them.
/// </summary>
internal sealed class AbandonedEvents
{
    private const int Http2NoError = 0;
    private ConcurrentBag<Task>? _running;

    public bool Any => Volatile.Read(ref _running) is not null;

    public void Add(Task call) => LazyInitializer.EnsureInitialized(ref _running, static () => []).Add(call);

    /// <summary>Announces that an HTTP/1 connection carries no further requests, because they would wait too.</summary>
    public void CloseConnectionAfterResponse(string protocol, IHttpResponseFeature response)
    {
        if (Any && !HttpProtocol.IsHttp2(protocol) && !HttpProtocol.IsHttp3(protocol) && !response.HasStarted)
        {
            response.Headers.Connection = "close";
        }
    }

    /// <summary>Sends the response, and waits until the events have ended or the server stops.</summary>
    public async Task WaitAsync(HttpContext context, CancellationToken stopping)
    {
        if (Volatile.Read(ref _running) is not { } running)
        {
            return;
        }

        if (!context.RequestAborted.IsCancellationRequested)
        {
            await CompleteResponseAsync(context);
        }

        await Task.WhenAll(running).WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (stopping.IsCancellationRequested)
        {
            // A connection that was aborted is not reused.
            context.Abort();
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "Callbacks of the app for the start of the response may throw any exception.")]
    private static async Task CompleteResponseAsync(HttpContext context)
    {
        try
        {
            await context.Response.CompleteAsync();
            if (HttpProtocol.IsHttp2(context.Request.Protocol))
            {
                // The rest of the body would use up the flow-control window of the connection, which other requests need.
                context.Features.Get<IHttpResetFeature>()?.Reset(Http2NoError);
            }
        }
        catch (Exception)
        {
            context.Abort();
        }
    }
}
