using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace ResumableUploads.Hosting.Endpoints.Routing;

/// <summary>How well a content type fits an endpoint, best first.</summary>
internal enum ContentTypeMatch
{
    /// <summary>The endpoint names it.</summary>
    Exact,

    /// <summary>The endpoint names a range that it is in.</summary>
    Wildcard,

    /// <summary>The endpoint takes any.</summary>
    Any,

    /// <summary>The endpoint does not take it.</summary>
    None,
}

/// <summary>An endpoint of the app that takes resumable uploads, as its sibling knows it.</summary>
/// <param name="original">The app's own endpoint.</param>
/// <param name="settings">How it takes them.</param>
internal sealed class ResumableRoute(RouteEndpoint original, IResumableEndpointMetadata settings)
{
    /// <summary>Methods that carry content.</summary>
    public static readonly string[] AllContentMethods = [HttpMethods.Post, HttpMethods.Put, HttpMethods.Patch];

    public RouteEndpoint AppEndpoint => original;

    public IResumableEndpointMetadata Metadata => settings;

    /// <summary>The methods with which the app's endpoint takes content; none: it is not for uploads.</summary>
    public IReadOnlyList<string> Methods { get; } = GetContentMethods(original);

    /// <summary>The endpoint as a resumable one, or null where it is none.</summary>
    public static ResumableRoute? TryCreate(Endpoint endpoint) =>
        endpoint is RouteEndpoint route
        && endpoint.Metadata.GetMetadata<IResumableEndpointMetadata>() is { } settings
        && new ResumableRoute(route, settings) is { Methods.Count: > 0 } resumable
            ? resumable
            : null;

    /// <summary>The methods of an endpoint that carry content; all of them where it does not name its methods.</summary>
    public static IReadOnlyList<string> GetContentMethods(Endpoint endpoint) =>
        endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods is { Count: > 0 } methods
            ? [.. AllContentMethods.Where(content => methods.Contains(content, StringComparer.OrdinalIgnoreCase))]
            : AllContentMethods;

    /// <summary>How well a stated content type fits the endpoint.</summary>
    public ContentTypeMatch MatchContentType(string contentType)
    {
        if (original.Metadata.GetMetadata<IAcceptsMetadata>() is not { ContentTypes: { Count: > 0 } accepted })
        {
            return ContentTypeMatch.Any;
        }

        return MediaTypeHeaderValue.TryParse(contentType, out MediaTypeHeaderValue? sent)
            ? accepted.Select(static one => MediaTypeHeaderValue.Parse(one)).Where(sent.IsSubsetOf)
                .Select(static one => one.MatchesAllSubTypes ? ContentTypeMatch.Wildcard : ContentTypeMatch.Exact).DefaultIfEmpty(ContentTypeMatch.None).Min()
            : ContentTypeMatch.None;
    }

    /// <summary>The most bytes of an upload: the endpoint's own word, and never more than its limit for a request.</summary>
    public long GetMaxUploadSize(ResumableUploadOptions options) => Math.Min(
        settings.MaxUploadSize ?? options.MaxUploadSize,
        original.Metadata.GetMetadata<IRequestSizeLimitMetadata>()?.MaxRequestBodySize ?? long.MaxValue);
}
