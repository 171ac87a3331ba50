using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace ResumableUploads;

/// <summary>How well a content type fits an endpoint, best first.</summary>
internal enum ContentTypeFit
{
    /// <summary>The endpoint names it.</summary>
    Named,

    /// <summary>The endpoint names a range that it is in.</summary>
    Range,

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
    public static readonly string[] Content = [HttpMethods.Post, HttpMethods.Put, HttpMethods.Patch];

    public RouteEndpoint Original => original;

    public IResumableEndpointMetadata Settings => settings;

    /// <summary>The methods with which the app's endpoint takes content; none: it is not for uploads.</summary>
    public IReadOnlyList<string> Methods { get; } = ContentMethods(original);

    /// <summary>The endpoint as a resumable one, or null where it is none.</summary>
    public static ResumableRoute? From(Endpoint endpoint) =>
        endpoint is RouteEndpoint route
        && endpoint.Metadata.GetMetadata<IResumableEndpointMetadata>() is { } settings
        && new ResumableRoute(route, settings) is { Methods.Count: > 0 } resumable
            ? resumable
            : null;

    /// <summary>The methods of an endpoint that carry content; all of them where it does not name its methods.</summary>
    public static IReadOnlyList<string> ContentMethods(Endpoint endpoint) =>
        endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods is { Count: > 0 } methods
            ? [.. Content.Where(content => methods.Contains(content, StringComparer.OrdinalIgnoreCase))]
            : Content;

    /// <summary>How well a stated content type fits the endpoint.</summary>
    public ContentTypeFit FitOf(string contentType)
    {
        if (original.Metadata.GetMetadata<IAcceptsMetadata>() is not { ContentTypes: { Count: > 0 } accepted })
        {
            return ContentTypeFit.Any;
        }

        return MediaTypeHeaderValue.TryParse(contentType, out MediaTypeHeaderValue? sent)
            ? accepted.Select(static one => MediaTypeHeaderValue.Parse(one)).Where(sent.IsSubsetOf)
                .Select(static one => one.MatchesAllSubTypes ? ContentTypeFit.Range : ContentTypeFit.Named).DefaultIfEmpty(ContentTypeFit.None).Min()
            : ContentTypeFit.None;
    }

    /// <summary>The most bytes of an upload: the endpoint's own word, and never more than its limit for a request.</summary>
    public long MaxUploadSize(ResumableUploadOptions options) => Math.Min(
        settings.MaxUploadSize ?? options.MaxUploadSize,
        original.Metadata.GetMetadata<IRequestSizeLimitMetadata>()?.MaxRequestBodySize ?? long.MaxValue);
}
