namespace ResumableUploads.Protocols.FileId;

/// <summary>The header names of the file-id protocol.</summary>
internal static class FileIdHeaders
{
    public const string FileId = "X-File-Id";
    public const string StartByte = "X-Start-Byte";
    public const string FileSize = "X-File-Size";
    public const string FileName = "X-File-Name";
    public const string UploadComplete = "X-Upload-Complete";

    /// <summary>The request headers that are not visible to the application's endpoint.</summary>
    public static readonly string[] RequestHeaders = [FileId, StartByte, FileSize, FileName];

    /// <summary>
    /// Returns whether a header may contain any bytes. Kestrel is configured to decode these headers as ISO-8859-1, which preserves every byte. See
    /// docs/protocols/file-id.md#header-encoding.
    /// </summary>
    public static bool AllowsRawBytes(string name) =>
        string.Equals(name, FileId, StringComparison.OrdinalIgnoreCase) || string.Equals(name, FileName, StringComparison.OrdinalIgnoreCase);
}
