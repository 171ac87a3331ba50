namespace ResumableUploads.Hosting.Tickets.Routing;

/// <summary>Metadata of the endpoints of <c>MapResumableUploads</c>, which handle requests of uploads only.</summary>
internal sealed class MappedUploadMetadata
{
    public static readonly MappedUploadMetadata Instance = new();
}
