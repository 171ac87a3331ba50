using System.Globalization;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Protocols.Headers;

namespace ResumableUploads.Protocols.Tus;

/// <summary>Maps engine results to responses of tus 1.0.0. See docs/protocols/tus.md#status-codes-and-problem-types.</summary>
internal static class TusResponses
{
    /// <summary>Returns the response to an OPTIONS request (tus 1.0.0, Core, OPTIONS).</summary>
    public static HttpResponseData ForDiscovery(TusCapabilities capabilities, bool isUpload) =>
        new(204) { Headers = [VersionHeader, .. capabilities.Headers, new("Allow", TusParser.GetAllowHeader(isUpload)), NoStoreHeader] };

    public static HttpResponseData For(Problem problem, TusCapabilities capabilities, bool isUpload)
    {
        IEnumerable<KeyValuePair<string, string>> more = problem.Status switch
        {
            405 => [new("Allow", TusParser.GetAllowHeader(isUpload))],
            412 => [new(TusHeaders.SupportedVersions, TusHeaders.ProtocolVersion)],
            415 when problem.Type == ContentCoding.ProblemType => [new("Accept-Encoding", ContentCoding.Identity)],
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

    /// <summary>Returns the headers of a download without <c>Tus-Resumable</c>: those of a status response, except that the client may keep the content.</summary>
    public static IEnumerable<KeyValuePair<string, string>> GetDownloadHeaders(HttpResponseData status) =>
        status.Headers.Where(static header => !HasName(header, "Cache-Control"));

    /// <summary>
    /// Returns the response to a status request that failed, or for an upload that has all its bytes and could not be completed. It has no offset. Clients send
    /// HEAD again only after a 423; after any other error, they send the whole file again.
    /// </summary>
    public static HttpResponseData ForFailedStatus(UploadResult result)
    {
        result = result with { Offset = null };
        Problem problem = CreateProblem(result);
        return ForError(result, IsTransient(result) ? problem with { Status = 423 } : problem);
    }

    /// <summary>Returns the response to a creation.</summary>
    public static HttpResponseData ForCreation(UploadResult result, string location, TusResponseBody body = default)
    {
        KeyValuePair<string, string>[] headers = [new("Location", location), .. GetOffsetHeaders(result.Offset), .. GetExpirationHeaders(result.Expires)];
        return result.Kind switch
        {
            UploadResultKind.Appended => new HttpResponseData(201) { Headers = [VersionHeader, NoStoreHeader, .. headers] },
            UploadResultKind.Completed or UploadResultKind.Replayed => ForCompletion(result, 201, body, headers).WithReplayedHeader(result),
            UploadResultKind.HandlerFailed when result.Response is { } response => FromFailedResponse(StoredResponse.FromBytes(response), headers),
            _ => result.IsCreated ? ForError(result).WithHeader("Location", location) : ForError(result),
        };
    }

    /// <summary>Returns the response to an append, a termination, or a failed request.</summary>
    public static HttpResponseData For(UploadResult result, TusResponseBody body = default) => result.Kind switch
    {
        UploadResultKind.Appended => new HttpResponseData(204) { Headers = [VersionHeader, NoStoreHeader, .. GetOffsetHeaders(result.Offset), .. GetExpirationHeaders(result.Expires)] },
        UploadResultKind.Completed or UploadResultKind.Replayed => ForCompletion(result, 204, body, [.. GetOffsetHeaders(result.Offset)]).WithReplayedHeader(result),
        UploadResultKind.Cancelled when result.Offset is not null => new HttpResponseData(204) { Headers = [VersionHeader, NoStoreHeader] },
        UploadResultKind.Cancelled => ForError(new UploadResult(UploadResultKind.NotFound)),
        UploadResultKind.HandlerFailed when result.Response is { } response => FromFailedResponse(StoredResponse.FromBytes(response), [.. GetOffsetHeaders(result.Offset)]),
        _ => ForError(result),
    };

    /// <summary>Creates the problem that describes a failed result. Clients give up on every 4xx except 409 and 423 (docs/protocols/tus.md#what-clients-do).</summary>
    public static Problem CreateProblem(UploadResult result)
    {
        (int status, string type, string title, string detail) = result.Kind switch
        {
            UploadResultKind.OffsetMismatch => (409, Problem.OffsetMismatchType, Problem.OffsetMismatchTitle,
                "Continue at the offset in Upload-Offset."),
            // Not 409, which clients retry: two of them would preempt each other for ever.
            UploadResultKind.Preempted => (400, Problem.CustomType("taken-over"), "The request was preempted",
                "Another request continues this upload. The received bytes were stored, unless the request had a checksum. Do not retry automatically."),
            UploadResultKind.AlreadyComplete => (409, Problem.CustomType("upload-complete"), "The upload is complete",
                "A complete upload accepts no more bytes. Send an empty PATCH with Upload-Offset equal to the upload length to get the stored response."),
            UploadResultKind.LengthConflict => (400, Problem.LengthConflictType, Problem.LengthConflictTitle,
                "Upload-Length differs from the known length of the upload, or is less than its offset. Send the correct length."),
            UploadResultKind.LengthExceeded => (413, Problem.CustomType("upload-length-exceeded"), "The upload length is exceeded",
                "The request body extends beyond Upload-Length. Send only the missing bytes."),
            UploadResultKind.ReprDigestMismatch => (460, Problem.CustomType("digest-mismatch"), CommonProblems.DigestMismatchTitle,
                "The stored bytes do not match Repr-Digest. Delete the upload and send the file again."),
            UploadResultKind.DigestMissing => (400, Problem.CustomType("bad-checksum"), CommonProblems.ChecksumTitle,
                "The Upload-Checksum trailer is missing or invalid, and the request body was discarded. "
                + (result.Offset is null ? UploadUrlProblems.NotCreatedDetail : "Send it again at the same offset, with a valid trailer.")),
            UploadResultKind.DigestMismatch => (460, Problem.CustomType("digest-mismatch"), CommonProblems.DigestMismatchTitle,
                "The request body does not match its checksum and was discarded. "
                + (result.Offset is null ? UploadUrlProblems.NotCreatedDetail : "Send it again at the same offset.")),
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
                "Each URL in Upload-Concat must have the path of one of your partial uploads at this endpoint, and spaces must separate the URLs. No upload was created."),
            _ => UploadUrlProblems.Describe(result),
        };
        return new Problem(status, type, title, detail)
        {
            ExpectedOffset = result.Kind == UploadResultKind.NotFound ? null : result.Offset,
            ProvidedOffset = result.Kind == UploadResultKind.OffsetMismatch ? result.ProvidedOffset : null,
        };
    }

    /// <summary>Returns whether the same request can succeed later, so that the client must not send the whole file again.</summary>
    private static bool IsTransient(UploadResult result) => result.Kind switch
    {
        UploadResultKind.StorageFailed => !result.IsDamaged,
        UploadResultKind.StorageFull or UploadResultKind.ShuttingDown or UploadResultKind.Busy or UploadResultKind.Preempted => true,
        UploadResultKind.Interrupted or UploadResultKind.IdleTimeout or UploadResultKind.BelowMinDataRate => true,
        UploadResultKind.HandlerFailed or UploadResultKind.HandlerRunning => true,
        UploadResultKind.TooManyAppends or UploadResultKind.TooManyUploads or UploadResultKind.OwnerQuotaExceeded => true,
        _ => false,
    };

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

    private static HttpResponseData ForCompletion(UploadResult result, int successStatus, TusResponseBody body, KeyValuePair<string, string>[] headers)
    {
        if (result.Response is not { } response)
        {
            return new HttpResponseData(successStatus) { Headers = [VersionHeader, NoStoreHeader, .. headers] };
        }

        StoredResponse storedResponse = StoredResponse.FromBytes(response);
        return storedResponse.StatusCode >= 400
            ? FromFailedResponse(storedResponse, headers)
            : FromSuccessfulResponse(storedResponse, successStatus, body, headers, result.IsResponseBodyTruncated);
    }

    /// <summary>
    /// Returns the application's response with the status codes that tus requires: 201 for a creation, and 204 for an append or, if the body is sent, 200.
    /// Without the body, the headers that describe it are removed.
    /// </summary>
    private static HttpResponseData FromSuccessfulResponse(
        StoredResponse storedResponse, int successStatus, TusResponseBody body, KeyValuePair<string, string>[] headers, bool isBodyTruncated)
    {
        bool hasBody = !storedResponse.Body.IsEmpty || isBodyTruncated;
        bool sendsBody = hasBody && body.IsSent;
        return new HttpResponseData(successStatus == 204 && sendsBody ? 200 : successStatus)
        {
            Headers =
            [
                .. GetResponseHeaders(storedResponse, headers, omitsBody: !sendsBody),
                .. GetOptionalHeader(CommonHeaders.PreferenceApplied, sendsBody && body.IsPreferred ? ReturnPreference.Representation : null),
            ],
            ContentType = sendsBody && !storedResponse.Body.IsEmpty ? storedResponse.ContentType : null,
            Body = sendsBody ? storedResponse.Body : default,
            OmitsBody = !sendsBody,
        };
    }

    private static HttpResponseData FromFailedResponse(StoredResponse storedResponse, KeyValuePair<string, string>[] headers) => new(storedResponse.StatusCode)
    {
        Headers = GetResponseHeaders(storedResponse, headers, omitsBody: false),
        ContentType = storedResponse.Body.IsEmpty ? null : storedResponse.ContentType,
        Body = storedResponse.Body,
    };

    /// <summary>Returns the headers of the application's response. <c>Location</c> is always the upload URL, so the application's becomes <c>Content-Location</c>.</summary>
    private static KeyValuePair<string, string>[] GetResponseHeaders(StoredResponse storedResponse, KeyValuePair<string, string>[] headers, bool omitsBody) =>
    [
        VersionHeader,
        NoStoreHeader,
        .. storedResponse.Headers.Where(header => !HasName(header, "Content-Type") && !HasName(header, "Cache-Control") && !HasName(header, "Content-Location")
                && !(omitsBody && ContentHeaders.Contains(header.Key)))
            .Select(static header => HasName(header, "Location") ? new("Content-Location", header.Value) : header),
        .. headers,
    ];

    private static bool HasName(KeyValuePair<string, string> header, string name) => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase);

    private static KeyValuePair<string, string>[] GetOptionalHeader(string name, string? value) => value is null ? [] : [new(name, value)];

    private static KeyValuePair<string, string>[] GetOffsetHeaders(long? offset) => offset is { } value ? [new(TusHeaders.Offset, FormatNumber(value))] : [];

    /// <summary>Returns <c>Upload-Expires</c>, whose value is an IMF-fixdate (tus 1.0.0, Expiration, Upload-Expires).</summary>
    private static KeyValuePair<string, string>[] GetExpirationHeaders(DateTimeOffset? expires) =>
        expires is { } at ? [new(TusHeaders.Expires, at.ToString("R", CultureInfo.InvariantCulture))] : [];

    private static string FormatNumber(long value) => value.ToString(CultureInfo.InvariantCulture);
}
