using Microsoft.Extensions.Primitives;
using ResumableUploads.Protocols.FileId;
using ResumableUploads.Protocols.Ietf;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.Protocols;

/// <summary>By what the protocols tell their requests apart, where one must not carry the headers of another.</summary>
internal static class ConflictingHeaders
{
    /// <summary>Headers of tus and of the IETF draft that no request of the file-id protocol has.</summary>
    public static readonly string[] ForFileId = [TusHeaders.Resumable, .. IetfHeaders.DraftOnlyHeaders];

    /// <summary>Headers of the file-id protocol and of the IETF draft that no request of tus has.</summary>
    public static readonly string[] ForTus = [FileIdHeaders.FileId, .. IetfHeaders.DraftOnlyHeaders];

    /// <summary>Headers of the file-id protocol and of tus that no request of the IETF draft has.</summary>
    public static readonly string[] ForIetf = [FileIdHeaders.FileId, TusHeaders.Resumable];

    public static bool IsPartialUploadContentType(StringValues contentType) =>
        contentType.ToString().Split(';')[0].Trim().Equals(IetfHeaders.PartialUploadContentType, StringComparison.OrdinalIgnoreCase);
}
