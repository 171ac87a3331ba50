namespace ResumableUploads.Cli.Files;

/// <summary>A file or folder that is not uploaded.</summary>
/// <param name="DisplayPath">The path as the user knows it.</param>
/// <param name="Message">The reason.</param>
/// <param name="IsError">Whether this is a failure, and not only worth a warning.</param>
internal sealed record FileProblem(string DisplayPath, string Message, bool IsError);
