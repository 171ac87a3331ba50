using Microsoft.AspNetCore.Http;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Protocols.Ietf;

namespace ResumableUploads;

/// <summary>
/// Tells a client of the IETF draft by interim responses where its upload is, and at a bounded rate how much of it is durable
///
/// </summary>
internal sealed class InterimFeed : IAppendWatch
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly HttpContext _context;
    private readonly InterimSender _sender;
    private readonly IetfAnswers _answers;
    private readonly string? _location;
    private readonly bool _hasProgress;
    private readonly TimeProvider _time;
    private readonly TimeSpan _interval;
    private long? _lastTold;

    private InterimFeed(
        HttpContext context, InterimSender sender, IetfAnswers answers, string? location, bool hasProgress, TimeProvider time, TimeSpan interval) =>
        (_context, _sender, _answers, _location, _hasProgress, _time, _interval) = (context, sender, answers, location, hasProgress, time, interval);

    /// <summary>The feed for a request, or null where nothing may be said before its answer.</summary>
    /// <param name="context">The request.</param>
    /// <param name="answers">What is said.</param>
    /// <param name="location">Where the upload is, for a creation: an append never tells it .</param>
    /// <param name="options">Whether, and how often.</param>
    /// <param name="time">The clock.</param>
    public static InterimFeed? For(HttpContext context, IetfAnswers answers, string? location, ResumableUploadOptions options, TimeProvider time)
    {
        bool isWanted = answers.Announced is not null && options.Ietf.InterimResponses switch
        {
            InterimResponses.Auto => !ProxySigns.AreIn(context.Request.Headers),
            InterimResponses.Always => true,
            _ => false,
        };
        return isWanted && InterimSender.For(context) is { } sender
            ? new InterimFeed(context, sender, answers, location, answers.Announced!.HasProgress, time, options.Timeouts.ProgressInterval)
            : null;
    }

    public ValueTask CreatedAsync(UploadInfo info) =>
        _location is not null && Response(_answers.Announcement(_location, info.Expires)) is { } announcement
            ? _sender.SendAsync(announcement)
            : ValueTask.CompletedTask;

    public void Committed(long durableOffset)
    {
        if (!_hasProgress || _sender.IsBusy || (_lastTold is { } last && _time.GetElapsedTime(last) < _interval))
        {
            return;
        }

        _lastTold = _time.GetTimestamp();
        if (Response(_answers.Progress(durableOffset)) is { } progress)
        {
            _sender.Post(progress);
        }
    }

    /// <summary>Who reads so little that not even this gets through, gets no answer: the upload must not wait for it.</summary>
    public async ValueTask DrainAsync()
    {
        try
        {
            await _sender.DrainAsync().AsTask().WaitAsync(Patience, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            _context.Abort();
        }
    }

    private static InterimResponse? Response(IEnumerable<KeyValuePair<string, string>> headers) =>
        InterimResponse.TryCreate([.. headers.Select(static header => (header.Key, header.Value))]);
}
