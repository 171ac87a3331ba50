namespace ResumableUploads.Client.Protocols;

/// <summary>The properties of an upload that a server receives.</summary>
/// <param name="Uri">The URL of the upload endpoint.</param>
/// <param name="Method">The method of creations, and of appends of the file-id protocol.</param>
/// <param name="FileName">The file name.</param>
/// <param name="ContentType">The media type.</param>
/// <param name="Length">The length, if it is known at the start.</param>
/// <param name="Metadata">The additional metadata.</param>
internal sealed record UploadDescription(Uri Uri, HttpMethod Method, string? FileName, string? ContentType, long? Length, IReadOnlyDictionary<string, string> Metadata);
