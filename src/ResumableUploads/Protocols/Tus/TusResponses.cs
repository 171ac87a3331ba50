using System.Globalization;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads.Protocols.Tus;

/// <summary>The answers of tus 1.0.0: one table from outcomes to responses (T-1, T-10 to T-16, T-21 to T-28, T-36, T-41, T-45, T-51, T-55).</summary>
internal static class TusResponses
{
    /// <summary>What a finished upload carries that is given back.</summary>
    public static KeyValuePair<string, string>[] DownloadHeaders => [VersionHeader];

    /// <summary>What the server says of itself (T-30).</summary>
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

        // A final upload has no offset before it is joined: nobody appends to it (T-63).
        bool isWaiting = record is { Concatenation.IsPart: false } && info.State == UploadState.Receiving;
        return new HttpResponseData(200)
        {
            Headers =
            [
                VersionHeader,
                NoStoreHeader,
                .. isWaiting ? [] : OffsetHeaders(info.Offset),
                .. info.Length is { } length ? OptionalHeader(TusHeaders.Length, FormatNumber(length))
                    : isWaiting ? [] : OptionalHeader(TusHeaders.DeferLength, "1"),
                .. OptionalHeader(TusHeaders.Metadata, record.ProtocolMetadata),
                .. OptionalHeader(TusHeaders.Concat, record.Concatenation?.RawValue),
                .. ExpirationHeaders(info.State == UploadState.Receiving ? info.Expires : null),
            ],
        };
    }

    public static HttpResponseData ForCreation(UploadResult result, string location)
    {
        KeyValuePair<string, string>[] headers = [new("Location", location), .. OffsetHeaders(result.Offset), .. ExpirationHeaders(result.Expires)];
        return result.Kind switch
        {
            UploadResultKind.Appended => new HttpResponseData(201) { Headers = [VersionHeader, NoStoreHeader, .. headers] },
            UploadResultKind.Completed or UploadResultKind.Replayed => ForCompletion(result, 201, headers),
            UploadResultKind.HandlerFailed when result.Response is { } answer => FromStoredResponse(StoredResponse.FromBytes(answer), null, headers),
            _ => result.IsCreated ? ForError(result).WithHeader("Location", location) : ForError(result),
        };
    }

    /// <summary>The answer to a piece, to a termination, and to all that went wrong.</summary>
    public static HttpResponseData For(UploadResult result) => result.Kind switch
    {
        UploadResultKind.Appended => new HttpResponseData(204) { Headers = [VersionHeader, NoStoreHeader, .. OffsetHeaders(result.Offset), .. ExpirationHeaders(result.Expires)] },
        UploadResultKind.Completed or UploadResultKind.Replayed => ForCompletion(result, 204, [.. OffsetHeaders(result.Offset)]),
        UploadResultKind.Cancelled when result.Offset is not null => new HttpResponseData(204) { Headers = [VersionHeader, NoStoreHeader] },
        UploadResultKind.Cancelled => ForError(new UploadResult(UploadResultKind.NotFound)),
        UploadResultKind.HandlerFailed when result.Response is { } answer => FromStoredResponse(StoredResponse.FromBytes(answer), null, [.. OffsetHeaders(result.Offset)]),
        _ => ForError(result),
    };

    /// <summary>The problem for an outcome that is none of the good ones. Clients of tus give up on every 4xx but 409 and 423.</summary>
    public static Problem ProblemFor(UploadResult result)
    {
        (int status, string type, string title, string detail) = result.Kind switch
        {
            UploadResultKind.OffsetMismatch => (409, Problem.OffsetMismatchType, "Mismatching upload offset",
                "The server holds another number of bytes. Go on from Upload-Offset."),
            UploadResultKind.AlreadyComplete => (409, Problem.CustomType("upload-complete"), "The upload is complete",
                "Nothing can be appended any more."),
            UploadResultKind.LengthConflict => (400, Problem.LengthConflictType, "Inconsistent upload length",
                "Upload-Length is not the length that this upload has, or less than what is there."),
            UploadResultKind.LengthExceeded => (413, Problem.CustomType("upload-length-exceeded"), "More bytes than the upload length",
                "The body goes past Upload-Length. Send what is missing, and no more."),
            UploadResultKind.ReprDigestMismatch => (460, Problem.CustomType("digest-mismatch"), "Checksum mismatch",
                "All bytes are there, and they are not what the digest of the whole says. Delete the upload and send it again."),
            UploadResultKind.DigestMissing => (400, Problem.CustomType("bad-checksum"), "Bad request",
                "The trailer has no Upload-Checksum with a known algorithm and its digest in base64. Nothing of this request counts."),
            UploadResultKind.DigestMismatch => (460, Problem.CustomType("digest-mismatch"), "Checksum mismatch",
                "The bytes are not what the checksum says. Nothing of this request counts; send it again from the same offset."),
            UploadResultKind.DigestUnsupported => (413, Problem.CustomType("digest-too-large"), "Too much to check at once",
                "The body is larger than what can be held back until its checksum is verified. Send smaller pieces, or no checksum."),
            UploadResultKind.Busy => (423, Problem.CustomType("busy"), "The upload is being changed",
                "Another server process works on this upload. Try again in a moment."),
            UploadResultKind.HandlerRunning => (503, Problem.CustomType("still-completing"), "The upload is being processed",
                "All bytes are there. Ask again later with an empty piece at the full length."),
            UploadResultKind.HandlerFailed => (503, Problem.CustomType("handler-failed"), "Processing failed",
                "All bytes are safe. Ask again later with an empty piece at the full length; nothing has to be sent twice."),
            UploadResultKind.ConcatenationNotAppendable => (403, Problem.CustomType("joined"), "The upload is joined from others",
                "Nothing can be appended to a final upload."),
            UploadResultKind.PartNotFound => (400, Problem.CustomType("part-missing"), "A part is missing",
                "A URL in Upload-Concat is not that of a partial upload of yours that is still there. Nothing was made."),
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

    private static HttpResponseData ForError(UploadResult result)
    {
        Problem problem = ProblemFor(result);
        return problem.ToResponse(
        [
            VersionHeader,
            .. OffsetHeaders(problem.ExpectedOffset),
            .. ExpirationHeaders(result.Expires),
            .. RetryAfter.GetSeconds(result.Kind) is { } seconds ? (KeyValuePair<string, string>[])[new("Retry-After", FormatNumber(seconds))] : [],
        ]);
    }

    private static HttpResponseData ForCompletion(UploadResult result, int withoutBody, KeyValuePair<string, string>[] headers) =>
        result.Response is { } answer
            ? FromStoredResponse(StoredResponse.FromBytes(answer), withoutBody, headers, result.IsResponseBodyTruncated)
            : new HttpResponseData(withoutBody) { Headers = [VersionHeader, NoStoreHeader, .. headers] };

    /// <summary>
    /// The application's answer, said so that clients of tus take it for what it is: its good is 201 for a creation, and 204 or, with a body, 200
    /// for a piece. Location is the upload's own; where the application has one, it is the content's.
    /// </summary>
    private static HttpResponseData FromStoredResponse(StoredResponse storedResponse, int? good, KeyValuePair<string, string>[] headers, bool isLonger = false)
    {
        int status = (good, storedResponse.StatusCode) switch
        {
            (201, < 400) => 201,
            (204, < 400) => storedResponse.Body.IsEmpty && !isLonger ? 204 : 200,
            _ => storedResponse.StatusCode,
        };
        return new HttpResponseData(status)
        {
            Headers =
            [
                VersionHeader,
                NoStoreHeader,
                .. storedResponse.Headers.Where(static header => !HasName(header, "Content-Type") && !HasName(header, "Cache-Control")
                        && !(HasName(header, "Content-Location")))
                    .Select(static header => HasName(header, "Location") ? new("Content-Location", header.Value) : header),
                .. headers,
            ],
            ContentType = storedResponse.Body.IsEmpty ? null : storedResponse.ContentType,
            Body = storedResponse.Body,
        };
    }

    private static bool HasName(KeyValuePair<string, string> header, string name) => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase);

    private static KeyValuePair<string, string>[] OptionalHeader(string name, string? value) => value is null ? [] : [new(name, value)];

    private static KeyValuePair<string, string>[] OffsetHeaders(long? offset) => offset is { } value ? [new(TusHeaders.Offset, FormatNumber(value))] : [];

    /// <summary>As an IMF-fixdate (T-45).</summary>
    private static KeyValuePair<string, string>[] ExpirationHeaders(DateTimeOffset? expires) =>
        expires is { } at ? [new(TusHeaders.Expires, at.ToString("R", CultureInfo.InvariantCulture))] : [];

    private static string FormatNumber(long value) => value.ToString(CultureInfo.InvariantCulture);
}
