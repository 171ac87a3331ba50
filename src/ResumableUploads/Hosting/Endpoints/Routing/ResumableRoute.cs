using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc.Controllers;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using ResumableUploads.Hosting.Endpoints.Routing.Chunks;

namespace ResumableUploads.Hosting.Endpoints.Routing;

/// <summary>How well a content type matches the types that an endpoint accepts, best first.</summary>
internal enum ContentTypeMatch
{
    /// <summary>The endpoint accepts exactly this type.</summary>
    Exact,

    /// <summary>The endpoint accepts a range that contains the type.</summary>
    Wildcard,

    /// <summary>The endpoint accepts any type.</summary>
    Any,

    /// <summary>The endpoint does not accept the type.</summary>
    None,
}

/// <summary>A resumable endpoint of the app. Also the metadata by which its chunk endpoints refer to it.</summary>
/// <param name="appEndpoint">The endpoint of the app.</param>
/// <param name="metadata">The metadata that makes it resumable.</param>
internal sealed class ResumableRoute(RouteEndpoint appEndpoint, IResumableEndpointMetadata metadata)
{
    /// <summary>The number of characters of a <see cref="Tag"/>.</summary>
    public const int TagLength = 8;

    private const string SharedEngineName = "endpoints";

    /// <summary>The methods that carry content.</summary>
    public static readonly string[] AllContentMethods = [HttpMethods.Post, HttpMethods.Put, HttpMethods.Patch];

    public RouteEndpoint AppEndpoint => appEndpoint;

    /// <summary>Gets the endpoint that runs with the complete request.</summary>
    public Endpoint FormReadingEndpoint => field ??= Execution.Forms.FormReadingEndpoint.Create(appEndpoint);

    public IResumableEndpointMetadata Metadata => metadata;

    /// <summary>Gets the methods with content that the endpoint accepts. Empty if it cannot receive uploads.</summary>
    public IReadOnlyList<string> Methods { get; } = GetContentMethods(appEndpoint);

    /// <summary>
    /// Gets the identity of the endpoint, which is part of the keys of its uploads. It is the same in every process and after each deployment, as long as
    /// what selects the endpoint does not change, and does not depend on the order in which endpoints are mapped.
    /// </summary>
    public string Identity => field ??= string.Join(
        '\0',
        appEndpoint.RoutePattern.RawText,
        Join(Methods),
        Join(appEndpoint.Metadata.GetMetadata<IHostMetadata>()?.Hosts),
        Join(appEndpoint.Metadata.GetMetadata<IAcceptsMetadata>()?.ContentTypes),
        appEndpoint.Metadata.GetMetadata<ControllerActionDescriptor>() is { } action
            ? $"{action.ControllerTypeInfo.FullName}.{action.MethodInfo.Name}({Join([.. action.RouteValues.Select(static value => $"{value.Key}={value.Value}")])})"
            : "",
        appEndpoint.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName);

    /// <summary>Gets a short form of <see cref="Identity"/> for the URLs of uploads.</summary>
    public string Tag => field ??= Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Identity)))[..TagLength];

    /// <summary>
    /// Gets the name of the endpoint's engine in the records of its uploads. Endpoints with the same options share an engine, and options without a name of
    /// their own are identified by the endpoint.
    /// </summary>
    public string EngineName => metadata.ConfigureOptions is not null ? Identity
        : metadata.OptionsName.Length == 0 ? SharedEngineName
        : $"{SharedEngineName}:{metadata.OptionsName}";

    /// <summary>Gets the identity of a ready-made endpoint, as <see cref="Identity"/> is that of an endpoint of the app.</summary>
    public static string GetMappedIdentity(RouteEndpointBuilder endpoint) => string.Join(
        '\0',
        endpoint.RoutePattern.RawText,
        Join(endpoint.Metadata.OfType<IHostMetadata>().LastOrDefault()?.Hosts),
        endpoint.Metadata.OfType<IEndpointNameMetadata>().LastOrDefault()?.EndpointName);

    /// <summary>Returns the route of a resumable endpoint, or <see langword="null"/> if the endpoint is not resumable.</summary>
    public static ResumableRoute? TryCreate(Endpoint endpoint) =>
        endpoint is RouteEndpoint route
        && endpoint.Metadata.GetMetadata<IResumableEndpointMetadata>() is { } metadata
        && new ResumableRoute(route, metadata) is { Methods.Count: > 0 } resumable
            ? resumable
            : null;

    /// <summary>Gets the methods with content that an endpoint accepts: all of them if it has neither method metadata nor a constraint for methods.</summary>
    public static IReadOnlyList<string> GetContentMethods(Endpoint endpoint) =>
    [
        .. AllContentMethods.Where(content =>
            (endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods is not { Count: > 0 } methods || methods.Contains(content, StringComparer.OrdinalIgnoreCase))
            && MethodConstraint.Accepts(endpoint, content)),
    ];

    private static string Join(IReadOnlyList<string>? values) => string.Join(',', (values ?? []).Order(StringComparer.Ordinal));

    /// <summary>Compares a content type with those that the endpoint accepts.</summary>
    public ContentTypeMatch MatchContentType(string contentType)
    {
        if (appEndpoint.Metadata.GetMetadata<IAcceptsMetadata>() is not { ContentTypes: { Count: > 0 } accepted })
        {
            return ContentTypeMatch.Any;
        }

        return MediaTypeHeaderValue.TryParse(contentType, out MediaTypeHeaderValue? sent)
            ? accepted.Select(static type => MediaTypeHeaderValue.Parse(type)).Where(sent.IsSubsetOf)
                .Select(static type => type.MatchesAllSubTypes ? ContentTypeMatch.Wildcard : ContentTypeMatch.Exact).DefaultIfEmpty(ContentTypeMatch.None).Min()
            : ContentTypeMatch.None;
    }

    /// <summary>Gets the maximum size of an upload, in bytes: that of the endpoint or of the options, and at most the endpoint's request size limit.</summary>
    public long GetMaxUploadSize(ResumableUploadOptions options) => Math.Min(
        metadata.MaxUploadSize ?? options.MaxUploadSize,
        appEndpoint.Metadata.GetMetadata<IRequestSizeLimitMetadata>()?.MaxRequestBodySize ?? long.MaxValue);
}
