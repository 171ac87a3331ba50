using System.Globalization;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads.Protocols.Ietf;

/// <summary>
/// Maps results to responses of the IETF draft, in the version of one request. See docs/protocols/ietf.md#problem-types and
/// docs/protocols/ietf.md#responses-by-version.
/// </summary>
/// <param name="version">The version of the request.</param>
/// <param name="isAnnounced">Whether the request names an implemented version.</param>
/// <param name="limits">The limits of the server.</param>
/// <param name="expiration">The lifetime of a new upload.</param>
/// <param name="time">The clock for the remaining lifetime.</param>
internal sealed class IetfResponses(IetfVersion version, bool isAnnounced, IetfLimits limits, TimeSpan expiration, TimeProvider time)
{
    /// <summary>Gets the version if the request names it, otherwise null. Interim responses may only be sent if it is not null.</summary>
    public IetfVersion? AnnouncedVersion => isAnnounced ? version : null;

    /// <summary>Returns the headers of the interim response that announces a new upload (draft -12, section 4.2).</summary>
    public IEnumerable<KeyValuePair<string, string>> CreatedInterimHeaders(string location, DateTimeOffset? expires) =>
        [new("Location", location), .. LimitHeaders(GetTimeRemaining(expires)), VersionHeader];

    /// <summary>Returns the headers of an interim response that reports progress. They never include <c>Location</c> (draft -12, section 4.4).</summary>
    public IEnumerable<KeyValuePair<string, string>> ProgressInterimHeaders(long offset) => [new(IetfHeaders.Offset, FormatNumber(offset)), VersionHeader];

    /// <summary>Gets the headers that this protocol adds to the response to OPTIONS (draft -12, section 4.1.4).</summary>
    public IEnumerable<KeyValuePair<string, string>> OptionsHeaders =>
        [new("Accept-Patch", IetfHeaders.PartialUploadContentType), .. LimitHeaders(expiration)];

    public HttpResponseData For(Problem problem, bool isUpload) => problem.ToResponse(
    [
        .. problem.Status switch
        {
            405 => [new("Allow", IetfParser.GetAllowHeader(isUpload, version))],
            415 => [new("Accept-Patch", IetfHeaders.PartialUploadContentType)],
            _ => problem.IsLimitExceeded ? LimitHeaders(expiration) : [],
        },
        .. AnnouncedVersionHeaders,
    ]);

    public HttpResponseData ForStatus(UploadInfo? info)
    {
        if (info is null)
        {
            return ForError(new UploadResult(UploadResultKind.NotFound), null);
        }

        // True means that a final response exists (draft -12, section 4.3). While the application has not responded, the client requests the
        // response with an empty last append.
        bool isComplete = info.State == UploadState.Completed;
        return new HttpResponseData(204)
        {
            Headers =
            [
                NoStoreHeader,
                .. StateHeaders(info.Offset, isComplete),
                .. info.Length is { } length ? (KeyValuePair<string, string>[])[new(IetfHeaders.Length, FormatNumber(length))] : [],
                .. LimitHeaders(GetTimeRemaining(info.Expires)),
                .. AnnouncedVersionHeaders,
            ],
        };
    }

    public HttpResponseData ForCreation(UploadResult result, string location) => result.Kind switch
    {
        UploadResultKind.Appended => new HttpResponseData(201)
        {
            Headers = [new("Location", location), NoStoreHeader, .. StateHeaders(result.Offset, false), .. LimitHeaders(GetTimeRemaining(result.Expires)), .. AnnouncedVersionHeaders],
        },
        _ => ForFinalResult(result, location),
    };

    public HttpResponseData ForAppend(UploadResult result, string location) => result.Kind switch
    {
        UploadResultKind.Appended => new HttpResponseData(version.AppendStatusCode) { Headers = [NoStoreHeader, .. StateHeaders(result.Offset, false), .. AnnouncedVersionHeaders] },
        _ => ForFinalResult(result, location),
    };

    public HttpResponseData ForCancellation(UploadResult result) => result.Kind switch
    {
        UploadResultKind.Cancelled when result.Offset is not null => new HttpResponseData(204) { Headers = [NoStoreHeader, .. AnnouncedVersionHeaders] },
        UploadResultKind.Cancelled => ForError(new UploadResult(UploadResultKind.NotFound), null),
        _ => ForError(result, null),
    };

    /// <summary>
    /// Returns the response to a request that completed the upload or failed. Without a response of the application, it is 201 with the URL of the
    /// upload.
    /// </summary>
    public HttpResponseData ForFinalResult(UploadResult result, string location) => result.Kind switch
    {
        UploadResultKind.Replayed when version.EmptyAppendAfterCompletion is { } rejection => ForRejection(rejection, result),
        UploadResultKind.Completed or UploadResultKind.Replayed when result.Response is null => new HttpResponseData(201)
        {
            Headers = [new("Location", location), NoStoreHeader, .. StateHeaders(result.Offset, true), .. AnnouncedVersionHeaders],
        },
        UploadResultKind.Completed or UploadResultKind.Replayed or UploadResultKind.HandlerFailed when result.Response is { } response => FromStoredResponse(StoredResponse.FromBytes(response), result.Offset),
        UploadResultKind.AlreadyComplete => ForRejection(version.AppendAfterCompletion, result),
        _ => ForError(result, result.IsCreated ? location : null),
    };

    /// <summary>Returns the problem for a failure.</summary>
    public static Problem ProblemFor(UploadResult result)
    {
        (int status, string type, string title, string detail) = result.Kind switch
        {
            UploadResultKind.OffsetMismatch => (409, Problem.OffsetMismatchType, "Mismatching Upload Offset",
                "Continue at the offset in Upload-Offset."),
            UploadResultKind.LengthConflict => (400, Problem.LengthConflictType, "Inconsistent Upload Length Values",
                "The length differs from the known length of the upload, or the last content ended before it. Send the correct length and all content."),
            UploadResultKind.LengthExceeded => (400, Problem.LengthConflictType, "Inconsistent Upload Length Values",
                "The content extends beyond the length of the upload. Send only the missing bytes, or create a new upload if this one was removed."),
            UploadResultKind.ReprDigestMismatch => (400, Problem.CustomType("digest-mismatch"), "The digest does not match",
                "The stored bytes do not match Repr-Digest. Delete the upload and send the file again."),
            UploadResultKind.DigestMismatch or UploadResultKind.DigestMissing => (400, Problem.CustomType("digest-mismatch"), "The digest does not match",
                "The content does not match its digest and was discarded. Send it again at the same offset."),
            UploadResultKind.DigestUnsupported => (413, Problem.CustomType("digest-too-large"), "The request content is too large for a digest",
                "The content exceeds what the server can verify before storing it. Send smaller chunks, or no Content-Digest."),
            UploadResultKind.Busy => (503, Problem.CustomType("busy"), "The upload is locked",
                "Another server process holds the upload. Retry after a short delay."),
            UploadResultKind.HandlerRunning => (503, Problem.CustomType("still-completing"), "The upload is being processed",
                "All bytes are stored. Send an empty last append at the full length later to get the response."),
            UploadResultKind.HandlerFailed => (503, Problem.CustomType("handler-failed"), "Processing of the upload failed",
                "All bytes are stored. Send an empty last append at the full length later to process the upload again."),
            _ => UploadUrlProblems.Describe(result),
        };
        return new Problem(status, type, title, detail)
        {
            ExpectedOffset = result.Kind == UploadResultKind.OffsetMismatch ? result.Offset : null,
            ProvidedOffset = result.Kind == UploadResultKind.OffsetMismatch ? result.ProvidedOffset : null,
            IsLimitExceeded = result.Kind is UploadResultKind.UploadTooLarge or UploadResultKind.AppendTooLarge or UploadResultKind.OwnerQuotaExceeded,
        };
    }

    private static KeyValuePair<string, string> NoStoreHeader => new("Cache-Control", "no-store");

    private KeyValuePair<string, string> VersionHeader => new(IetfHeaders.Version, FormatNumber(version.Interop));

    /// <summary>Gets the version header for final responses, in which the draft does not require it.</summary>
    private KeyValuePair<string, string>[] AnnouncedVersionHeaders => isAnnounced ? [VersionHeader] : [];

    private HttpResponseData ForError(UploadResult result, string? location)
    {
        Problem problem = ProblemFor(result);

        // An upload that does not exist, or was removed by this request, has no URL and no offset.
        bool isRemoved = result.Kind is UploadResultKind.NotFound || (result.Kind is UploadResultKind.LengthExceeded && version.ExcessInvalidatesUpload);
        return problem.ToResponse(
        [
            .. isRemoved ? [] : OptionalHeader("Location", location),
            .. isRemoved || result.Offset is null ? [] : StateHeaders(result.Offset, false),
            .. problem.IsLimitExceeded ? LimitHeaders(expiration) : [],
            .. RetryAfter.GetSeconds(result.Kind) is { } seconds ? OptionalHeader("Retry-After", FormatNumber(seconds)) : [],
            .. AnnouncedVersionHeaders,
        ]);
    }

    /// <summary>
    /// Returns the response to an append to a complete upload. It carries <c>?0</c>, because <c>?1</c> would mark it as the application's response
    /// (draft -12, section 4.1.2).
    /// </summary>
    private HttpResponseData ForRejection(IetfVersion.AppendRejection rejection, UploadResult result) =>
        new Problem(rejection.Status, rejection.Type, rejection.Title, "A complete upload accepts no more content. Create a new upload to send other content.")
            .ToResponse([.. StateHeaders(result.Offset, false), .. AnnouncedVersionHeaders]);

    /// <summary>Returns the application's response, marked by <c>?1</c> whatever its status (draft -12, sections 4.1.2 and 4.4).</summary>
    private HttpResponseData FromStoredResponse(StoredResponse storedResponse, long? offset) => new(storedResponse.StatusCode)
    {
        Headers =
        [
            .. storedResponse.Headers.Any(static header => HasName(header, "Cache-Control")) ? (KeyValuePair<string, string>[])[] : [NoStoreHeader],
            .. storedResponse.Headers.Where(static header => !HasName(header, "Content-Type")),
            .. StateHeaders(offset, true),
            .. AnnouncedVersionHeaders,
        ],
        ContentType = storedResponse.ContentType,
        Body = storedResponse.Body,
    };

    private KeyValuePair<string, string>[] StateHeaders(long? offset, bool isComplete) =>
        [.. OptionalHeader(IetfHeaders.Offset, offset is { } value ? FormatNumber(value) : null), version.CreateCompletenessHeader(isComplete)];

    private KeyValuePair<string, string>[] LimitHeaders(TimeSpan? timeRemaining) =>
        OptionalHeader(IetfHeaders.Limit, version.MaxAgeKey is { } key ? limits.FormatHeader(key, timeRemaining) : null);

    private TimeSpan? GetTimeRemaining(DateTimeOffset? expires) => expires - time.GetUtcNow();

    private static bool HasName(KeyValuePair<string, string> header, string name) => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase);

    private static KeyValuePair<string, string>[] OptionalHeader(string name, string? value) => value is null ? [] : [new(name, value)];

    private static string FormatNumber(long value) => value.ToString(CultureInfo.InvariantCulture);
}
