namespace ResumableUploads.Client.Sources;

/// <summary>The bytes of a source that the next request has.</summary>
/// <param name="Count">The number of bytes.</param>
/// <param name="IsLast">Whether no bytes follow.</param>
internal readonly record struct SourceRange(long Count, bool IsLast);
