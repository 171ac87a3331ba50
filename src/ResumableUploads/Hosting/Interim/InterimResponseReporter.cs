using Microsoft.AspNetCore.Http;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Protocols.Ietf;

namespace ResumableUploads.Hosting.Interim;

/// <summary>
/// Tells a client of the IETF draft by interim responses where its upload is, and at a bounded rate how much of it is durable
///
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
        HttpContext context, InterimResponseSender sender, IetfResponses answers, string? location, bool hasProgress, TimeProvider time, TimeSpan interval) =>
        (_context, _sender, _responses, _location, _reportsProgress, _time, _interval) = (context, sender, answers, location, hasProgress, time, interval);

    /// <summary>The feed for a request, or null where nothing may be said before its answer.</summary>
    /// <param name="context">The request.</param>
    /// <param name="answers">What is said.</param>
    /// <param name="location">Where the upload is, for a creation: an append never tells it .</param>
    /// <param name="options">Whether, and how often.</param>
    /// <param name="time">The clock.</param>
    public static InterimResponseReporter? TryCreate(HttpContext context, IetfResponses answers, string? location, ResumableUploadOptions options, TimeProvider time)
    {
        bool isWanted = answers.AnnouncedVersion is not null && options.Ietf.InterimResponses switch
        {
            InterimResponses.Auto => !ProxyHeaders.ArePresent(context.Request.Headers),
            InterimResponses.Always => true,
            _ => false,
        };
        return isWanted && InterimResponseSender.TryCreate(context) is { } sender
            ? new InterimResponseReporter(context, sender, answers, location, answers.AnnouncedVersion!.SendsProgress, time, options.Timeouts.ProgressInterval)
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

    /// <summary>Who reads so little that not even this gets through, gets no answer: the upload must not wait for it.</summary>
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
