using System.Globalization;
using ResumableUploads.Engine;

namespace ResumableUploads.Protocols;

/// <summary>The problems that are the same in all protocols.</summary>
internal static class CommonProblems
{
    public const string DigestMismatchTitle = "The digest does not match";
    public const string ChecksumTitle = "Invalid or unsupported checksum";
    public const string TooLargeToVerifyTitle = "The request content is too large to verify";
    public const string LockedDetail = "The upload is locked by another request or process. Retry after a short delay.";

    /// <summary>Returns the problem of a request that contains headers of more than one protocol.</summary>
    public static Problem CreateProtocolConflict(string first, string second) =>
        new(400, Problem.CustomType("bad-two-protocols"), "Conflicting protocol headers",
            $"{first} and {second} belong to different protocols. Send the headers of only one protocol.");

    public static (int Status, string Type, string Title, string Detail) Describe(UploadResult result) => result.Kind switch
    {
        UploadResultKind.DifferentRequest => (409, Problem.CustomType("different-request"), "The request differs from the one that created the upload",
            "Send each request of an upload to the path and with the query of the first one, or create another upload. The upload was not changed."),
        UploadResultKind.ContentCodingMismatch => (415, ContentCoding.ProblemType, ContentCoding.Title,
            "Content-Encoding differs from that of the first request. Send all chunks of an upload with the same content coding. The upload was not changed."),
        UploadResultKind.UploadTooLarge => (413, Problem.CustomType("too-large"), "The upload is too large",
            string.Create(CultureInfo.InvariantCulture, $"The maximum size of an upload is {result.MaxUploadSize} bytes. Upload a smaller file.")),
        UploadResultKind.AppendTooLarge => (413, Problem.CustomType("append-too-large"), "The request content is too large",
            string.Create(CultureInfo.InvariantCulture, $"The maximum size of the content of a request is {result.MaxBodyLength} bytes, the max-append-size limit of Upload-Limit. ")
            + "Request the offset, and send the rest in smaller requests."),
        UploadResultKind.DifferentContent => (409, Problem.CustomType("different-content"), "The upload has different content",
            "The upload is complete, and its size or digest differs from that in the request or cannot be compared with it. Send this file as another upload."),
        UploadResultKind.PermitUsed => (403, Problem.CustomType("ticket-used"), "The upload ticket was used",
            "A ticket is valid for one upload. That upload is complete, was removed, or was started by another request. Get a new ticket to send another file."),
        UploadResultKind.OwnerQuotaExceeded => (413, Problem.CustomType("owner-quota"), "The storage quota is exceeded",
            "Finish or delete other uploads, then retry."),
        UploadResultKind.DeadLettered => (500, Problem.CustomType("parked"), "Processing of the upload failed permanently",
            "Processing was attempted several times and is not retried automatically. Delete the upload and start over, or contact the operator of the server."),
        UploadResultKind.Rejected => (result.Rejection!.StatusCode, Problem.CustomType("refused"), "The upload was rejected", result.Rejection.Reason),
        UploadResultKind.MetadataTooLarge => (431, Problem.CustomType("headers-too-large"), "The request headers are too large",
            "The URL and the headers that describe the content are larger than the server can store. Send shorter headers."),
        UploadResultKind.TooManyUploads => (429, Problem.CustomType("too-many-uploads"), "Too many unfinished uploads",
            "Finish or delete other uploads, then retry."),
        UploadResultKind.TooManyAppends => (429, Problem.CustomType("too-many-requests"), "Too many concurrent uploads",
            "Wait until other requests have ended, then retry."),
        UploadResultKind.StorageFull => (507, Problem.CustomType("storage-full"), "The storage is full",
            "Retry later. The bytes that the server acknowledged are stored."),
        _ => (503, Problem.CustomType("storage-failed"), "The storage is not available",
            "Retry later. The bytes that the server acknowledged are stored."),
    };
}
