namespace ResumableUploads.Hosting.Endpoints.Routing;

/// <summary>
/// Names that ASP.NET Core uses internally and that this library relies on. <c>FrameworkInternalsTests</c> compares each with the behavior of the
/// framework. See README.md in this folder.
/// </summary>
internal static class FrameworkInternals
{
    /// <summary>The key in <c>HttpContext.Items</c> that the authorization middleware sets after it has seen an endpoint.</summary>
    public const string AuthorizationInvokedKey = "__AuthorizationMiddlewareWithEndpointInvoked";

    /// <summary>The key in <c>HttpContext.Items</c> that the CORS middleware sets after it has seen an endpoint.</summary>
    public const string CorsInvokedKey = "__CorsMiddlewareWithEndpointInvoked";

    /// <summary>The key in <c>IApplicationBuilder.Properties</c> that <c>UseAntiforgery()</c> sets.</summary>
    public const string AntiforgerySetKey = "__AntiforgeryMiddlewareSet";

    /// <summary>The type of the feature in which the antiforgery services keep the tokens that they have read from a request.</summary>
    public const string AntiforgeryFeatureName = "Microsoft.AspNetCore.Antiforgery.IAntiforgeryFeature";

    /// <summary>The order of the framework's matcher policy for HTTP methods.</summary>
    public const int HttpMethodPolicyOrder = -1000;
}
