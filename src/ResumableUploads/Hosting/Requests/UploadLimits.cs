using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Mvc.ModelBinding;
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
    /// Gets the maximum size, in bytes, of an upload that the endpoint binds by reading the whole content into memory: JSON, XML and URL-encoded forms,
    /// content of a type that cannot be parsed, and any content for an MVC action with a parameter from the body. It is the server's limit for a request
    /// body, unless the endpoint has a limit of its own. Returns <see langword="null"/> if no such limit applies.
    /// </summary>
    public long? GetBufferedContentLimit(UploadRequest request, string? contentType) =>
        request.Target?.Route is { } route && !options.IsMaxUploadSizeSet && route.Metadata.MaxUploadSize is null
        && (IsBuffered(contentType) || HasBodyParameter(route.AppEndpoint))
            ? GetFormValuesLimit(request)
            : null;

    /// <summary>
    /// Gets the maximum size, in bytes, of all values of a multipart form, which are read into memory. It is the server's limit for a request body, unless
    /// the endpoint has a request size limit of its own. The maximum upload size of an endpoint does not change it: that is meant for the files of the form.
    /// </summary>
    public static long? GetFormValuesLimit(UploadRequest request) =>
        request.Target?.Route.AppEndpoint.Metadata.GetMetadata<IRequestSizeLimitMetadata>() is null ? request.ServerBodyLimit : null;

    /// <summary>Gets the limits that a client of the IETF draft is sent.</summary>
    public IetfLimits GetIetfLimits(UploadRequest request) => new(
        Math.Min(
            GetMaxUploadSize(request.Target),
            (request.Url.IsUpload ? null : GetBufferedContentLimit(request, request.Context.Request.ContentType)) ?? long.MaxValue),
        options.Ietf.MinUploadSize,
        options.Limits.MaxAppendSize,
        options.Ietf.MinAppendSize);

    private static bool IsBuffered(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out MediaTypeHeaderValue? type)
            ? Is(type.SubType, "json") || Is(type.SubType, "xml") || Is(type.Suffix, "json") || Is(type.Suffix, "xml") || Is(type.MediaType, "application/x-www-form-urlencoded")

            // MVC parses types less strictly: "application/json,x" is JSON.
            : !string.IsNullOrWhiteSpace(contentType);

    /// <summary>Returns whether an input formatter of MVC reads the content. A stream is not read by the framework.</summary>
    private static bool HasBodyParameter(Endpoint endpoint) =>
        endpoint.Metadata.GetMetadata<ActionDescriptor>() is { } action
        && action.Parameters.Concat(action.BoundProperties).Any(static parameter =>
            parameter.BindingInfo?.BindingSource == BindingSource.Body && !typeof(Stream).IsAssignableFrom(parameter.ParameterType));

    private static bool Is(Microsoft.Extensions.Primitives.StringSegment text, string expected) => text.Equals(expected, StringComparison.OrdinalIgnoreCase);
}
