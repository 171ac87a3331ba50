using Microsoft.Extensions.Primitives;

namespace ResumableUploads.Protocols;

/// <summary>By what the protocols tell their requests apart, where one must not carry the headers of another.</summary>
internal static class OtherProtocols
{
    public const string PartialUpload = "application/partial-upload";

    /// <summary>Headers of tus and of the IETF draft that no request of the file-id protocol has.</summary>
    public static readonly string[] Headers = ["Tus-Resumable", "Upload-Complete", "Upload-Incomplete", "Upload-Draft-Interop-Version"];

    public static bool IsPartialUpload(StringValues contentType) =>
        contentType.ToString().Split(';')[0].Trim().Equals(PartialUpload, StringComparison.OrdinalIgnoreCase);
}
