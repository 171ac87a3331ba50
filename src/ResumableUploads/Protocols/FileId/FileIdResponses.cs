using System.Globalization;
using System.Text;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads.Protocols.FileId;

/// <summary>Maps engine results to responses of the file-id protocol. See docs/protocols/file-id.md#responses and #errors.</summary>
internal static class FileIdResponses
{
    private static readonly Problem RangeExceeded = new(400, Problem.CustomType("bad-content-range"), "Invalid request header",
        "The request body is longer than the range in Content-Range. The bytes of the range were stored, unless the request had a digest.");

    private const string KeptDetail = "Request the status and continue at the offset. The received bytes were stored, unless the request had a digest.";

    /// <summary>Gets the response to a request that follows an upload that does not exist. In a status request, such an upload has the offset 0.</summary>
    public static HttpResponseData UploadNotFound { get; } = new Problem(404, Problem.CustomType("not-found"), "The upload does not exist",
        "It was not created, has been removed, or belongs to another user. Create the upload first, then follow it.").ToResponse();

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

    /// <summary>Returns the response to an append or a cancellation.</summary>
    /// <param name="result">The result.</param>
    /// <param name="rangeLength">The length of the range in <c>Content-Range</c>, in bytes, or null.</param>
    public static HttpResponseData For(UploadResult result, long? rangeLength) =>
        result.Kind == UploadResultKind.AppendTooLarge && result.MaxBodyLength == rangeLength ? ForError(result, RangeExceeded with { ExpectedOffset = result.Offset })
            : For(result);

    public static HttpResponseData For(UploadResult result) => result.Kind switch
    {
        UploadResultKind.Appended => ForOffset(result.Offset ?? 0, isComplete: false),
        UploadResultKind.Completed or UploadResultKind.Replayed => ForCompletion(result).WithReplayedHeader(result),
        UploadResultKind.Cancelled => new HttpResponseData(204) { Headers = [new("Cache-Control", "no-store")] },
        UploadResultKind.HandlerFailed when result.Response is { } response => FromStoredResponse(StoredResponse.FromBytes(response), result, isComplete: false),
        _ => ForError(result),
    };

    /// <summary>Creates the problem that describes a failed result.</summary>
    public static Problem CreateProblem(UploadResult result)
    {
        (int status, string type, string title, string detail) = result.Kind switch
        {
            UploadResultKind.OffsetMismatch or UploadResultKind.NotFound => (409, Problem.OffsetMismatchType, Problem.OffsetMismatchTitle,
                "Continue at the offset in expected-offset, or delete the upload to start over."),
            UploadResultKind.AlreadyComplete => (409, Problem.CustomType("upload-complete"), "The upload is complete",
                "A complete upload accepts no more bytes. Send an empty body with X-Start-Byte equal to the file size to get the stored response, or delete the upload to start over."),
            UploadResultKind.Preempted => (409, Problem.CustomType("taken-over"), "The request was preempted",
                "Another request continues this upload. The received bytes were stored, unless the request had a digest of its content. "
                + "Do not retry automatically: two clients would preempt each other forever."),
            UploadResultKind.LengthConflict => (400, Problem.LengthConflictType, Problem.LengthConflictTitle,
                "X-File-Size differs from the known size of the upload, or is less than its offset. Send the correct size, or delete the upload to start over."),
            UploadResultKind.LengthExceeded => (413, Problem.CustomType("upload-length-exceeded"), "The upload length is exceeded",
                "The request body extends beyond X-File-Size. Send only the missing bytes."),
            UploadResultKind.ReprDigestMismatch => (400, Problem.CustomType("digest-mismatch"), CommonProblems.DigestMismatchTitle,
                "The stored bytes do not match Repr-Digest. Delete the upload and send the file again."),
            UploadResultKind.DigestMismatch or UploadResultKind.DigestMissing => (400, Problem.CustomType("digest-mismatch"), CommonProblems.DigestMismatchTitle,
                "The digest of the request body is missing or does not match, and the body was discarded. Send it again with a correct digest at the same offset."),
            UploadResultKind.DigestUnsupported => (413, Problem.CustomType("digest-too-large"), CommonProblems.TooLargeToVerifyTitle,
                "The request body is larger than the server can verify before storing it. Send smaller chunks, or omit Content-Digest."),
            UploadResultKind.Interrupted => (400, Problem.CustomType("interrupted"), "The request body was interrupted", KeptDetail),
            UploadResultKind.IdleTimeout => (408, Problem.CustomType("idle"), "The request body timed out", KeptDetail),
            UploadResultKind.BelowMinDataRate => (408, Problem.CustomType("too-slow"), "The request body was too slow", KeptDetail),
            UploadResultKind.ShuttingDown => (503, Problem.CustomType("shutting-down"), "The server is shutting down", KeptDetail),
            UploadResultKind.Busy => (503, Problem.CustomType("busy"), "The upload is locked",
                CommonProblems.LockedDetail),
            UploadResultKind.HandlerRunning => (503, Problem.CustomType("still-completing"), "The upload is being processed",
                "All bytes are stored. Later, send an empty body with X-Start-Byte equal to the file size to get the response."),
            UploadResultKind.HandlerFailed => (503, Problem.CustomType("handler-failed"), "Processing of the upload failed",
                "All bytes are stored. Later, send an empty body with X-Start-Byte equal to the file size to process the upload again."),
            UploadResultKind.ConcatenationNotAppendable => (403, Problem.CustomType("joined"), "The upload is a final upload",
                "It consists of other uploads and accepts no more bytes."),
            UploadResultKind.PartNotFound => (400, Problem.CustomType("part-missing"), "A partial upload does not exist",
                "Each upload to concatenate must be one of your partial uploads."),
            _ => CommonProblems.Describe(result),
        };
        bool mismatch = result.Kind is UploadResultKind.OffsetMismatch or UploadResultKind.NotFound;
        return new Problem(status, type, title, detail)
        {
            ExpectedOffset = result.Kind == UploadResultKind.NotFound ? 0 : result.Offset,
            ProvidedOffset = mismatch ? result.ProvidedOffset : null,
        };
    }

    private static HttpResponseData ForError(UploadResult result) => ForError(result, CreateProblem(result));

    private static HttpResponseData ForError(UploadResult result, Problem problem)
    {
        var headers = new List<KeyValuePair<string, string>>();
        if (problem.ExpectedOffset is { } offset)
        {
            headers.Add(new(FileIdHeaders.StartByte, FormatNumber(offset)));
        }

        if (result.Kind is UploadResultKind.AlreadyComplete or UploadResultKind.DifferentContent)
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
        result.Response is { } response
            ? FromStoredResponse(StoredResponse.FromBytes(response), result, isComplete: true)
            : ForOffset(result.Offset ?? 0, isComplete: true);

    private static HttpResponseData FromStoredResponse(StoredResponse storedResponse, UploadResult result, bool isComplete) => new(storedResponse.StatusCode)
    {
        // A Cache-Control header of the application takes precedence.
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
