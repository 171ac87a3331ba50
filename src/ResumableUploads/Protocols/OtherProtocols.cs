using Microsoft.Extensions.Primitives;

namespace ResumableUploads.Protocols;

/// <summary>By what the protocols tell their requests apart, where one must not carry the headers of another.</summary>
internal static class OtherProtocols
{
    /// <summary>Headers of tus and of the IETF draft that no request of the file-id protocol has.</summary>
    public static readonly string[] ThanFileId = [Tus.TusHeaders.Resumable, .. Ietf.IetfHeaders.OfDraftAlone];

    /// <summary>Headers of the file-id protocol and of the IETF draft that no request of tus has.</summary>
    public static readonly string[] ThanTus = [FileId.FileIdHeaders.FileId, .. Ietf.IetfHeaders.OfDraftAlone];

    /// <summary>Headers of the file-id protocol and of tus that no request of the IETF draft has.</summary>
    public static readonly string[] ThanIetf = [FileId.FileIdHeaders.FileId, Tus.TusHeaders.Resumable];

    public static bool IsPartialUpload(StringValues contentType) =>
        contentType.ToString().Split(';')[0].Trim().Equals(Ietf.IetfHeaders.PartialUpload, StringComparison.OrdinalIgnoreCase);
}
