using System.Globalization;
using ResumableUploads.Engine;

namespace ResumableUploads.Protocols.Tus;

/// <summary>The answers of tus 1.0.0: one table from outcomes to responses (T-1, T-10 to T-16, T-21 to T-28, T-36, T-41, T-45, T-51, T-55).</summary>
internal static class TusAnswers
{
    /// <summary>What a finished upload carries that is given back.</summary>
    public static KeyValuePair<string, string>[] OfDownload => [Version];

    /// <summary>What the server says of itself (T-30).</summary>
    public static HttpAnswer Discovery(TusSupport support, bool isUpload) =>
        new(204) { Headers = [Version, .. support.Headers, new("Allow", TusParser.Allow(isUpload)), NoStore] };

    public static HttpAnswer For(Problem problem, TusSupport support, bool isUpload)
    {
        IEnumerable<KeyValuePair<string, string>> more = problem.Status switch
        {
            405 => [new("Allow", TusParser.Allow(isUpload))],
            412 => [new(TusHeaders.Versions, TusHeaders.Version)],
            413 => [new(TusHeaders.MaxSize, Number(support.MaxUploadSize))],
            _ => [],
        };
        return problem.ToAnswer([Version, .. more]);
    }

    public static HttpAnswer Status(UploadStatus status)
    {
        if (!status.Exists)
        {
            return For(new UploadOutcome(OutcomeKind.NotFound));
        }

        UploadData? data = status.Info is { } info ? UploadData.From(info) : null;

        // A final upload has no offset before it is joined: nobody appends to it (T-63).
        bool isWaiting = data is { Join.IsPart: false } && !status.IsComplete;
        return new HttpAnswer(200)
        {
            Headers =
            [
                Version,
                NoStore,
                .. isWaiting ? [] : Offset(status.Offset),
                .. status.UploadLength is { } length ? One(TusHeaders.Length, Number(length))
                    : isWaiting ? [] : One(TusHeaders.DeferLength, "1"),
                .. One(TusHeaders.Metadata, data?.TusMetadata),
                .. One(TusHeaders.Concat, data?.Join?.Raw),
                .. Expiration(status.Expires),
            ],
        };
    }

    public static HttpAnswer Created(UploadOutcome outcome, string location)
    {
        KeyValuePair<string, string>[] headers = [new("Location", location), .. Offset(outcome.Offset), .. Expiration(outcome.Expires)];
        return outcome.Kind switch
        {
            OutcomeKind.Appended => new HttpAnswer(201) { Headers = [Version, NoStore, .. headers] },
            OutcomeKind.Completed => Completed(outcome, 201, headers),
            OutcomeKind.HandlerFailed when outcome.Answer is { } answer => FromApplication(StoredAnswer.From(answer), null, headers),
            _ => outcome.IsCreated ? Error(outcome).With("Location", location) : Error(outcome),
        };
    }

    /// <summary>The answer to a piece, to a termination, and to all that went wrong.</summary>
    public static HttpAnswer For(UploadOutcome outcome) => outcome.Kind switch
    {
        OutcomeKind.Appended => new HttpAnswer(204) { Headers = [Version, NoStore, .. Offset(outcome.Offset), .. Expiration(outcome.Expires)] },
        OutcomeKind.Completed => Completed(outcome, 204, [.. Offset(outcome.Offset)]),
        OutcomeKind.Cancelled when outcome.Offset is not null => new HttpAnswer(204) { Headers = [Version, NoStore] },
        OutcomeKind.Cancelled => Error(new UploadOutcome(OutcomeKind.NotFound)),
        OutcomeKind.HandlerFailed when outcome.Answer is { } answer => FromApplication(StoredAnswer.From(answer), null, [.. Offset(outcome.Offset)]),
        _ => Error(outcome),
    };

    /// <summary>The problem for an outcome that is none of the good ones. Clients of tus give up on every 4xx but 409 and 423.</summary>
    public static Problem ProblemFor(UploadOutcome outcome)
    {
        (int status, string type, string title, string detail) = outcome.Kind switch
        {
            OutcomeKind.OffsetMismatch => (409, Problem.OffsetMismatch, "Mismatching upload offset",
                "The server holds another number of bytes. Go on from Upload-Offset."),
            OutcomeKind.AlreadyComplete => (409, Problem.Own("upload-complete"), "The upload is complete",
                "Nothing can be appended any more."),
            OutcomeKind.LengthConflict => (400, Problem.LengthConflict, "Inconsistent upload length",
                "Upload-Length is not the length that this upload has, or less than what is there."),
            OutcomeKind.LengthExceeded => (413, Problem.Own("upload-length-exceeded"), "More bytes than the upload length",
                "The body goes past Upload-Length. Send what is missing, and no more."),
            OutcomeKind.DigestMismatch when outcome.IsWholeWrong => (460, Problem.Own("digest-mismatch"), "Checksum mismatch",
                "All bytes are there, and they are not what the digest of the whole says. Delete the upload and send it again."),
            OutcomeKind.DigestMismatch when outcome.IsDigestMissing => (400, Problem.Own("bad-checksum"), "Bad request",
                "The trailer has no Upload-Checksum with a known algorithm and its digest in base64. Nothing of this request counts."),
            OutcomeKind.DigestMismatch => (460, Problem.Own("digest-mismatch"), "Checksum mismatch",
                "The bytes are not what the checksum says. Nothing of this request counts; send it again from the same offset."),
            OutcomeKind.DigestUnsupported => (413, Problem.Own("digest-too-large"), "Too much to check at once",
                "The body is larger than what can be held back until its checksum is verified. Send smaller pieces, or no checksum."),
            OutcomeKind.Busy => (423, Problem.Own("busy"), "The upload is being changed",
                "Another server process works on this upload. Try again in a moment."),
            OutcomeKind.StillCompleting => (503, Problem.Own("still-completing"), "The upload is being processed",
                "All bytes are there. Ask again later with an empty piece at the full length."),
            OutcomeKind.HandlerFailed => (503, Problem.Own("handler-failed"), "Processing failed",
                "All bytes are safe. Ask again later with an empty piece at the full length; nothing has to be sent twice."),
            OutcomeKind.IsJoined => (403, Problem.Own("joined"), "The upload is joined from others",
                "Nothing can be appended to a final upload."),
            OutcomeKind.PartMissing => (400, Problem.Own("part-missing"), "A part is missing",
                "A URL in Upload-Concat is not that of a partial upload of yours that is still there. Nothing was made."),
            _ => WordsForUrls.Of(outcome),
        };
        return new Problem(status, type, title, detail)
        {
            ExpectedOffset = outcome.Kind == OutcomeKind.NotFound ? null : outcome.Offset,
            ProvidedOffset = outcome.Kind == OutcomeKind.OffsetMismatch ? outcome.ProvidedOffset : null,
        };
    }

    private static KeyValuePair<string, string> Version => new(TusHeaders.Resumable, TusHeaders.Version);

    private static KeyValuePair<string, string> NoStore => new("Cache-Control", "no-store");

    private static HttpAnswer Error(UploadOutcome outcome)
    {
        Problem problem = ProblemFor(outcome);
        return problem.ToAnswer(
        [
            Version,
            .. Offset(problem.ExpectedOffset),
            .. Expiration(outcome.Expires),
            .. RetryAfter.For(outcome.Kind) is { } seconds ? (KeyValuePair<string, string>[])[new("Retry-After", Number(seconds))] : [],
        ]);
    }

    private static HttpAnswer Completed(UploadOutcome outcome, int withoutBody, KeyValuePair<string, string>[] headers) =>
        outcome.Answer is { } answer
            ? FromApplication(StoredAnswer.From(answer), withoutBody, headers, outcome.IsAnswerLonger)
            : new HttpAnswer(withoutBody) { Headers = [Version, NoStore, .. headers] };

    /// <summary>
    /// The application's answer, said so that clients of tus take it for what it is: its good is 201 for a creation, and 204 or, with a body, 200
    /// for a piece. Location is the upload's own; where the application has one, it is the content's.
    /// </summary>
    private static HttpAnswer FromApplication(StoredAnswer answer, int? good, KeyValuePair<string, string>[] headers, bool isLonger = false)
    {
        int status = (good, answer.StatusCode) switch
        {
            (201, < 400) => 201,
            (204, < 400) => answer.Body.IsEmpty && !isLonger ? 204 : 200,
            _ => answer.StatusCode,
        };
        return new HttpAnswer(status)
        {
            Headers =
            [
                Version,
                NoStore,
                .. answer.Headers.Where(static header => !Is(header, "Content-Type") && !Is(header, "Cache-Control")
                        && !(Is(header, "Content-Location")))
                    .Select(static header => Is(header, "Location") ? new("Content-Location", header.Value) : header),
                .. headers,
            ],
            ContentType = answer.Body.IsEmpty ? null : answer.ContentType,
            Body = answer.Body,
        };
    }

    private static bool Is(KeyValuePair<string, string> header, string name) => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase);

    private static KeyValuePair<string, string>[] One(string name, string? value) => value is null ? [] : [new(name, value)];

    private static KeyValuePair<string, string>[] Offset(long? offset) => offset is { } value ? [new(TusHeaders.Offset, Number(value))] : [];

    /// <summary>As an IMF-fixdate (T-45).</summary>
    private static KeyValuePair<string, string>[] Expiration(DateTimeOffset? expires) =>
        expires is { } at ? [new(TusHeaders.Expires, at.ToString("R", CultureInfo.InvariantCulture))] : [];

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
