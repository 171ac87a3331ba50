using Microsoft.AspNetCore.Http;
using ResumableUploads.Protocols.StructuredFields;

namespace ResumableUploads.Protocols.Ietf;

/// <summary>
/// What one interop version of the draft does on the wire. Versions differ by these properties alone. (The draft's -01 is 3, -02 is 4, -03 is 5,
/// -04 and -05 are 6, -06 to -08 are 7, -09 to -11 are 8, -12 is 9, and -13 is 10.)
/// </summary>
/// <param name="Interop">The number in <c>Upload-Draft-Interop-Version</c>.</param>
internal sealed record IetfVersion(int Interop)
{
    /// <summary>Whether completeness is told by its opposite, <c>Upload-Incomplete</c>.</summary>
    public bool UsesUploadIncomplete { get; init; }

    /// <summary>Whether an append has to say if it is the last one. Where it need not, silence means that it is .</summary>
    public bool RequiresCompleteness { get; init; } = true;

    /// <summary>Whether an append is of the type <c>application/partial-upload</c> (R-70).</summary>
    public bool RequiresPartialUploadType { get; init; } = true;

    /// <summary>The status for an append that is kept and was not the last one .</summary>
    public int AppendStatusCode { get; init; } = 204;

    /// <summary>Whether a question or a cancellation with the headers of an append is refused .</summary>
    public bool RejectsAppendHeaders { get; init; }

    /// <summary>Whether GET asks for the offset, as HEAD does .</summary>
    public bool SupportsGet { get; init; } = true;

    /// <summary>Under which key a limit tells how long the upload is kept; null: there are no limits .</summary>
    public string? MaxAgeKey { get; init; } = "max-age";

    /// <summary>Whether the limits for one append are those for the content of a creation too .</summary>
    public bool AppliesAppendLimitsToCreation { get; init; } = true;

    /// <summary>Whether interim responses tell the progress .</summary>
    public bool SendsProgress { get; init; } = true;

    /// <summary>Whether more bytes than the upload length end the upload, and not the request alone .</summary>
    public bool ExcessInvalidatesUpload { get; init; } = true;

    /// <summary>The answer to an append without content at the end of a finished upload; null: the stored one .</summary>
    public AppendRejection? EmptyAppendAfterCompletion { get; init; }

    /// <summary>The answer to content for a finished upload.</summary>
    public AppendRejection AppendAfterCompletion { get; init; } = AppendRejection.LengthConflict;

    /// <summary>All versions that are spoken, the newest last.</summary>
    public static IReadOnlyList<IetfVersion> All { get; } = [.. CreateAll()];

    /// <summary>The one for requests that name none, or one that is not spoken.</summary>
    public static IetfVersion Latest { get; } = All[^1];

    public bool SupportsLimits => MaxAgeKey is not null;

    /// <summary>The header that tells completeness.</summary>
    public string CompletenessHeader => UsesUploadIncomplete ? IetfHeaders.Incomplete : IetfHeaders.Complete;

    /// <summary>The version of a request.</summary>
    /// <param name="headers">Its headers.</param>
    /// <param name="isAnnounced">Whether the client has named it, and so knows interim responses .</param>
    public static IetfVersion FromRequest(IHeaderDictionary headers, out bool isAnnounced)
    {
        IetfVersion? named = SfItem.TryParseInteger(headers[IetfHeaders.Version], out long interop)
            ? All.FirstOrDefault(version => version.Interop == interop)
            : null;
        isAnnounced = named is not null;
        return named ?? Latest;
    }

    /// <summary>What a request says about being the last one; null where it says nothing that counts .</summary>
    public bool? GetCompleteness(IHeaderDictionary headers) =>
        SfItem.TryParseBoolean(headers[CompletenessHeader], out bool value) ? value != UsesUploadIncomplete : null;

    /// <summary>Completeness as a header of an answer.</summary>
    public KeyValuePair<string, string> CreateCompletenessHeader(bool isComplete) => new(CompletenessHeader, isComplete == UsesUploadIncomplete ? "?0" : "?1");

    private static IEnumerable<IetfVersion> CreateAll()
    {
        var ten = new IetfVersion(10);
        IetfVersion nine = ten with { Interop = 9 };
        IetfVersion eight = nine with { Interop = 8, SupportsGet = false, AppliesAppendLimitsToCreation = false, EmptyAppendAfterCompletion = AppendRejection.Gone };
        IetfVersion seven = eight with { Interop = 7, EmptyAppendAfterCompletion = AppendRejection.Completed, AppendAfterCompletion = AppendRejection.Completed };
        IetfVersion six = seven with
        {
            Interop = 6,
            MaxAgeKey = "expires",
            RequiresCompleteness = false,
            AppendStatusCode = 201,
            RejectsAppendHeaders = true,
            ExcessInvalidatesUpload = false,
        };
        IetfVersion five = six with { Interop = 5, MaxAgeKey = null, RequiresPartialUploadType = false };
        IetfVersion four = five with { Interop = 4, SendsProgress = false };
        IetfVersion three = four with { Interop = 3, UsesUploadIncomplete = true };
        return [three, four, five, six, seven, eight, nine, ten];
    }

    /// <summary>How an append to a finished upload is refused.</summary>
    /// <param name="Status">The status code.</param>
    /// <param name="Type">The type of the problem.</param>
    /// <param name="Title">Its registered title.</param>
    internal sealed record AppendRejection(int Status, string Type, string Title)
    {
        public static readonly AppendRejection Completed = new(400, Problem.CompletedUploadType, "Upload Is Completed");
        public static readonly AppendRejection Gone = Completed with { Status = 410 };
        public static readonly AppendRejection LengthConflict = new(400, Problem.LengthConflictType, "Inconsistent Upload Length Values");
    }
}
