namespace ResumableUploads.Cli.Files;

/// <summary>A file to upload.</summary>
/// <param name="Path">The full path, or <c>-</c> for standard input.</param>
/// <param name="DisplayPath">The path as the user knows it.</param>
/// <param name="Length">The length, or null if it is not known before the end.</param>
internal sealed record UploadItem(string Path, string DisplayPath, long? Length)
{
    public const string StandardInput = "-";

    public bool IsStandardInput => Path == StandardInput;

    /// <summary>Gets the path from the folder on the command line, which it includes, with <c>/</c> between the names. It is null for a file that is on the command line itself.</summary>
    public string? RelativePath { get; init; }

    /// <summary>Gets the time of the last modification.</summary>
    public DateTime LastModified { get; init; }
}
