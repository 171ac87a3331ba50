using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Hosting.Endpoints.Routing;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Routing;

/// <summary>Endpoints at one URL that have different policies.</summary>
public class DeferredAuthorizationTests
{
    /// <param name="hasFallback">Whether the app has a fallback policy, which applies to endpoints without a policy.</param>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task GetUnauthorizedAsync_removes_policies_and_schemes(bool hasFallback)
    {
        await using ServiceProvider services = new ServiceCollection()
            .AddAuthorization(options => options.FallbackPolicy = hasFallback ? options.DefaultPolicy : null).BuildServiceProvider();
        var endpoint = new RouteEndpoint(
            static _ => Task.CompletedTask,
            RoutePatternFactory.Parse("/files"),
            order: 0,
            new EndpointMetadataCollection(new AuthorizeAttribute { AuthenticationSchemes = "ApiKey" }, new AllowAnonymousAttribute(), "kept"),
            "files");
        Endpoint copy = await new DeferredAuthorization().GetUnauthorizedAsync(new DefaultHttpContext { RequestServices = services }, endpoint);

        // The schemes would replace the user. Middleware of the app may skip its checks where anonymous requests are allowed.
        Assert.Null(copy.Metadata.GetMetadata<IAuthorizeData>());
        Assert.Equal(hasFallback, copy.Metadata.GetMetadata<IAllowAnonymous>() is not null);
        Assert.Contains("kept", copy.Metadata);
    }
}
