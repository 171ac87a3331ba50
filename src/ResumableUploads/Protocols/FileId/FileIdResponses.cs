using System.Globalization;
using System.Text;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads.Protocols.FileId;

/// <summary>The answers of the file-id protocol: one table from outcomes to responses (rules F-4 to F-10).</summary>
internal static class FileIdResponses
{
    public static HttpResponseData ForStatus(UploadInfo? info) => ForOffset(info?.Offset ?? 0, info is { State: not UploadState.Receiving });

    private static HttpResponseData ForOffset(long offset, bool isComplete)
    {
        string number = FormatNumber(offset);
        return new HttpResponseData(200)
        {
            Headers =
            [
                new("Cache-Control", "no-store"),
                new(FileIdHeaders.StartByte, number),
                new(FileIdHeaders.UploadComplete, isComplete ? "true" : "false"),
            ],
            ContentType = "text/plain",
            Body = Encoding.ASCII.GetBytes(number),
        };
    }

    public static HttpResponseData For(UploadResult result) => result.Kind switch
    {
        UploadResultKind.Appended => ForOffset(result.Offset ?? 0, isComplete: false),
        UploadResultKind.Completed or UploadResultKind.Replayed => ForCompletion(result),
        UploadResultKind.Cancelled => new HttpResponseData(204) { Headers = [new("Cache-Control", "no-store")] },
        UploadResultKind.HandlerFailed when result.Response is { } answer => FromStoredResponse(StoredResponse.FromBytes(answer), result, isComplete: false),
        _ => ForError(result),
    };

    /// <summary>The problem for an outcome that is none of the good ones.</summary>
    public static Problem ProblemFor(UploadResult result)
    {
        (int status, string type, string title, string detail) = result.Kind switch
        {
            UploadResultKind.OffsetMismatch or UploadResultKind.NotFound => (409, Problem.OffsetMismatchType, "Mismatching upload offset",
                "The server holds another number of bytes. Go on from expected-offset, or delete the upload to start again."),
            UploadResultKind.AlreadyComplete => (409, Problem.CustomType("upload-complete"), "The upload is complete",
                "Nothing can be appended any more. Send an empty body at the full size to get the stored answer, or delete the upload to start again."),
            UploadResultKind.Preempted => (409, Problem.CustomType("taken-over"), "Taken over",
                "Another request continues this upload. What was sent is kept. Do not retry by itself: two senders would take turns for ever."),
            UploadResultKind.LengthConflict => (400, Problem.LengthConflictType, "Inconsistent upload length",
                "X-File-Size is not the size that this upload began with, or less than what is there."),
            UploadResultKind.LengthExceeded => (413, Problem.CustomType("upload-length-exceeded"), "More bytes than the upload length",
                "The body goes past X-File-Size. Send what is missing, and no more."),
            UploadResultKind.ReprDigestMismatch => (400, Problem.CustomType("digest-mismatch"), "The digest does not match",
                "All bytes are there, and they are not what the digest of the whole says. Delete the upload and send it again."),
            UploadResultKind.DigestMismatch or UploadResultKind.DigestMissing => (400, Problem.CustomType("digest-mismatch"), "The digest does not match",
                "The bytes are not what the digest says. Nothing of this request counts; send it again from the same start byte."),
            UploadResultKind.DigestUnsupported => (413, Problem.CustomType("digest-too-large"), "Too much to check at once",
                "The body is larger than what can be held back until its digest is verified. Send smaller pieces, or no digest."),
            UploadResultKind.Interrupted => (400, Problem.CustomType("interrupted"), "The body was cut off",
                "What arrived is kept, unless the request had a digest. Ask for the status and go on from there."),
            UploadResultKind.IdleTimeout => (408, Problem.CustomType("idle"), "No bytes came for too long",
                "What arrived is kept, unless the request had a digest. Ask for the status and go on from there."),
            UploadResultKind.BelowMinDataRate => (408, Problem.CustomType("too-slow"), "The bytes came too slowly",
                "What arrived is kept, unless the request had a digest. Ask for the status and go on from there."),
            UploadResultKind.ShuttingDown => (503, Problem.CustomType("shutting-down"), "The server is restarting",
                "What arrived is kept, unless the request had a digest. Ask for the status in a moment and go on from there."),
            UploadResultKind.Busy => (503, Problem.CustomType("busy"), "The upload is being changed",
                "Another server process works on this upload. Try again in a moment."),
            UploadResultKind.HandlerRunning => (503, Problem.CustomType("still-completing"), "The upload is being processed",
                "All bytes are there. Ask again later with an empty body at the full size."),
            UploadResultKind.HandlerFailed => (503, Problem.CustomType("handler-failed"), "Processing failed",
                "All bytes are safe. Ask again later with an empty body at the full size; nothing has to be sent twice."),
            UploadResultKind.ConcatenationNotAppendable => (403, Problem.CustomType("joined"), "The upload is joined from others", "Nothing can be appended to it."),
            UploadResultKind.PartNotFound => (400, Problem.CustomType("part-missing"), "A part is missing", "An upload that is to be joined is not there, or is no part."),
            _ => CommonProblems.Describe(result),
        };
        bool mismatch = result.Kind is UploadResultKind.OffsetMismatch or UploadResultKind.NotFound;
        return new Problem(status, type, title, detail)
        {
            ExpectedOffset = result.Kind == UploadResultKind.NotFound ? 0 : result.Offset,
            ProvidedOffset = mismatch ? result.ProvidedOffset : null,
        };
    }

    private static HttpResponseData ForError(UploadResult result)
    {
        Problem problem = ProblemFor(result);
        var headers = new List<KeyValuePair<string, string>>();
        if (problem.ExpectedOffset is { } offset)
        {
            headers.Add(new(FileIdHeaders.StartByte, FormatNumber(offset)));
        }

        if (result.Kind == UploadResultKind.AlreadyComplete)
        {
            headers.Add(new(FileIdHeaders.UploadComplete, "true"));
        }

        if (RetryAfter.GetSeconds(result.Kind) is { } seconds)
        {
            headers.Add(new("Retry-After", FormatNumber(seconds)));
        }

        return problem.ToResponse(headers);
    }

    private static HttpResponseData ForCompletion(UploadResult result) =>
        result.Response is { } answer
            ? FromStoredResponse(StoredResponse.FromBytes(answer), result, isComplete: true)
            : ForOffset(result.Offset ?? 0, isComplete: true);

    private static HttpResponseData FromStoredResponse(StoredResponse storedResponse, UploadResult result, bool isComplete) => new(storedResponse.StatusCode)
    {
        // What the application says of its own answer goes before what is said for all.
        Headers =
        [
            .. storedResponse.Headers.Any(static header => header.Key.Equals("Cache-Control", StringComparison.OrdinalIgnoreCase))
                ? (KeyValuePair<string, string>[])[]
                : [new("Cache-Control", "no-store")],
            .. storedResponse.Headers.Where(static header => !header.Key.Equals("Content-Type", StringComparison.OrdinalIgnoreCase)),
            new(FileIdHeaders.StartByte, FormatNumber(result.Offset ?? 0)),
            new(FileIdHeaders.UploadComplete, isComplete ? "true" : "false"),
        ],
        ContentType = storedResponse.ContentType,
        Body = storedResponse.Body,
    };

    private static string FormatNumber(long value) => value.ToString(CultureInfo.InvariantCulture);
}
