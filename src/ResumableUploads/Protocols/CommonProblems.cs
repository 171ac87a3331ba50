using System.Globalization;
using ResumableUploads.Engine;

namespace ResumableUploads.Protocols;

/// <summary>What every protocol says in the same words, because no header of its own is in them.</summary>
internal static class CommonProblems
{
    public static (int Status, string Type, string Title, string Detail) Describe(UploadResult result) => result.Kind switch
    {
        UploadResultKind.UploadTooLarge => (413, Problem.CustomType("too-large"), "The upload is too large",
            string.Create(CultureInfo.InvariantCulture, $"An upload has at most {result.MaxUploadSize} bytes here.")),
        UploadResultKind.AppendTooLarge => (413, Problem.CustomType("append-too-large"), "Too many bytes at once",
            "Send smaller parts: one request has at most max-append-size bytes here. What fitted is kept."),
        UploadResultKind.OwnerQuotaExceeded => (413, Problem.CustomType("owner-quota"), "Too many bytes in unfinished uploads",
            "Finish or delete other uploads first."),
        UploadResultKind.DeadLettered => (500, Problem.CustomType("parked"), "Processing failed too often",
            "The server has given the upload up, and keeps its bytes until it expires. Delete it to start again, or ask the server's operator."),
        UploadResultKind.Rejected => (result.Rejection!.StatusCode, Problem.CustomType("refused"), "The upload was refused", result.Rejection.Reason),
        UploadResultKind.MetadataTooLarge => (431, Problem.CustomType("headers-too-large"), "The headers are too large",
            "The URL and the headers that describe the content are more than the server keeps."),
        UploadResultKind.TooManyUploads => (429, Problem.CustomType("too-many-uploads"), "Too many unfinished uploads",
            "Finish or delete other uploads first."),
        UploadResultKind.TooManyAppends => (429, Problem.CustomType("too-many-requests"), "Too many uploads at a time",
            "Wait for other uploads to end, then go on."),
        UploadResultKind.StorageFull => (507, Problem.CustomType("storage-full"), "The server is out of space",
            "What was acknowledged is safe. Try again later."),
        _ => (503, Problem.CustomType("storage-failed"), "The storage does not answer",
            "What was acknowledged is safe. Try again later."),
    };
}
