using Microsoft.AspNetCore.Http;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Proxies;
using ResumableUploads.Protocols.Ietf;

namespace ResumableUploads.Hosting.Interim;

/// <summary>
/// Sends interim responses to clients of the IETF draft: the upload URL when an upload is created, and the durable offset at most once per
/// <c>ProgressInterval</c>
/// (<see href="https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-resumable-upload-12#section-5">draft-ietf-httpbis-resumable-upload-12, section 5</see>).
/// See docs/protocols/ietf.md#interim-responses.
/// </summary>
internal sealed class InterimResponseReporter : IAppendObserver
{
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(10);

    private readonly HttpContext _context;
    private readonly InterimResponseSender _sender;
    private readonly IetfResponses _responses;
    private readonly string? _location;
    private readonly bool _reportsProgress;
    private readonly TimeProvider _time;
    private readonly TimeSpan _interval;
    private long? _lastReportTimestamp;

    private InterimResponseReporter(
        HttpContext context, InterimResponseSender sender, IetfResponses responses, string? location, TimeProvider time, TimeSpan interval) =>
        (_context, _sender, _responses, _location, _reportsProgress, _time, _interval) =
            (context, sender, responses, location, responses.AnnouncedVersion!.SendsProgress, time, interval);

    /// <summary>Creates a reporter for the request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="responses">The response factory for the protocol version of the request.</param>
    /// <param name="location">
    /// The upload URL to announce if the request creates an upload, or null for an append, whose interim responses must not contain it
    /// (<see href="https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-resumable-upload-12#section-4.4">draft-ietf-httpbis-resumable-upload-12, section 4.4</see>).
    /// </param>
    /// <param name="options">The options, which contain the interim response mode and the progress interval.</param>
    /// <param name="time">The time provider for the progress interval and the drain timeout.</param>
    /// <returns>The reporter, or null if interim responses are disabled for the request or not available on its connection.</returns>
    public static InterimResponseReporter? TryCreate(HttpContext context, IetfResponses responses, string? location, ResumableUploadOptions options, TimeProvider time)
    {
        bool isEnabled = responses.AnnouncedVersion is not null && options.Ietf.InterimResponses switch
        {
            // Some proxies treat a 104 as the final response.
            InterimResponses.Auto => ProxyDetection.IsDirect(context),
            InterimResponses.Always => true,
            _ => false,
        };
        return isEnabled && InterimResponseSender.TryCreate(context) is { } sender
            ? new InterimResponseReporter(context, sender, responses, location, time, options.Timeouts.ProgressInterval)
            : null;
    }

    /// <summary>Gets whether an interim response was sent, so that the client knows that it can resume the upload.</summary>
    public bool HasSent { get; private set; }

    public ValueTask OnCreatedAsync(UploadInfo info)
    {
        if (_location is null || TryCreateResponse(_responses.CreatedInterimHeaders(_location, info.Expires)) is not { } announcement)
        {
            return ValueTask.CompletedTask;
        }

        HasSent = true;
        return WaitAsync(_sender.SendAsync(announcement));
    }

    public void OnDurable(long durableOffset)
    {
        if (!_reportsProgress || _sender.IsSending || (_lastReportTimestamp is { } last && _time.GetElapsedTime(last) < _interval))
        {
            return;
        }

        _lastReportTimestamp = _time.GetTimestamp();
        if (TryCreateResponse(_responses.ProgressInterimHeaders(durableOffset)) is { } progress)
        {
            HasSent = true;
            _sender.TryStartSend(progress);
        }
    }

    public ValueTask FlushAsync() => WaitAsync(_sender.DrainAsync());

    /// <summary>
    /// Waits until interim responses are sent. Aborts the connection if this takes longer than 10 seconds, because the client does not read them. They are
    /// written without the knowledge of the server, so its minimum data rate does not apply.
    /// </summary>
    private async ValueTask WaitAsync(ValueTask sending)
    {
        try
        {
            await sending.AsTask().WaitAsync(DrainTimeout, _time);
        }
        catch (TimeoutException)
        {
            _context.Abort();
        }
    }

    private static InterimResponse? TryCreateResponse(IEnumerable<KeyValuePair<string, string>> headers) =>
        InterimResponse.TryCreate([.. headers.Select(static header => (header.Key, header.Value))]);
}
