using Microsoft.AspNetCore.Http;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Protocols.Ietf;

namespace ResumableUploads.Hosting.Interim;

/// <summary>
/// Announces a new upload and reports its durable offset to a client of the IETF draft, in interim responses at a limited rate
/// (draft-ietf-httpbis-resumable-upload-12, section 5). See docs/protocols/ietf.md#interim-responses.
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
    private long? _lastReported;

    private InterimResponseReporter(
        HttpContext context, InterimResponseSender sender, IetfResponses responses, string? location, TimeProvider time, TimeSpan interval) =>
        (_context, _sender, _responses, _location, _reportsProgress, _time, _interval) =
            (context, sender, responses, location, responses.AnnouncedVersion!.SendsProgress, time, interval);

    /// <summary>Creates the reporter of a request, or returns null if the request must not get interim responses.</summary>
    /// <param name="context">The request.</param>
    /// <param name="responses">The responses in the version of the request.</param>
    /// <param name="location">The upload URL for a creation. Null for an append, which must not announce it (draft -12, section 4.4).</param>
    /// <param name="options">The options with the mode and the interval of interim responses.</param>
    /// <param name="time">The clock for the interval.</param>
    public static InterimResponseReporter? TryCreate(HttpContext context, IetfResponses responses, string? location, ResumableUploadOptions options, TimeProvider time)
    {
        bool isEnabled = responses.AnnouncedVersion is not null && options.Ietf.InterimResponses switch
        {
            InterimResponses.Auto => !ProxyHeaders.ArePresent(context.Request.Headers),
            InterimResponses.Always => true,
            _ => false,
        };
        return isEnabled && InterimResponseSender.TryCreate(context) is { } sender
            ? new InterimResponseReporter(context, sender, responses, location, time, options.Timeouts.ProgressInterval)
            : null;
    }

    public ValueTask OnCreatedAsync(UploadInfo info) =>
        _location is not null && TryCreateResponse(_responses.CreatedInterimHeaders(_location, info.Expires)) is { } announcement
            ? _sender.SendAsync(announcement)
            : ValueTask.CompletedTask;

    public void OnDurable(long durableOffset)
    {
        if (!_reportsProgress || _sender.IsSending || (_lastReported is { } last && _time.GetElapsedTime(last) < _interval))
        {
            return;
        }

        _lastReported = _time.GetTimestamp();
        if (TryCreateResponse(_responses.ProgressInterimHeaders(durableOffset)) is { } progress)
        {
            _sender.TryStartSend(progress);
        }
    }

    /// <summary>Waits until pending interim responses are sent. Aborts the connection if the client does not read them in time.</summary>
    public async ValueTask FlushAsync()
    {
        try
        {
            await _sender.DrainAsync().AsTask().WaitAsync(DrainTimeout, _time);
        }
        catch (TimeoutException)
        {
            _context.Abort();
        }
    }

    private static InterimResponse? TryCreateResponse(IEnumerable<KeyValuePair<string, string>> headers) =>
        InterimResponse.TryCreate([.. headers.Select(static header => (header.Key, header.Value))]);
}
