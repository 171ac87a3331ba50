namespace ResumableUploads.Engine;

/// <summary>The description of a new upload in a request.</summary>
/// <param name="Protocol">The protocol of the request.</param>
/// <param name="RawFileName">The file name as sent by the client, not validated, or null.</param>
/// <param name="ContentType">The content type as sent by the client, not validated, or null.</param>
/// <param name="Request">The request that the application's endpoint receives after the upload, or null if there is no endpoint to run.</param>
/// <param name="ProtocolMetadata">The protocol's own metadata as sent by the client, or null. Status responses repeat it.</param>
internal sealed record CreateCommand(string Protocol, string? RawFileName, string? ContentType, StoredRequest? Request = null, string? ProtocolMetadata = null)
{
    /// <summary>Gets or sets the name of the engine in the record of the upload, or null if the engine has only one.</summary>
    public string? EngineName { get; set; }

    /// <summary>Gets or sets the maximum size of the upload in bytes that its content type has, or null to apply only the limits of each request.</summary>
    public long? MaxUploadSize { get; set; }

    /// <summary>Gets the content coding of the upload, or null if it is not encoded.</summary>
    public string? ContentCoding { get; init; }

    /// <summary>Gets whether the upload is complete as soon as it has all its bytes, whatever the client sends after that.</summary>
    public bool CompletesAtLength { get; init; }

    /// <summary>Gets the upload's role in a concatenation, or null.</summary>
    public ConcatenationInfo? Concatenation { get; init; }
}
