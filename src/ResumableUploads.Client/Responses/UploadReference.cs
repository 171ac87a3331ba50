namespace ResumableUploads.Client;

/// <summary>Identifies an upload on a server.</summary>
/// <param name="Protocol">The protocol.</param>
/// <param name="Uri">The URL of the upload. In the file-id protocol, the URL of the upload endpoint.</param>
/// <param name="Id">The file id of the upload in the file-id protocol, otherwise <see langword="null"/>.</param>
public sealed record UploadReference(UploadProtocol Protocol, Uri Uri, string? Id = null);
