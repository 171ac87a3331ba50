using Microsoft.AspNetCore.Http;
using ResumableUploads.Protocols.StructuredFields;

namespace ResumableUploads.Protocols.Ietf;

/// <summary>
/// The behavior of one interop version of the draft. Versions differ only in these properties. The drafts of each version are listed in
/// docs/protocols/ietf.md#versions.
/// </summary>
/// <param name="Interop">The number in <c>Upload-Draft-Interop-Version</c>.</param>
internal sealed record IetfVersion(int Interop)
{
    /// <summary>Gets a value indicating whether <c>Upload-Incomplete</c> is used instead of <c>Upload-Complete</c>, with the opposite value.</summary>
    public bool UsesUploadIncomplete { get; init; }

    /// <summary>Gets a value indicating whether an append must have a completeness field. Otherwise, an append without it is the last one.</summary>
    public bool RequiresCompleteness { get; init; } = true;

    /// <summary>Gets a value indicating whether an append must have the content type <c>application/partial-upload</c>.</summary>
    public bool RequiresPartialUploadType { get; init; } = true;

    /// <summary>Gets the status code for a stored append that is not the last one.</summary>
    public int AppendStatusCode { get; init; } = 204;

    /// <summary>
    /// Gets a value indicating whether status and cancellation requests with <c>Upload-Offset</c>, <c>Upload-Length</c> or the completeness field are
    /// rejected.
    /// </summary>
    public bool RejectsContentHeaders { get; init; }

    /// <summary>Gets the key of the remaining lifetime in <c>Upload-Limit</c>, or null if the version has no <c>Upload-Limit</c>.</summary>
    public string? MaxAgeKey { get; init; } = "max-age";

    /// <summary>Gets a value indicating whether the limits of one append also apply to the content of a creation.</summary>
    public bool AppliesAppendLimitsToCreation { get; init; } = true;

    /// <summary>Gets a value indicating whether interim responses report progress.</summary>
    public bool SendsProgress { get; init; } = true;

    /// <summary>Gets a value indicating whether content beyond the length removes the upload. Otherwise, only the request is rejected.</summary>
    public bool ExcessInvalidatesUpload { get; init; } = true;

    /// <summary>Gets the rejection of an empty append at the end of a complete upload, or null if the stored response is replayed.</summary>
    public AppendRejection? EmptyAppendRejection { get; init; }

    /// <summary>Gets the rejection of an append with content to a complete upload.</summary>
    public AppendRejection ContentAppendRejection { get; init; } = AppendRejection.LengthConflict;

    /// <summary>Gets the implemented versions, the newest last.</summary>
    public static IReadOnlyList<IetfVersion> All { get; } = [.. CreateAll()];

    /// <summary>Gets the version of requests that specify no version, or one that is not implemented.</summary>
    public static IetfVersion Latest { get; } = All[^1];

    public bool SupportsLimits => MaxAgeKey is not null;

    /// <summary>Gets the name of the completeness field.</summary>
    public string CompletenessHeader => UsesUploadIncomplete ? IetfHeaders.Incomplete : IetfHeaders.Complete;

    /// <summary>Returns the version of a request.</summary>
    /// <param name="headers">The request headers.</param>
    /// <param name="isAnnounced">Whether the request specifies a version that the server implements. Only then may interim responses be sent.</param>
    public static IetfVersion FromRequest(IHeaderDictionary headers, out bool isAnnounced)
    {
        IetfVersion? specified = SfItem.TryParseInteger(headers[IetfHeaders.Version], out long interop)
            ? All.FirstOrDefault(version => version.Interop == interop)
            : null;
        isAnnounced = specified is not null;
        return specified ?? Latest;
    }

    /// <summary>Returns whether the request is the last one of the upload. Null if the completeness field is absent or invalid.</summary>
    public bool? GetCompleteness(IHeaderDictionary headers) =>
        SfItem.TryParseBoolean(headers[CompletenessHeader], out bool value) ? value != UsesUploadIncomplete : null;

    /// <summary>Returns the completeness field of a response.</summary>
    public KeyValuePair<string, string> CreateCompletenessHeader(bool isComplete) => new(CompletenessHeader, isComplete == UsesUploadIncomplete ? "?0" : "?1");

    private static IEnumerable<IetfVersion> CreateAll()
    {
        var ten = new IetfVersion(10);
        IetfVersion nine = ten with { Interop = 9 };
        IetfVersion eight = nine with { Interop = 8, AppliesAppendLimitsToCreation = false, EmptyAppendRejection = AppendRejection.Gone };
        IetfVersion seven = eight with { Interop = 7, EmptyAppendRejection = AppendRejection.Completed, ContentAppendRejection = AppendRejection.Completed };
        IetfVersion six = seven with
        {
            Interop = 6,
            MaxAgeKey = "expires",
            RequiresCompleteness = false,
            AppendStatusCode = 201,
            RejectsContentHeaders = true,
            ExcessInvalidatesUpload = false,
        };
        IetfVersion five = six with { Interop = 5, MaxAgeKey = null, RequiresPartialUploadType = false };
        IetfVersion four = five with { Interop = 4, SendsProgress = false };
        IetfVersion three = four with { Interop = 3, UsesUploadIncomplete = true };
        return [three, four, five, six, seven, eight, nine, ten];
    }

    /// <summary>The rejection of an append to a complete upload.</summary>
    /// <param name="Status">The status code.</param>
    /// <param name="Type">The problem type.</param>
    /// <param name="Title">The registered title of the problem type.</param>
    internal sealed record AppendRejection(int Status, string Type, string Title)
    {
        public static readonly AppendRejection Completed = new(400, Problem.CompletedUploadType, Problem.CompletedUploadTitle);
        public static readonly AppendRejection Gone = Completed with { Status = 410 };
        public static readonly AppendRejection LengthConflict = new(400, Problem.LengthConflictType, Problem.LengthConflictTitle);
    }
}
