namespace ResumableUploads.Engine.Permits;

/// <summary>A permission for one upload, which the application has given to a client in advance. The key of the upload is derived from it.</summary>
/// <param name="Id">The identifier of the permission, which is not a secret.</param>
/// <param name="Binding">What all requests of the upload have in common. The first request that creates the upload sets it.</param>
/// <param name="Until">The time until which no second upload may be created, later than the end of the permission because clocks differ.</param>
internal sealed record UploadPermit(string Id, string Binding, DateTimeOffset Until)
{
    /// <summary>Gets the owner as the application named it, or null for an anonymous client.</summary>
    public string? Owner { get; init; }

    /// <summary>
    /// Gets a digest of what identifies the content for the client, so that two files do not become one upload. Null for a request that does not describe the
    /// content.
    /// </summary>
    public string? Description { get; init; }

    /// <summary>Returns whether a request with this permission may access an upload with the key of the permission.</summary>
    public bool Allows(EngineRecord record) =>
        record.Permit is { } permit && permit.Id == Id && permit.Binding == Binding && (Description is null || Description == permit.Description);
}
