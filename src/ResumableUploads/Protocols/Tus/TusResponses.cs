using System.Globalization;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads.Protocols.Tus;

/// <summary>Maps engine results to responses of tus 1.0.0. See docs/protocols/tus.md#status-codes-and-problem-types.</summary>
internal static class TusResponses
{
    /// <summary>Gets the headers that are added to a download.</summary>
    public static KeyValuePair<string, string>[] DownloadHeaders => [VersionHeader];

    /// <summary>Returns the response to an OPTIONS request (tus 1.0.0, Core, OPTIONS).</summary>
    public static HttpResponseData ForDiscovery(TusCapabilities capabilities, bool isUpload) =>
        new(204) { Headers = [VersionHeader, .. capabilities.Headers, new("Allow", TusParser.GetAllowHeader(isUpload)), NoStoreHeader] };

    public static HttpResponseData For(Problem problem, TusCapabilities capabilities, bool isUpload)
    {
        IEnumerable<KeyValuePair<string, string>> more = problem.Status switch
        {
            405 => [new("Allow", TusParser.GetAllowHeader(isUpload))],
            412 => [new(TusHeaders.SupportedVersions, TusHeaders.ProtocolVersion)],
            413 => [new(TusHeaders.MaxSize, FormatNumber(capabilities.MaxUploadSize))],
            _ => [],
        };
        return problem.ToResponse([VersionHeader, .. more]);
    }

    public static HttpResponseData ForStatus(UploadInfo? info)
    {
        if (info is null)
        {
            return For(new UploadResult(UploadResultKind.NotFound));
        }

        EngineRecord record = EngineRecord.From(info);

        // HEAD on a final upload must not return an offset before the parts are concatenated (tus 1.0.0, Concatenation, HEAD).
        bool isPendingConcatenation = record is { Concatenation.IsPart: false } && info.State == UploadState.Receiving;
        return new HttpResponseData(200)
        {
            Headers =
            [
                VersionHeader,
                NoStoreHeader,
                .. isPendingConcatenation ? [] : GetOffsetHeaders(info.Offset),
                .. info.Length is { } length ? GetOptionalHeader(TusHeaders.Length, FormatNumber(length))
                    : isPendingConcatenation ? [] : GetOptionalHeader(TusHeaders.DeferLength, "1"),
                .. GetOptionalHeader(TusHeaders.Metadata, record.ProtocolMetadata),
                .. GetOptionalHeader(TusHeaders.Concat, record.Concatenation?.RawValue),
                .. GetExpirationHeaders(info.State == UploadState.Receiving ? info.Expires : null),
            ],
        };
    }

    /// <summary>
    /// Returns the response to a status request for an upload that has all its bytes and could not be completed. It has no offset. Clients send HEAD again only
    /// after a 423; after a 5xx, they send the whole file again.
    /// </summary>
    public static HttpResponseData ForIncompleteStatus(UploadResult result)
    {
        result = result with { Offset = null };
        Problem problem = CreateProblem(result);
        return ForError(result, result.Kind is UploadResultKind.HandlerFailed or UploadResultKind.HandlerRunning ? problem with { Status = 423 } : problem);
    }

    public static HttpResponseData ForCreation(UploadResult result, string location)
    {
        KeyValuePair<string, string>[] headers = [new("Location", location), .. GetOffsetHeaders(result.Offset), .. GetExpirationHeaders(result.Expires)];
        return result.Kind switch
        {
            UploadResultKind.Appended => new HttpResponseData(201) { Headers = [VersionHeader, NoStoreHeader, .. headers] },
            UploadResultKind.Completed or UploadResultKind.Replayed => ForCompletion(result, 201, headers).WithReplayedHeader(result),
            UploadResultKind.HandlerFailed when result.Response is { } response => FromStoredResponse(StoredResponse.FromBytes(response), null, headers),
            _ => result.IsCreated ? ForError(result).WithHeader("Location", location) : ForError(result),
        };
    }

    /// <summary>Returns the response to an append, a termination, or a failed request.</summary>
    public static HttpResponseData For(UploadResult result) => result.Kind switch
    {
        UploadResultKind.Appended => new HttpResponseData(204) { Headers = [VersionHeader, NoStoreHeader, .. GetOffsetHeaders(result.Offset), .. GetExpirationHeaders(result.Expires)] },
        UploadResultKind.Completed or UploadResultKind.Replayed => ForCompletion(result, 204, [.. GetOffsetHeaders(result.Offset)]).WithReplayedHeader(result),
        UploadResultKind.Cancelled when result.Offset is not null => new HttpResponseData(204) { Headers = [VersionHeader, NoStoreHeader] },
        UploadResultKind.Cancelled => ForError(new UploadResult(UploadResultKind.NotFound)),
        UploadResultKind.HandlerFailed when result.Response is { } response => FromStoredResponse(StoredResponse.FromBytes(response), null, [.. GetOffsetHeaders(result.Offset)]),
        _ => ForError(result),
    };

    /// <summary>Creates the problem that describes a failed result. Clients give up on every 4xx except 409 and 423 (docs/protocols/tus.md#what-clients-do).</summary>
    public static Problem CreateProblem(UploadResult result)
    {
        (int status, string type, string title, string detail) = result.Kind switch
        {
            UploadResultKind.OffsetMismatch => (409, Problem.OffsetMismatchType, Problem.OffsetMismatchTitle,
                "Continue at the offset in Upload-Offset."),
            UploadResultKind.AlreadyComplete => (409, Problem.CustomType("upload-complete"), "The upload is complete",
                "A complete upload accepts no more bytes. Send an empty PATCH with Upload-Offset equal to the upload length to get the stored response."),
            UploadResultKind.LengthConflict => (400, Problem.LengthConflictType, Problem.LengthConflictTitle,
                "Upload-Length differs from the known length of the upload, or is less than its offset. Send the correct length."),
            UploadResultKind.LengthExceeded => (413, Problem.CustomType("upload-length-exceeded"), "The upload length is exceeded",
                "The request body extends beyond Upload-Length. Send only the missing bytes."),
            UploadResultKind.ReprDigestMismatch => (460, Problem.CustomType("digest-mismatch"), CommonProblems.DigestMismatchTitle,
                "The stored bytes do not match Repr-Digest. Delete the upload and send the file again."),
            UploadResultKind.DigestMissing => (400, Problem.CustomType("bad-checksum"), CommonProblems.ChecksumTitle,
                "The Upload-Checksum trailer is missing or invalid, and the request body was discarded. Send it again at the same offset, with a valid trailer."),
            UploadResultKind.DigestMismatch => (460, Problem.CustomType("digest-mismatch"), CommonProblems.DigestMismatchTitle,
                "The request body does not match its checksum and was discarded. Send it again at the same offset."),
            UploadResultKind.DigestUnsupported => (413, Problem.CustomType("digest-too-large"), CommonProblems.TooLargeToVerifyTitle,
                "The request body is larger than the server can verify before storing it. Send smaller chunks, or omit the checksum."),
            UploadResultKind.Busy => (423, Problem.CustomType("busy"), "The upload is locked",
                CommonProblems.LockedDetail),
            UploadResultKind.HandlerRunning => (503, Problem.CustomType("still-completing"), "The upload is being processed",
                "All bytes are stored. Later, send an empty PATCH with Upload-Offset equal to the upload length to get the response."),
            UploadResultKind.HandlerFailed => (503, Problem.CustomType("handler-failed"), "Processing of the upload failed",
                "All bytes are stored. Later, send an empty PATCH with Upload-Offset equal to the upload length to process the upload again."),
            UploadResultKind.ConcatenationNotAppendable => (403, Problem.CustomType("joined"), "The upload is a final upload",
                "A final upload consists of its parts. Append to a partial upload instead."),
            UploadResultKind.PartNotFound => (400, Problem.CustomType("part-missing"), "A partial upload does not exist",
                "Each URL in Upload-Concat must be the URL of one of your partial uploads. No upload was created."),
            _ => UploadUrlProblems.Describe(result),
        };
        return new Problem(status, type, title, detail)
        {
            ExpectedOffset = result.Kind == UploadResultKind.NotFound ? null : result.Offset,
            ProvidedOffset = result.Kind == UploadResultKind.OffsetMismatch ? result.ProvidedOffset : null,
        };
    }

    private static KeyValuePair<string, string> VersionHeader => new(TusHeaders.Resumable, TusHeaders.ProtocolVersion);

    private static KeyValuePair<string, string> NoStoreHeader => new("Cache-Control", "no-store");

    private static HttpResponseData ForError(UploadResult result) => ForError(result, CreateProblem(result));

    private static HttpResponseData ForError(UploadResult result, Problem problem) => problem.ToResponse(
    [
        VersionHeader,
        .. GetOffsetHeaders(problem.ExpectedOffset),
        .. GetExpirationHeaders(result.Expires),
        .. RetryAfter.GetSeconds(result.Kind) is { } seconds ? (KeyValuePair<string, string>[])[new("Retry-After", FormatNumber(seconds))] : [],
    ]);

    private static HttpResponseData ForCompletion(UploadResult result, int successStatus, KeyValuePair<string, string>[] headers) =>
        result.Response is { } response
            ? FromStoredResponse(StoredResponse.FromBytes(response), successStatus, headers, result.IsResponseBodyTruncated)
            : new HttpResponseData(successStatus) { Headers = [VersionHeader, NoStoreHeader, .. headers] };

    /// <summary>
    /// Returns the application's response with the status codes that tus clients expect: 201 for a successful creation, and 204 (with a body: 200)
    /// for a successful append. <c>Location</c> is always the upload URL, so the application's <c>Location</c> becomes <c>Content-Location</c>.
    /// </summary>
    private static HttpResponseData FromStoredResponse(
        StoredResponse storedResponse, int? successStatus, KeyValuePair<string, string>[] headers, bool isBodyTruncated = false)
    {
        int status = (successStatus, storedResponse.StatusCode) switch
        {
            (201, < 400) => 201,
            (204, < 400) => storedResponse.Body.IsEmpty && !isBodyTruncated ? 204 : 200,
            _ => storedResponse.StatusCode,
        };
        return new HttpResponseData(status)
        {
            Headers =
            [
                VersionHeader,
                NoStoreHeader,
                .. storedResponse.Headers.Where(static header => !HasName(header, "Content-Type") && !HasName(header, "Cache-Control")
                        && !HasName(header, "Content-Location"))
                    .Select(static header => HasName(header, "Location") ? new("Content-Location", header.Value) : header),
                .. headers,
            ],
            ContentType = storedResponse.Body.IsEmpty ? null : storedResponse.ContentType,
            Body = storedResponse.Body,
        };
    }

    private static bool HasName(KeyValuePair<string, string> header, string name) => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase);

    private static KeyValuePair<string, string>[] GetOptionalHeader(string name, string? value) => value is null ? [] : [new(name, value)];

    private static KeyValuePair<string, string>[] GetOffsetHeaders(long? offset) => offset is { } value ? [new(TusHeaders.Offset, FormatNumber(value))] : [];

    /// <summary>Returns <c>Upload-Expires</c>, whose value is an IMF-fixdate (tus 1.0.0, Expiration, Upload-Expires).</summary>
    private static KeyValuePair<string, string>[] GetExpirationHeaders(DateTimeOffset? expires) =>
        expires is { } at ? [new(TusHeaders.Expires, at.ToString("R", CultureInfo.InvariantCulture))] : [];

    private static string FormatNumber(long value) => value.ToString(CultureInfo.InvariantCulture);
}
