using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Hosting.ProgressEvents;

/// <summary>
/// Writes the events of an upload until its last one, as
/// <see href="https://html.spec.whatwg.org/multipage/server-sent-events.html">server-sent events</see>. The upload is read at an interval, so that it does not
/// matter which process receives it.
/// </summary>
/// <param name="context">The request of the follower.</param>
/// <param name="read">Reads the upload without a lock. Returns <see langword="null"/> if it does not exist for the client.</param>
/// <param name="time">The time provider.</param>
/// <param name="logger">The logger.</param>
internal sealed class ProgressEventStream(HttpContext context, Func<CancellationToken, ValueTask<ProgressEvent?>> read, TimeProvider time, ILogger logger)
{
    /// <summary>The pause before the upload is read again. While nothing changes, it doubles up to <see cref="MaxPause"/>.</summary>
    public static readonly TimeSpan MinPause = TimeSpan.FromMilliseconds(250);

    public static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(2);

    /// <summary>The time without an event after which a comment is sent, so that proxies do not end the connection.</summary>
    public static readonly TimeSpan KeepAliveInterval = TimeSpan.FromSeconds(15);

    /// <summary>The minimum pause, in durations of the last read. A slow store is not read all the time.</summary>
    private const int PausePerRead = 4;

    private long _lastWrite;
    private bool _isMissing;
    private bool _isFailureLogged;

    /// <summary>Writes the headers, the first event and those that follow.</summary>
    /// <param name="first">The first event.</param>
    /// <param name="cancellationToken">The token that ends the stream.</param>
    public async Task WriteAsync(ProgressEvent first, CancellationToken cancellationToken)
    {
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        await WriteAsync((byte[])[.. "retry: 2000\n"u8, .. first.ToBytes()], cancellationToken);
        ProgressEvent last = first;
        TimeSpan pause = MinPause;
        TimeSpan readDuration = TimeSpan.Zero;
        while (!last.IsLast)
        {
            TimeSpan slowPause = readDuration * PausePerRead;
            await Task.Delay(slowPause > pause ? slowPause : pause, time, cancellationToken);
            long readStart = time.GetTimestamp();
            ProgressEvent current = await ReadAsync(last, cancellationToken);
            readDuration = time.GetElapsedTime(readStart);
            if (current != last)
            {
                last = current;
                pause = MinPause;
                await WriteAsync(current.ToBytes(), cancellationToken);
                continue;
            }

            pause = _isMissing ? MinPause : pause * 2 < MaxPause ? pause * 2 : MaxPause;
            if (time.GetElapsedTime(_lastWrite) >= KeepAliveInterval)
            {
                await WriteAsync(": keep-alive\n\n"u8.ToArray(), cancellationToken);
            }
        }
    }

    /// <summary>Reads the current event. Returns the last one if the store fails, and the first time that the upload does not exist.</summary>
    private async ValueTask<ProgressEvent> ReadAsync(ProgressEvent last, CancellationToken cancellationToken)
    {
        try
        {
            ProgressEvent? current = await read(cancellationToken);

            // A store that cannot replace an upload in one step deletes it before it creates the next one.
            bool isGone = current is null && _isMissing;
            _isMissing = current is null;
            return current ?? (isGone ? last.ToGone() : last);
        }
        catch (UploadStoreException e)
        {
            // EventSource does not connect again after an error response, so the connection stays open until the store works again.
            if (!_isFailureLogged)
            {
                _isFailureLogged = true;
                Log.StoreRequestFailed(logger, e);
            }

            return last;
        }
    }

    private async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await context.Response.Body.WriteAsync(bytes, cancellationToken);
        await context.Response.Body.FlushAsync(cancellationToken);
        _lastWrite = time.GetTimestamp();
    }
}
