using System.Globalization;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads.Protocols.Ietf;

/// <summary>
/// The answers to one request of the draft: a table from outcomes to responses, in the dialect of its version (R-32, R-45, R-49, R-60 to R-64,
///
/// </summary>
/// <param name="version">The version that the request speaks.</param>
/// <param name="isAnnounced">Whether its client has named that.</param>
/// <param name="limits">The server's limits.</param>
/// <param name="expiration">How long a new upload is kept.</param>
/// <param name="time">For the time that is left.</param>
internal sealed class IetfAnswers(IetfVersion version, bool isAnnounced, IetfLimits limits, TimeSpan expiration, TimeProvider time)
{
    /// <summary>The version that the client has named, and so knows interim responses; null: none .</summary>
    public IetfVersion? Announced => isAnnounced ? version : null;

    /// <summary>What interim responses tell of a new upload .</summary>
    public IEnumerable<KeyValuePair<string, string>> Announcement(string location, DateTimeOffset? expires) =>
        [new("Location", location), .. Limit(Left(expires)), Echo];

    /// <summary>What interim responses tell of the progress .</summary>
    public IEnumerable<KeyValuePair<string, string>> Progress(long offset) => [new(IetfHeaders.Offset, Number(offset)), Echo];

    /// <summary>What the server says of itself, beside what other protocols do .</summary>
    public IEnumerable<KeyValuePair<string, string>> Support =>
        [new("Accept-Patch", IetfHeaders.PartialUpload), .. Limit(expiration)];

    public HttpAnswer For(Problem problem, bool isUpload) => problem.ToAnswer(
    [
        .. problem.Status switch
        {
            405 => [new("Allow", IetfParser.Allow(isUpload, version))],
            415 => [new("Accept-Patch", IetfHeaders.PartialUpload)],
            _ => problem.IsLimit ? Limit(expiration) : [],
        },
        .. Version,
    ]);

    public HttpAnswer Status(UploadStatus status)
    {
        if (!status.Exists)
        {
            return Error(new UploadOutcome(OutcomeKind.NotFound), null);
        }

        // Complete is what has a final response. While all bytes are there and the application has not answered, an empty last
        // append asks for that answer.
        bool isComplete = status.Info is { State: UploadState.Completed };
        return new HttpAnswer(204)
        {
            Headers =
            [
                NoStore,
                .. State(status.Offset, isComplete),
                .. status.UploadLength is { } length ? (KeyValuePair<string, string>[])[new(IetfHeaders.Length, Number(length))] : [],
                .. Limit(Left(status.Info?.Expires)),
                .. Version,
            ],
        };
    }

    public HttpAnswer Created(UploadOutcome outcome, string location) => outcome.Kind switch
    {
        OutcomeKind.Appended => new HttpAnswer(201)
        {
            Headers = [new("Location", location), NoStore, .. State(outcome.Offset, false), .. Limit(Left(outcome.Expires)), .. Version],
        },
        _ => Ended(outcome, location),
    };

    public HttpAnswer Appended(UploadOutcome outcome, string location) => outcome.Kind switch
    {
        OutcomeKind.Appended => new HttpAnswer(version.AppendedStatus) { Headers = [NoStore, .. State(outcome.Offset, false), .. Version] },
        _ => Ended(outcome, location),
    };

    public HttpAnswer Cancelled(UploadOutcome outcome) => outcome.Kind switch
    {
        OutcomeKind.Cancelled when outcome.Offset is not null => new HttpAnswer(204) { Headers = [NoStore, .. Version] },
        OutcomeKind.Cancelled => Error(new UploadOutcome(OutcomeKind.NotFound), null),
        _ => Error(outcome, null),
    };

    /// <summary>For what is neither kept and goes on, nor cancelled. Where the application says nothing of its own, the upload is what was made.</summary>
    public HttpAnswer Ended(UploadOutcome outcome, string location) => outcome.Kind switch
    {
        OutcomeKind.Completed when outcome.IsReplay && version.FinishedEmpty is { } refused => Refuse(refused, outcome),
        OutcomeKind.Completed when outcome.Answer is null => new HttpAnswer(201)
        {
            Headers = [new("Location", location), NoStore, .. State(outcome.Offset, true), .. Version],
        },
        OutcomeKind.Completed or OutcomeKind.HandlerFailed when outcome.Answer is { } answer => FromApplication(StoredAnswer.From(answer), outcome.Offset),
        OutcomeKind.AlreadyComplete => Refuse(version.FinishedContent, outcome),
        _ => Error(outcome, outcome.IsCreated ? location : null),
    };

    /// <summary>The problem for an outcome that is none of the good ones.</summary>
    public static Problem ProblemFor(UploadOutcome outcome)
    {
        (int status, string type, string title, string detail) = outcome.Kind switch
        {
            OutcomeKind.OffsetMismatch => (409, Problem.OffsetMismatch, "Mismatching Upload Offset",
                "The server holds another number of bytes. Go on from Upload-Offset."),
            OutcomeKind.LengthConflict => (400, Problem.LengthConflict, "Inconsistent Upload Length Values",
                "The length of the upload is not the one that is known already, or the last content ends before it."),
            OutcomeKind.LengthExceeded => (400, Problem.LengthConflict, "Inconsistent Upload Length Values",
                "The content goes past the length of the upload."),
            OutcomeKind.DigestMismatch when outcome.IsWholeWrong => (400, Problem.Own("digest-mismatch"), "The digest does not match",
                "All bytes are there, and they are not what the digest of the whole says. Delete the upload and send it again."),
            OutcomeKind.DigestMismatch => (400, Problem.Own("digest-mismatch"), "The digest does not match",
                "The bytes are not what the digest says. Nothing of this request counts; send it again from the same offset."),
            OutcomeKind.DigestUnsupported => (413, Problem.Own("digest-too-large"), "Too much to check at once",
                "The content is larger than what can be held back until its digest is verified. Send smaller parts, or no Content-Digest."),
            OutcomeKind.Busy => (503, Problem.Own("busy"), "The upload is being changed",
                "Another server process works on this upload. Try again in a moment."),
            OutcomeKind.StillCompleting => (503, Problem.Own("still-completing"), "The upload is being processed",
                "All bytes are there. Ask again later with an empty last append at the full length."),
            OutcomeKind.HandlerFailed => (503, Problem.Own("handler-failed"), "Processing failed",
                "All bytes are safe. Ask again later with an empty last append at the full length; nothing has to be sent twice."),
            _ => WordsForUrls.Of(outcome),
        };
        return new Problem(status, type, title, detail)
        {
            ExpectedOffset = outcome.Kind == OutcomeKind.OffsetMismatch ? outcome.Offset : null,
            ProvidedOffset = outcome.Kind == OutcomeKind.OffsetMismatch ? outcome.ProvidedOffset : null,
            IsLimit = outcome.Kind is OutcomeKind.TooLarge or OutcomeKind.AppendTooLarge or OutcomeKind.OwnerQuotaExceeded,
        };
    }

    private static KeyValuePair<string, string> NoStore => new("Cache-Control", "no-store");

    private KeyValuePair<string, string> Echo => new(IetfHeaders.Version, Number(version.Interop));

    /// <summary>Customary, and asked for nowhere but in interim responses .</summary>
    private KeyValuePair<string, string>[] Version => isAnnounced ? [Echo] : [];

    private HttpAnswer Error(UploadOutcome outcome, string? location)
    {
        Problem problem = ProblemFor(outcome);

        // Of an upload that has just been invalidated there is nothing to tell any more.
        bool isGone = outcome.Kind is OutcomeKind.NotFound || (outcome.Kind is OutcomeKind.LengthExceeded && version.OvershootInvalidates);
        return problem.ToAnswer(
        [
            .. isGone ? [] : One("Location", location),
            .. isGone || outcome.Offset is null ? [] : State(outcome.Offset, false),
            .. problem.IsLimit ? Limit(expiration) : [],
            .. RetryAfter.For(outcome.Kind) is { } seconds ? One("Retry-After", Number(seconds)) : [],
            .. Version,
        ]);
    }

    /// <summary>That nothing is open any more is said by the problem: completeness would call this the application's answer .</summary>
    private HttpAnswer Refuse(IetfVersion.Refused refused, UploadOutcome outcome) =>
        new Problem(refused.Status, refused.Type, refused.Title, "The upload is finished, and nothing can be appended any more.")
            .ToAnswer([.. State(outcome.Offset, false), .. Version]);

    /// <summary>The application's own answer, whatever it is: it says by itself that it is the one .</summary>
    private HttpAnswer FromApplication(StoredAnswer answer, long? offset) => new(answer.StatusCode)
    {
        Headers =
        [
            .. answer.Headers.Any(static header => Is(header, "Cache-Control")) ? (KeyValuePair<string, string>[])[] : [NoStore],
            .. answer.Headers.Where(static header => !Is(header, "Content-Type")),
            .. State(offset, true),
            .. Version,
        ],
        ContentType = answer.ContentType,
        Body = answer.Body,
    };

    private KeyValuePair<string, string>[] State(long? offset, bool isComplete) =>
        [.. One(IetfHeaders.Offset, offset is { } value ? Number(value) : null), version.Completeness(isComplete)];

    private KeyValuePair<string, string>[] Limit(TimeSpan? left) => One(IetfHeaders.Limit, version.AgeKey is { } key ? limits.Format(key, left) : null);

    private TimeSpan? Left(DateTimeOffset? expires) => expires - time.GetUtcNow();

    private static bool Is(KeyValuePair<string, string> header, string name) => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase);

    private static KeyValuePair<string, string>[] One(string name, string? value) => value is null ? [] : [new(name, value)];

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
