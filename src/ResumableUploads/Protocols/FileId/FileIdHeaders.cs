namespace ResumableUploads.Protocols.FileId;

/// <summary>The names of the protocol's own headers.</summary>
internal static class FileIdHeaders
{
    public const string FileId = "X-File-Id";
    public const string StartByte = "X-Start-Byte";
    public const string FileSize = "X-File-Size";
    public const string FileName = "X-File-Name";
    public const string UploadComplete = "X-Upload-Complete";

    /// <summary>What requests of the protocol carry, and the application's endpoint does not see.</summary>
    public static readonly string[] RequestHeaders = [FileId, StartByte, FileSize, FileName];

    /// <summary>Headers whose bytes may be anything; the server is set up to pass them on byte for byte (F-2).</summary>
    public static bool AllowsRawBytes(string name) =>
        string.Equals(name, FileId, StringComparison.OrdinalIgnoreCase) || string.Equals(name, FileName, StringComparison.OrdinalIgnoreCase);
}
