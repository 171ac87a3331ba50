using Microsoft.Extensions.Primitives;

namespace ResumableUploads.Protocols;

/// <summary>By what the protocols tell their requests apart, where one must not carry the headers of another.</summary>
internal static class OtherProtocols
{
    public const string PartialUpload = "application/partial-upload";

    private static readonly string[] Ietf = ["Upload-Complete", "Upload-Incomplete", "Upload-Draft-Interop-Version"];

    /// <summary>Headers of tus and of the IETF draft that no request of the file-id protocol has.</summary>
    public static readonly string[] ThanFileId = [Tus.TusHeaders.Resumable, .. Ietf];

    /// <summary>Headers of the file-id protocol and of the IETF draft that no request of tus has.</summary>
    public static readonly string[] ThanTus = [FileId.FileIdHeaders.FileId, .. Ietf];

    public static bool IsPartialUpload(StringValues contentType) =>
        contentType.ToString().Split(';')[0].Trim().Equals(PartialUpload, StringComparison.OrdinalIgnoreCase);
}
