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
internal sealed class IetfResponses(IetfVersion version, bool isAnnounced, IetfLimits limits, TimeSpan expiration, TimeProvider time)
{
    /// <summary>The version that the client has named, and so knows interim responses; null: none .</summary>
    public IetfVersion? AnnouncedVersion => isAnnounced ? version : null;

    /// <summary>What interim responses tell of a new upload .</summary>
    public IEnumerable<KeyValuePair<string, string>> CreatedInterimHeaders(string location, DateTimeOffset? expires) =>
        [new("Location", location), .. LimitHeaders(GetTimeRemaining(expires)), VersionHeader];

    /// <summary>What interim responses tell of the progress .</summary>
    public IEnumerable<KeyValuePair<string, string>> ProgressInterimHeaders(long offset) => [new(IetfHeaders.Offset, FormatNumber(offset)), VersionHeader];

    /// <summary>What the server says of itself, beside what other protocols do .</summary>
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

        // Complete is what has a final response. While all bytes are there and the application has not answered, an empty last
        // append asks for that answer.
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

    /// <summary>For what is neither kept and goes on, nor cancelled. Where the application says nothing of its own, the upload is what was made.</summary>
    public HttpResponseData ForFinalResult(UploadResult result, string location) => result.Kind switch
    {
        UploadResultKind.Replayed when version.EmptyAppendAfterCompletion is { } refused => ForRejection(refused, result),
        UploadResultKind.Completed or UploadResultKind.Replayed when result.Response is null => new HttpResponseData(201)
        {
            Headers = [new("Location", location), NoStoreHeader, .. StateHeaders(result.Offset, true), .. AnnouncedVersionHeaders],
        },
        UploadResultKind.Completed or UploadResultKind.Replayed or UploadResultKind.HandlerFailed when result.Response is { } answer => FromStoredResponse(StoredResponse.FromBytes(answer), result.Offset),
        UploadResultKind.AlreadyComplete => ForRejection(version.AppendAfterCompletion, result),
        _ => ForError(result, result.IsCreated ? location : null),
    };

    /// <summary>The problem for an outcome that is none of the good ones.</summary>
    public static Problem ProblemFor(UploadResult result)
    {
        (int status, string type, string title, string detail) = result.Kind switch
        {
            UploadResultKind.OffsetMismatch => (409, Problem.OffsetMismatchType, "Mismatching Upload Offset",
                "The server holds another number of bytes. Go on from Upload-Offset."),
            UploadResultKind.LengthConflict => (400, Problem.LengthConflictType, "Inconsistent Upload Length Values",
                "The length of the upload is not the one that is known already, or the last content ends before it."),
            UploadResultKind.LengthExceeded => (400, Problem.LengthConflictType, "Inconsistent Upload Length Values",
                "The content goes past the length of the upload."),
            UploadResultKind.ReprDigestMismatch => (400, Problem.CustomType("digest-mismatch"), "The digest does not match",
                "All bytes are there, and they are not what the digest of the whole says. Delete the upload and send it again."),
            UploadResultKind.DigestMismatch or UploadResultKind.DigestMissing => (400, Problem.CustomType("digest-mismatch"), "The digest does not match",
                "The bytes are not what the digest says. Nothing of this request counts; send it again from the same offset."),
            UploadResultKind.DigestUnsupported => (413, Problem.CustomType("digest-too-large"), "Too much to check at once",
                "The content is larger than what can be held back until its digest is verified. Send smaller parts, or no Content-Digest."),
            UploadResultKind.Busy => (503, Problem.CustomType("busy"), "The upload is being changed",
                "Another server process works on this upload. Try again in a moment."),
            UploadResultKind.HandlerRunning => (503, Problem.CustomType("still-completing"), "The upload is being processed",
                "All bytes are there. Ask again later with an empty last append at the full length."),
            UploadResultKind.HandlerFailed => (503, Problem.CustomType("handler-failed"), "Processing failed",
                "All bytes are safe. Ask again later with an empty last append at the full length; nothing has to be sent twice."),
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

    /// <summary>Customary, and asked for nowhere but in interim responses .</summary>
    private KeyValuePair<string, string>[] AnnouncedVersionHeaders => isAnnounced ? [VersionHeader] : [];

    private HttpResponseData ForError(UploadResult result, string? location)
    {
        Problem problem = ProblemFor(result);

        // Of an upload that has just been invalidated there is nothing to tell any more.
        bool isGone = result.Kind is UploadResultKind.NotFound || (result.Kind is UploadResultKind.LengthExceeded && version.ExcessInvalidatesUpload);
        return problem.ToResponse(
        [
            .. isGone ? [] : OptionalHeader("Location", location),
            .. isGone || result.Offset is null ? [] : StateHeaders(result.Offset, false),
            .. problem.IsLimitExceeded ? LimitHeaders(expiration) : [],
            .. RetryAfter.GetSeconds(result.Kind) is { } seconds ? OptionalHeader("Retry-After", FormatNumber(seconds)) : [],
            .. AnnouncedVersionHeaders,
        ]);
    }

    /// <summary>That nothing is open any more is said by the problem: completeness would call this the application's answer .</summary>
    private HttpResponseData ForRejection(IetfVersion.AppendRejection refused, UploadResult result) =>
        new Problem(refused.Status, refused.Type, refused.Title, "The upload is finished, and nothing can be appended any more.")
            .ToResponse([.. StateHeaders(result.Offset, false), .. AnnouncedVersionHeaders]);

    /// <summary>The application's own answer, whatever it is: it says by itself that it is the one .</summary>
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

    private KeyValuePair<string, string>[] LimitHeaders(TimeSpan? left) => OptionalHeader(IetfHeaders.Limit, version.MaxAgeKey is { } key ? limits.FormatHeader(key, left) : null);

    private TimeSpan? GetTimeRemaining(DateTimeOffset? expires) => expires - time.GetUtcNow();

    private static bool HasName(KeyValuePair<string, string> header, string name) => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase);

    private static KeyValuePair<string, string>[] OptionalHeader(string name, string? value) => value is null ? [] : [new(name, value)];

    private static string FormatNumber(long value) => value.ToString(CultureInfo.InvariantCulture);
}
