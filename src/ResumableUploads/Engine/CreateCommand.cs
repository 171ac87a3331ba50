namespace ResumableUploads.Engine;

/// <summary>What a client says about a new upload.</summary>
/// <param name="Protocol">The protocol of the request.</param>
/// <param name="RawFileName">The file name as sent by the client, unchecked.</param>
/// <param name="ContentType">The content type as sent by the client, unchecked.</param>
/// <param name="Request">The request as the application's endpoint will see it, if there is one to run.</param>
/// <param name="ProtocolMetadata">The protocol's own metadata as sent by the client, which status responses repeat.</param>
internal sealed record CreateCommand(string Protocol, string? RawFileName, string? ContentType, StoredRequest? Request = null, string? ProtocolMetadata = null)
{
    /// <summary>Gets the upload's role in a concatenation, or null.</summary>
    public ConcatenationInfo? Concatenation { get; init; }
}
