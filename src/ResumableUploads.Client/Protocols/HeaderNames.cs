namespace ResumableUploads.Client.Protocols;

internal static class HeaderNames
{
    public const string FileId = "X-File-Id";
    public const string StartByte = "X-Start-Byte";
    public const string FileSize = "X-File-Size";
    public const string FileName = "X-File-Name";
    public const string IsComplete = "X-Upload-Complete";
    public const string IsReplayed = "X-Upload-Replayed";
    public const string ContentRange = "Content-Range";
    public const string ContentType = "Content-Type";
    public const string ContentDisposition = "Content-Disposition";
    public const string ContentDigest = "Content-Digest";
    public const string ReprDigest = "Repr-Digest";
    public const string TusResumable = "Tus-Resumable";
    public const string TusExtension = "Tus-Extension";
    public const string TusMaxSize = "Tus-Max-Size";
    public const string UploadOffset = "Upload-Offset";
    public const string UploadLength = "Upload-Length";
    public const string UploadDeferLength = "Upload-Defer-Length";
    public const string UploadMetadata = "Upload-Metadata";
    public const string UploadComplete = "Upload-Complete";
    public const string UploadLimit = "Upload-Limit";
    public const string InteropVersion = "Upload-Draft-Interop-Version";

    /// <summary>The response headers that only upload endpoints send.</summary>
    public static readonly string[] OfUploadEndpoints = [TusResumable, UploadComplete, UploadOffset, IsComplete, StartByte];

    /// <summary>Returns whether a header is set by the client itself, so that an app must not set it.</summary>
    public static bool IsReserved(string name) =>
        name.StartsWith("Upload-", StringComparison.OrdinalIgnoreCase) || Reserved.Contains(name);

    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        FileId, StartByte, FileSize, FileName, ContentRange, ContentType, ContentDisposition, ContentDigest, ReprDigest, TusResumable, "Content-Length", "Transfer-Encoding", "Expect",
    };
}
