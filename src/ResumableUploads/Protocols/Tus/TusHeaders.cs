namespace ResumableUploads.Protocols.Tus;

/// <summary>The header names and values of tus 1.0.0.</summary>
internal static class TusHeaders
{
    public const string ProtocolVersion = "1.0.0";

    public const string Resumable = "Tus-Resumable";
    public const string SupportedVersions = "Tus-Version";
    public const string Extension = "Tus-Extension";
    public const string MaxSize = "Tus-Max-Size";
    public const string ChecksumAlgorithm = "Tus-Checksum-Algorithm";
    public const string Offset = "Upload-Offset";
    public const string Length = "Upload-Length";
    public const string DeferLength = "Upload-Defer-Length";
    public const string Metadata = "Upload-Metadata";
    public const string Checksum = "Upload-Checksum";
    public const string Concat = "Upload-Concat";
    public const string Expires = "Upload-Expires";
    public const string MethodOverride = "X-HTTP-Method-Override";

    /// <summary>The content type of a chunk.</summary>
    public const string PatchContentType = "application/offset+octet-stream";

    /// <summary>The response headers that CORS must expose.</summary>
    public static readonly string[] ResponseHeaders =
        [Resumable, SupportedVersions, Extension, MaxSize, ChecksumAlgorithm, Offset, Length, DeferLength, Metadata, Concat, Expires];

    /// <summary>The request headers that are not visible to the application's endpoint.</summary>
    public static readonly string[] RequestHeaders =
        [Resumable, Offset, Length, DeferLength, Metadata, Checksum, Concat, MethodOverride];
}
