using System.Globalization;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads.Protocols.Ietf;

/// <summary>
/// Maps engine results to HTTP responses in the draft version of the request. See docs/protocols/ietf.md#problem-types and
/// docs/protocols/ietf.md#responses-by-version.
/// </summary>
/// <param name="version">The version of the request.</param>
/// <param name="isAnnounced">Whether the request specifies a version that the server implements.</param>
/// <param name="limits">The limits of the server.</param>
/// <param name="expiration">The lifetime of a new upload, sent in the limits of responses that do not concern an existing upload.</param>
/// <param name="time">The time provider that is used to compute the remaining lifetime of an upload.</param>
internal sealed class IetfResponses(IetfVersion version, bool isAnnounced, IetfLimits limits, TimeSpan expiration, TimeProvider time)
{
    /// <summary>
    /// Gets the version that the request specifies, or null if it specifies none that the server implements. If null, the server must not send interim
    /// responses.
    /// </summary>
    public IetfVersion? AnnouncedVersion => isAnnounced ? version : null;

    /// <summary>
    /// Returns the headers of the interim response that announces a new upload
    /// (<see href="https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-resumable-upload-12#section-4.2">draft -12, section 4.2</see>).
    /// </summary>
    public IEnumerable<KeyValuePair<string, string>> CreatedInterimHeaders(string location, DateTimeOffset? expires) =>
        [new("Location", location), .. GetLimitHeaders(GetTimeRemaining(expires)), VersionHeader];

    /// <summary>
    /// Returns the headers of an interim response that reports progress. They do not include <c>Location</c>
    /// (<see href="https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-resumable-upload-12#section-4.4">draft -12, section 4.4</see>).
    /// </summary>
    public IEnumerable<KeyValuePair<string, string>> ProgressInterimHeaders(long offset) => [new(IetfHeaders.Offset, FormatNumber(offset)), VersionHeader];

    /// <summary>
    /// Gets the headers that this protocol adds to the response to OPTIONS
    /// (<see href="https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-resumable-upload-12#section-4.1.4">draft -12, section 4.1.4</see>).
    /// </summary>
    public IEnumerable<KeyValuePair<string, string>> OptionsHeaders =>
        [new("Accept-Patch", IetfHeaders.PartialUploadContentType), .. GetLimitHeaders(expiration)];

    /// <summary>Returns the response to an invalid request.</summary>
    public HttpResponseData For(Problem problem, bool isUpload) => problem.ToResponse(
    [
        .. problem.Status switch
        {
            405 => [new("Allow", IetfParser.GetAllowHeader(isUpload))],
            415 => [new("Accept-Patch", IetfHeaders.PartialUploadContentType)],
            _ => problem.IsLimitExceeded ? GetLimitHeaders(expiration) : [],
        },
        NotCompleteHeader,
        .. FinalResponseVersionHeaders,
    ]);

    public HttpResponseData ForStatus(UploadInfo? info)
    {
        if (info is null)
        {
            return ForError(new UploadResult(UploadResultKind.NotFound), null);
        }

        // Upload-Complete is true only if the final response exists (draft -12, section 4.3). Until then, the client sends an empty append that is
        // marked as complete to get the response.
        bool isComplete = info.State == UploadState.Completed;
        return new HttpResponseData(204)
        {
            Headers =
            [
                NoStoreHeader,
                .. GetStateHeaders(info.Offset, isComplete),
                .. info.Length is { } length ? (KeyValuePair<string, string>[])[new(IetfHeaders.Length, FormatNumber(length))] : [],
                .. GetLimitHeaders(GetTimeRemaining(info.Expires)),
                .. FinalResponseVersionHeaders,
            ],
        };
    }

    public HttpResponseData ForCreation(UploadResult result, string location) => result.Kind switch
    {
        UploadResultKind.Appended => new HttpResponseData(201)
        {
            Headers = [new("Location", location), NoStoreHeader, .. GetStateHeaders(result.Offset, false), .. GetLimitHeaders(GetTimeRemaining(result.Expires)), .. FinalResponseVersionHeaders],
        },
        _ => ForFinalResult(result, location),
    };

    public HttpResponseData ForAppend(UploadResult result, string location) => result.Kind switch
    {
        UploadResultKind.Appended => new HttpResponseData(version.AppendStatusCode) { Headers = [NoStoreHeader, .. GetStateHeaders(result.Offset, false), .. FinalResponseVersionHeaders] },
        _ => ForFinalResult(result, location),
    };

    public HttpResponseData ForCancellation(UploadResult result) => result.Kind switch
    {
        UploadResultKind.Cancelled when result.Offset is not null => new HttpResponseData(204) { Headers = [NoStoreHeader, .. FinalResponseVersionHeaders] },
        // Cancelled without an offset means that there was no upload to delete.
        UploadResultKind.Cancelled => ForError(new UploadResult(UploadResultKind.NotFound), null),
        _ => ForError(result, null),
    };

    /// <summary>
    /// Returns the response to a request that completed the upload or failed: the stored response of the application, 201 with <c>Location</c> if the
    /// upload completed without one, or a problem.
    /// </summary>
    public HttpResponseData ForFinalResult(UploadResult result, string location) => result.Kind switch
    {
        // Some versions reject an empty append to a completed upload instead of replaying the response.
        UploadResultKind.Replayed when version.EmptyAppendRejection is { } rejection => ForRejection(rejection, result),
        UploadResultKind.Completed or UploadResultKind.Replayed when result.Response is null => new HttpResponseData(201)
        {
            Headers = [new("Location", location), NoStoreHeader, .. GetStateHeaders(result.Offset, true), .. FinalResponseVersionHeaders],
        }.WithReplayedHeader(result),
        UploadResultKind.Completed or UploadResultKind.Replayed or UploadResultKind.HandlerFailed when result.Response is { } response =>
            FromStoredResponse(StoredResponse.FromBytes(response), result.Offset, isFinal: result.Kind != UploadResultKind.HandlerFailed).WithReplayedHeader(result),
        UploadResultKind.AlreadyComplete when result.ProvidedOffset == result.Offset => ForRejection(version.ContentAppendRejection, result),
        _ => ForError(result, result.IsCreated ? location : null),
    };

    /// <summary>Creates the problem that describes a failed result.</summary>
    public static Problem CreateProblem(UploadResult result)
    {
        (int status, string type, string title, string detail) = result.Kind switch
        {
            UploadResultKind.OffsetMismatch or UploadResultKind.AlreadyComplete => (409, Problem.OffsetMismatchType, Problem.OffsetMismatchTitle,
                "Continue at the offset in Upload-Offset."),
            UploadResultKind.LengthConflict => (400, Problem.LengthConflictType, Problem.LengthConflictTitle,
                "The length differs from the known length of the upload, or the last request ended before that length was reached. "
                + "Send the correct length and all content."),
            UploadResultKind.LengthExceeded => (400, Problem.LengthConflictType, Problem.LengthConflictTitle,
                "The content extends beyond the length of the upload. Send only the missing bytes. If the upload no longer exists, create a new upload."),
            UploadResultKind.ReprDigestMismatch => (400, Problem.CustomType("digest-mismatch"), CommonProblems.DigestMismatchTitle,
                "The stored bytes do not match Repr-Digest. Delete the upload and send the file again."),
            UploadResultKind.DigestMismatch or UploadResultKind.DigestMissing => (400, Problem.CustomType("digest-mismatch"), CommonProblems.DigestMismatchTitle,
                "The digest of the content is missing or does not match, and the content was discarded. "
                + (result.Offset is null ? UploadUrlProblems.NotCreatedDetail : "Send it again with a correct digest at the same offset.")),
            UploadResultKind.DigestUnsupported => (413, Problem.CustomType("digest-too-large"), CommonProblems.TooLargeToVerifyTitle,
                "The content is larger than the server can verify before storing it. Send smaller chunks, or omit Content-Digest."),
            UploadResultKind.Busy => (503, Problem.CustomType("busy"), "The upload is locked",
                CommonProblems.LockedDetail),
            UploadResultKind.HandlerRunning => (503, Problem.CustomType("still-completing"), "The upload is being processed",
                "All bytes are stored. Later, send an empty append with Upload-Offset equal to the upload length, marked as complete, to get the response."),
            UploadResultKind.HandlerFailed => (503, Problem.CustomType("handler-failed"), "Processing of the upload failed",
                "All bytes are stored. Later, send an empty append with Upload-Offset equal to the upload length, marked as complete, to process it again."),
            _ => UploadUrlProblems.Describe(result),
        };
        return new Problem(status, type, title, detail)
        {
            ExpectedOffset = result.Kind is UploadResultKind.OffsetMismatch or UploadResultKind.AlreadyComplete ? result.Offset : null,
            ProvidedOffset = result.Kind is UploadResultKind.OffsetMismatch or UploadResultKind.AlreadyComplete ? result.ProvidedOffset : null,
            IsLimitExceeded = result.Kind is UploadResultKind.UploadTooLarge or UploadResultKind.AppendTooLarge or UploadResultKind.OwnerQuotaExceeded,
        };
    }

    /// <summary>
    /// Gets the header of a response that the upload protocol has generated. Without it, a client would take the response for that of the application
    /// (<see href="https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-resumable-upload-12#section-4.1.2">draft -12, section 4.1.2</see>).
    /// </summary>
    private KeyValuePair<string, string> NotCompleteHeader => version.CreateCompletenessHeader(isComplete: false);

    private static KeyValuePair<string, string> NoStoreHeader => new("Cache-Control", "no-store");

    private KeyValuePair<string, string> VersionHeader => new(IetfHeaders.Version, FormatNumber(version.Interop));

    /// <summary>
    /// Gets the version header of final responses. Empty if the request specifies no implemented version; the draft does not require the header in final
    /// responses.
    /// </summary>
    private KeyValuePair<string, string>[] FinalResponseVersionHeaders => isAnnounced ? [VersionHeader] : [];

    private HttpResponseData ForError(UploadResult result, string? location)
    {
        Problem problem = CreateProblem(result);

        // An upload that does not exist, or was removed by this request, has no URL and no offset.
        bool uploadExists = result.Kind is not UploadResultKind.NotFound && !(result.Kind is UploadResultKind.LengthExceeded && version.ExcessInvalidatesUpload);
        return problem.ToResponse(
        [
            .. uploadExists ? GetOptionalHeader("Location", location) : [],
            .. GetStateHeaders(uploadExists ? result.Offset : null, false),
            .. problem.IsLimitExceeded ? GetLimitHeaders(GetTimeRemaining(result.Expires) ?? expiration) : [],
            .. RetryAfter.GetSeconds(result.Kind) is { } seconds ? GetOptionalHeader("Retry-After", FormatNumber(seconds)) : [],
            .. FinalResponseVersionHeaders,
        ]);
    }

    /// <summary>
    /// Returns the response to a rejected append to a completed upload. Sends <c>Upload-Complete: ?0</c>, because <c>?1</c> would mark the response as
    /// the response of the application
    /// (<see href="https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-resumable-upload-12#section-4.1.2">draft -12, section 4.1.2</see>).
    /// </summary>
    private HttpResponseData ForRejection(IetfVersion.AppendRejection rejection, UploadResult result) =>
        new Problem(rejection.Status, rejection.Type, rejection.Title, "A complete upload accepts no more content. Create a new upload to send other content.")
            .ToResponse([.. GetStateHeaders(result.Offset, false), .. FinalResponseVersionHeaders]);

    /// <summary>
    /// Returns the response of the application with <c>Upload-Complete: ?1</c>, regardless of its status code, or with <c>?0</c> if it is not final and the
    /// client may request another one (<see href="https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-resumable-upload-12#section-4.1.2">draft -12, section 4.1.2</see> and
    /// <see href="https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-resumable-upload-12#section-4.4">section 4.4</see>).
    /// </summary>
    private HttpResponseData FromStoredResponse(StoredResponse storedResponse, long? offset, bool isFinal) => new(storedResponse.StatusCode)
    {
        Headers =
        [
            .. storedResponse.Headers.Any(static header => HasName(header, "Cache-Control")) ? (KeyValuePair<string, string>[])[] : [NoStoreHeader],
            .. storedResponse.Headers.Where(static header => !HasName(header, "Content-Type")),
            .. GetStateHeaders(offset, isFinal),
            .. FinalResponseVersionHeaders,
        ],
        ContentType = storedResponse.ContentType,
        Body = storedResponse.Body,
    };

    private KeyValuePair<string, string>[] GetStateHeaders(long? offset, bool isComplete) =>
        [.. GetOptionalHeader(IetfHeaders.Offset, offset is { } value ? FormatNumber(value) : null), version.CreateCompletenessHeader(isComplete)];

    private KeyValuePair<string, string>[] GetLimitHeaders(TimeSpan? timeRemaining) =>
        GetOptionalHeader(IetfHeaders.Limit, version.MaxAgeKey is { } key ? limits.FormatHeader(key, timeRemaining) : null);

    /// <summary>Returns the time until an upload expires, or null for an upload that is kept longer.</summary>
    private TimeSpan? GetTimeRemaining(DateTimeOffset? expires) => expires - time.GetUtcNow() is { } remaining && remaining > TimeSpan.Zero ? remaining : null;

    private static bool HasName(KeyValuePair<string, string> header, string name) => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase);

    private static KeyValuePair<string, string>[] GetOptionalHeader(string name, string? value) => value is null ? [] : [new(name, value)];

    private static string FormatNumber(long value) => value.ToString(CultureInfo.InvariantCulture);
}
