namespace ResumableUploads.Client;

/// <summary>What is required to continue an upload after a restart.</summary>
/// <param name="Upload">The upload on the server.</param>
/// <param name="Length">The length of the content, or <see langword="null"/> if it is not known.</param>
/// <param name="Fingerprint">Identifies the content. An upload of content with another fingerprint is not continued.</param>
public sealed record UploadStateEntry(UploadReference Upload, long? Length, string Fingerprint);
