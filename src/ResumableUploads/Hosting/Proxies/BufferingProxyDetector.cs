using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Content;

namespace ResumableUploads.Hosting.Proxies;

/// <summary>
/// Logs once if a proxy seems to buffer whole requests: if <see cref="RequestCount"/> bodies of at least <see cref="MinBodyLength"/> bytes in a row came through
/// a proxy, whole and faster than <see cref="MaxRate"/>. A proxy that buffers has the whole body when it connects to the app, while clients on the internet are
/// slower. Nothing else shows it: the request headers arrive together with the body.
/// </summary>
internal sealed class BufferingProxyDetector(TimeProvider time, ILogger logger)
{
    /// <summary>How many requests in a row must be fast.</summary>
    public const int RequestCount = 8;

    /// <summary>The minimum size of a body that counts, in bytes. Shorter ones are often sent at once.</summary>
    public const int MinBodyLength = MiB;

    /// <summary>The rate that clients on the internet do not reach, in MiB per second.</summary>
    public const int MaxRate = 100;

    private const int MiB = 1 << 20;

    private int _count;
    private int _hasLogged;

    /// <summary>Returns the command with the action that measures its body, or the command itself if it does not count.</summary>
    public AppendCommand Watch(HttpRequest request, AppendCommand command) =>
        command.BodyLength >= MinBodyLength && Volatile.Read(ref _hasLogged) == 0 && ProxyDetection.IsProxied(request) ? Measure(command) : command;

    private AppendCommand Measure(AppendCommand command)
    {
        long start = time.GetTimestamp();
        return command with { OnBodyEnded = reason => Count(reason, command.BodyLength!.Value, time.GetElapsedTime(start)) };
    }

    private void Count(BodyEndReason reason, long length, TimeSpan elapsed)
    {
        if (reason != BodyEndReason.EndOfBody || elapsed.TotalSeconds * MaxRate * MiB > length)
        {
            Volatile.Write(ref _count, 0);
        }
        else if (Interlocked.Increment(ref _count) >= RequestCount && Interlocked.Exchange(ref _hasLogged, 1) == 0)
        {
            Log.ProxyBuffersRequests(logger, RequestCount, MaxRate);
        }
    }
}
