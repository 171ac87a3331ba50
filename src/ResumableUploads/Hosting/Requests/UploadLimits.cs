using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Net.Http.Headers;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Protocols.Ietf;

namespace ResumableUploads.Hosting.Requests;

/// <summary>The limits that the options, an endpoint and the server set for uploads.</summary>
internal sealed class UploadLimits(ResumableUploadOptions options)
{
    /// <summary>Gets how long a new upload is kept.</summary>
    public TimeSpan Expiration => options.Expiration < options.Timeouts.MaxAge ? options.Expiration : options.Timeouts.MaxAge;

    /// <summary>Gets the maximum size of an upload, in bytes.</summary>
    public long GetMaxUploadSize(EndpointTarget? target) => target?.Route.GetMaxUploadSize(options) ?? options.MaxUploadSize;

    /// <summary>
    /// Gets the maximum size, in bytes, of an upload with a content type that endpoints bind by reading the whole content into memory (JSON, XML and
    /// URL-encoded forms), or with one that cannot be parsed. It is the server's limit for a request body, unless the endpoint has a limit of its own. Returns
    /// <see langword="null"/> if no such limit applies.
    /// </summary>
    public long? GetBufferedContentLimit(UploadRequest request, string? contentType) =>
        request.Target?.Route is { } route && !options.IsMaxUploadSizeSetByEndpoint && route.Metadata.MaxUploadSize is null
        && route.AppEndpoint.Metadata.GetMetadata<IRequestSizeLimitMetadata>() is null
        && IsBuffered(contentType)
            ? request.ServerBodyLimit
            : null;

    /// <summary>Gets the limits that a client of the IETF draft is sent.</summary>
    public IetfLimits GetIetfLimits(UploadRequest request) => new(
        Math.Min(
            GetMaxUploadSize(request.Target),
            (request.Url.IsUpload ? null : GetBufferedContentLimit(request, request.Context.Request.ContentType)) ?? long.MaxValue),
        options.Ietf.MinUploadSize,
        options.Ietf.MaxAppendSize,
        options.Ietf.MinAppendSize);

    private static bool IsBuffered(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out MediaTypeHeaderValue? type)
            ? Is(type.SubType, "json") || Is(type.SubType, "xml") || Is(type.Suffix, "json") || Is(type.Suffix, "xml") || Is(type.MediaType, "application/x-www-form-urlencoded")

            // MVC parses types less strictly: "application/json,x" is JSON.
            : !string.IsNullOrWhiteSpace(contentType);

    private static bool Is(Microsoft.Extensions.Primitives.StringSegment text, string expected) => text.Equals(expected, StringComparison.OrdinalIgnoreCase);
}
