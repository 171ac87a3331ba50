using System.Globalization;
using System.Text;
using ResumableUploads.Engine;

namespace ResumableUploads.Protocols.FileId;

/// <summary>The answers of the file-id protocol: one table from outcomes to responses (rules F-4 to F-10).</summary>
internal static class FileIdAnswers
{
    public static HttpAnswer Status(UploadStatus status)
    {
        string number = Number(status.Offset);
        return new HttpAnswer(200)
        {
            Headers =
            [
                new("Cache-Control", "no-store"),
                new(FileIdHeaders.StartByte, number),
                new(FileIdHeaders.UploadComplete, status.IsComplete ? "true" : "false"),
            ],
            ContentType = "text/plain",
            Body = Encoding.ASCII.GetBytes(number),
        };
    }

    public static HttpAnswer For(UploadOutcome outcome) => outcome.Kind switch
    {
        OutcomeKind.Appended => Status(new UploadStatus(true, outcome.Offset ?? 0, outcome.UploadLength, IsComplete: false)),
        OutcomeKind.Completed => Completed(outcome),
        OutcomeKind.Cancelled => new HttpAnswer(204) { Headers = [new("Cache-Control", "no-store")] },
        OutcomeKind.HandlerFailed when outcome.Answer is { } answer => WithAnswer(StoredAnswer.From(answer), outcome, isComplete: false),
        _ => Error(outcome),
    };

    /// <summary>The problem for an outcome that is none of the good ones.</summary>
    public static Problem ProblemFor(UploadOutcome outcome)
    {
        (int status, string type, string title, string detail) = outcome.Kind switch
        {
            OutcomeKind.OffsetMismatch or OutcomeKind.NotFound => (409, Problem.OffsetMismatch, "Mismatching upload offset",
                "The server holds another number of bytes. Go on from expected-offset, or delete the upload to start again."),
            OutcomeKind.AlreadyComplete => (409, Problem.Own("upload-complete"), "The upload is complete",
                "Nothing can be appended any more. Send an empty body at the full size to get the stored answer, or delete the upload to start again."),
            OutcomeKind.TakenOver => (409, Problem.Own("taken-over"), "Taken over",
                "Another request continues this upload. What was sent is kept. Do not retry by itself: two senders would take turns for ever."),
            OutcomeKind.LengthConflict => (400, Problem.LengthConflict, "Inconsistent upload length",
                "X-File-Size is not the size that this upload began with, or less than what is there."),
            OutcomeKind.LengthExceeded => (413, Problem.Own("upload-length-exceeded"), "More bytes than the upload length",
                "The body goes past X-File-Size. Send what is missing, and no more."),
            OutcomeKind.DigestMismatch when outcome.IsWholeWrong => (400, Problem.Own("digest-mismatch"), "The digest does not match",
                "All bytes are there, and they are not what the digest of the whole says. Delete the upload and send it again."),
            OutcomeKind.DigestMismatch => (400, Problem.Own("digest-mismatch"), "The digest does not match",
                "The bytes are not what the digest says. Nothing of this request counts; send it again from the same start byte."),
            OutcomeKind.DigestUnsupported => (413, Problem.Own("digest-too-large"), "Too much to check at once",
                "The body is larger than what can be held back until its digest is verified. Send smaller pieces, or no digest."),
            OutcomeKind.Interrupted => (400, Problem.Own("interrupted"), "The body was cut off",
                "What arrived is kept, unless the request had a digest. Ask for the status and go on from there."),
            OutcomeKind.Idle => (408, Problem.Own("idle"), "No bytes came for too long",
                "What arrived is kept, unless the request had a digest. Ask for the status and go on from there."),
            OutcomeKind.TooSlow => (408, Problem.Own("too-slow"), "The bytes came too slowly",
                "What arrived is kept, unless the request had a digest. Ask for the status and go on from there."),
            OutcomeKind.ShuttingDown => (503, Problem.Own("shutting-down"), "The server is restarting",
                "What arrived is kept, unless the request had a digest. Ask for the status in a moment and go on from there."),
            OutcomeKind.Busy => (503, Problem.Own("busy"), "The upload is being changed",
                "Another server process works on this upload. Try again in a moment."),
            OutcomeKind.StillCompleting => (503, Problem.Own("still-completing"), "The upload is being processed",
                "All bytes are there. Ask again later with an empty body at the full size."),
            OutcomeKind.HandlerFailed => (503, Problem.Own("handler-failed"), "Processing failed",
                "All bytes are safe. Ask again later with an empty body at the full size; nothing has to be sent twice."),
            OutcomeKind.IsJoined => (403, Problem.Own("joined"), "The upload is joined from others", "Nothing can be appended to it."),
            OutcomeKind.PartMissing => (400, Problem.Own("part-missing"), "A part is missing", "An upload that is to be joined is not there, or is no part."),
            _ => WordsForAll.Of(outcome),
        };
        bool mismatch = outcome.Kind is OutcomeKind.OffsetMismatch or OutcomeKind.NotFound;
        return new Problem(status, type, title, detail)
        {
            ExpectedOffset = outcome.Kind == OutcomeKind.NotFound ? 0 : outcome.Offset,
            ProvidedOffset = mismatch ? outcome.ProvidedOffset : null,
        };
    }

    private static HttpAnswer Error(UploadOutcome outcome)
    {
        Problem problem = ProblemFor(outcome);
        var headers = new List<KeyValuePair<string, string>>();
        if (problem.ExpectedOffset is { } offset)
        {
            headers.Add(new(FileIdHeaders.StartByte, Number(offset)));
        }

        if (outcome.Kind == OutcomeKind.AlreadyComplete)
        {
            headers.Add(new(FileIdHeaders.UploadComplete, "true"));
        }

        if (RetryAfter.For(outcome.Kind) is { } seconds)
        {
            headers.Add(new("Retry-After", Number(seconds)));
        }

        return problem.ToAnswer(headers);
    }

    private static HttpAnswer Completed(UploadOutcome outcome) =>
        outcome.Answer is { } answer
            ? WithAnswer(StoredAnswer.From(answer), outcome, isComplete: true)
            : Status(new UploadStatus(true, outcome.Offset ?? 0, outcome.UploadLength, IsComplete: true));

    private static HttpAnswer WithAnswer(StoredAnswer answer, UploadOutcome outcome, bool isComplete) => new(answer.StatusCode)
    {
        // What the application says of its own answer goes before what is said for all.
        Headers =
        [
            .. answer.Headers.Any(static header => header.Key.Equals("Cache-Control", StringComparison.OrdinalIgnoreCase))
                ? (KeyValuePair<string, string>[])[]
                : [new("Cache-Control", "no-store")],
            .. answer.Headers.Where(static header => !header.Key.Equals("Content-Type", StringComparison.OrdinalIgnoreCase)),
            new(FileIdHeaders.StartByte, Number(outcome.Offset ?? 0)),
            new(FileIdHeaders.UploadComplete, isComplete ? "true" : "false"),
        ],
        ContentType = answer.ContentType,
        Body = answer.Body,
    };

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
