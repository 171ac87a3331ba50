using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Mvc.Authorization;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.Routing;

namespace ResumableUploads;

/// <summary>What a sibling takes.</summary>
internal enum SiblingRole
{
    /// <summary>Content, by the methods of its endpoint.</summary>
    Content,

    /// <summary>That, and questions for the status or to cancel.</summary>
    ContentAndQuestions,

    /// <summary>Every method that a protocol has.</summary>
    Everything,

    /// <summary>The question what can be done.</summary>
    Discovery,
}

/// <summary>
/// The endpoint that takes the pieces for another one. It stands at the same URL and has the same metadata (authorization, CORS and whatever
/// the app reads), except for what speaks of one whole request: its method, content type, size and token.
/// </summary>
internal static class Sibling
{
    private static readonly string[] Questions = [HttpMethods.Get, HttpMethods.Head, HttpMethods.Delete, HttpMethods.Options];

    /// <summary>Makes the sibling.</summary>
    /// <param name="route">The app's endpoint.</param>
    /// <param name="role">What it takes.</param>
    /// <param name="handle">What it does.</param>
    public static RouteEndpoint Of(ResumableRoute route, SiblingRole role, RequestDelegate handle)
    {
        RouteEndpoint original = route.Original;
        IEnumerable<string> methods = role switch
        {
            SiblingRole.Content => route.Methods,
            SiblingRole.ContentAndQuestions => [.. route.Methods, .. Questions],
            SiblingRole.Discovery => [HttpMethods.Options],
            _ => [.. ResumableRoute.Content, .. Questions],
        };
        return new RouteEndpoint(
            handle,
            original.RoutePattern,
            original.Order,
            new EndpointMetadataCollection(
            [
                .. original.Metadata.Where(static item => !SpeaksOfOneRequest(item)),
                .. AuthorizationOfFilters(original),
                new HttpMethodMetadata(methods, acceptCorsPreflight: true),
                route,
            ]),
            $"{original.DisplayName} (pieces)");
    }

    private static bool SpeaksOfOneRequest(object metadata) => metadata is
        IHttpMethodMetadata or IAcceptsMetadata or IRequestSizeLimitMetadata or IAntiforgeryMetadata
        or IDynamicEndpointMetadata or PageActionDescriptor or IResumableEndpointMetadata;

    /// <summary>An app may ask for authorization by a filter for all of its controllers. Filters run with the handler, and pieces come before.</summary>
    private static IEnumerable<object> AuthorizationOfFilters(Endpoint original)
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
