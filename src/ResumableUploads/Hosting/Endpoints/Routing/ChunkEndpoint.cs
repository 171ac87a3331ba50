using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Mvc.Authorization;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.Routing;

namespace ResumableUploads.Hosting.Endpoints.Routing;

/// <summary>What a sibling takes.</summary>
internal enum ChunkEndpointRole
{
    /// <summary>Content, by the methods of its endpoint.</summary>
    Content,

    /// <summary>That, and questions for the status or to cancel.</summary>
    ContentAndManagement,

    /// <summary>Every method that a protocol has.</summary>
    AllMethods,

    /// <summary>The question what can be done.</summary>
    Discovery,
}

/// <summary>
/// The endpoint that takes the pieces for another one. It stands at the same URL and has the same metadata (authorization, CORS and whatever
/// the app reads), except for what speaks of one whole request: its method, content type, size and token.
/// </summary>
internal static class ChunkEndpoint
{
    private static readonly string[] ManagementMethods = [HttpMethods.Get, HttpMethods.Head, HttpMethods.Delete, HttpMethods.Options];

    /// <summary>Makes the sibling.</summary>
    /// <param name="route">The app's endpoint.</param>
    /// <param name="role">What it takes.</param>
    /// <param name="handle">What it does.</param>
    public static RouteEndpoint Create(ResumableRoute route, ChunkEndpointRole role, RequestDelegate handle)
    {
        RouteEndpoint original = route.AppEndpoint;
        IEnumerable<string> methods = role switch
        {
            ChunkEndpointRole.Content => route.Methods,
            ChunkEndpointRole.ContentAndManagement => [.. route.Methods, .. ManagementMethods],
            ChunkEndpointRole.Discovery => [HttpMethods.Options],
            _ => [.. ResumableRoute.AllContentMethods, .. ManagementMethods],
        };
        return new RouteEndpoint(
            handle,
            original.RoutePattern,
            original.Order,
            new EndpointMetadataCollection(
            [
                .. original.Metadata.Where(static item => !DescribesSingleRequest(item)),
                .. GetFilterAuthorization(original),
                new HttpMethodMetadata(methods, acceptCorsPreflight: true),
                route,
            ]),
            $"{original.DisplayName} (pieces)");
    }

    private static bool DescribesSingleRequest(object metadata) => metadata is
        IHttpMethodMetadata or IAcceptsMetadata or IRequestSizeLimitMetadata or IAntiforgeryMetadata
        or IDynamicEndpointMetadata or PageActionDescriptor or IResumableEndpointMetadata;

    /// <summary>An app may ask for authorization by a filter for all of its controllers. Filters run with the handler, and pieces come before.</summary>
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
