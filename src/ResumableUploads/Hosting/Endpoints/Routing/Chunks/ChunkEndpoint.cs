using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Mvc.Authorization;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.Routing;
using ResumableUploads.Hosting.Caching;

namespace ResumableUploads.Hosting.Endpoints.Routing.Chunks;

/// <summary>The requests that a chunk endpoint accepts.</summary>
internal enum ChunkEndpointRole
{
    /// <summary>Chunks, with the methods of the app's endpoint, status requests and cancellations.</summary>
    Content,

    /// <summary>All methods of the upload protocols.</summary>
    AllMethods,

    /// <summary>OPTIONS requests.</summary>
    Discovery,
}

/// <summary>
/// Creates the endpoint that handles the chunks for an endpoint of the app. It has the same route pattern, for all methods, and the same metadata (authorization, CORS,
/// the app's own), except for metadata that describes a single request: method, content type, size limit, antiforgery token and output caching.
/// </summary>
internal static class ChunkEndpoint
{
    private static readonly string[] ManagementMethods = [HttpMethods.Get, HttpMethods.Head, HttpMethods.Delete, HttpMethods.Options];

    public static RouteEndpoint Create(ResumableRoute route, ChunkEndpointRole role, RequestDelegate handle)
    {
        RouteEndpoint original = route.AppEndpoint;
        IEnumerable<string> methods = role switch
        {
            ChunkEndpointRole.Content => [.. route.Methods, .. ManagementMethods],
            ChunkEndpointRole.Discovery => [HttpMethods.Options],
            _ => [.. ResumableRoute.AllContentMethods, .. ManagementMethods],
        };
        return new RouteEndpoint(
            handle,
            MethodConstraint.Remove(original.RoutePattern),
            original.Order,
            new EndpointMetadataCollection(
            [
                .. original.Metadata.Where(static item => !DescribesSingleRequest(item)),
                .. GetFilterAuthorization(original),
                CookieRedirectDisabledMetadata.Instance,
                UploadOutputCachePolicy.ForEndpoints,
                new HttpMethodMetadata(methods, acceptCorsPreflight: true),
                route,
            ]),
            $"{original.DisplayName} (chunks)");
    }

    private static bool DescribesSingleRequest(object metadata) => UploadOutputCachePolicy.IsPolicy(metadata) || metadata is
        IHttpMethodMetadata or IAcceptsMetadata or IRequestSizeLimitMetadata or IAntiforgeryMetadata
        or IDynamicEndpointMetadata or PageActionDescriptor or IResumableEndpointMetadata;

    /// <summary>
    /// Returns MVC authorization filters as metadata, because filters run only with the action, and chunks are handled before the action.
    /// </summary>
    private static IEnumerable<object> GetFilterAuthorization(Endpoint original)
    {
        if (original.Metadata.GetMetadata<IAllowAnonymous>() is not null)
        {
            yield break;
        }

        foreach (AuthorizeFilter filter in original.Metadata.GetMetadata<ActionDescriptor>()?.FilterDescriptors
            .Select(static descriptor => descriptor.Filter).OfType<AuthorizeFilter>() ?? [])
        {
            if (filter.Policy is { } policy)
            {
                yield return policy;
                yield return new AuthorizeAttribute();
            }

            foreach (IAuthorizeData data in filter.AuthorizeData ?? [])
            {
                yield return data;
            }
        }
    }
}
