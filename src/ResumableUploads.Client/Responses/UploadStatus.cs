namespace ResumableUploads.Client;

/// <summary>The status of an upload on the server.</summary>
/// <param name="Offset">The number of bytes that the server has stored.</param>
/// <param name="Length">The length of the content, or <see langword="null"/> if the server has not reported it.</param>
/// <param name="IsComplete">Whether the upload is complete.</param>
public sealed record UploadStatus(long Offset, long? Length, bool IsComplete);
