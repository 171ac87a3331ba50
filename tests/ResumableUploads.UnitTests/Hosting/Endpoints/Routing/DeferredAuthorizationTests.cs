using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using ResumableUploads.Hosting.Endpoints.Routing;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Routing;

/// <summary>Endpoints at one URL that have different policies.</summary>
public class DeferredAuthorizationTests
{
    [Fact]
    public void GetUnauthorized_removes_schemes_that_would_replace_the_user()
    {
        var endpoint = new RouteEndpoint(
            static _ => Task.CompletedTask,
            RoutePatternFactory.Parse("/files"),
            order: 0,
            new EndpointMetadataCollection(new AuthorizeAttribute { AuthenticationSchemes = "ApiKey" }, "kept"),
            "files");
        Endpoint copy = new DeferredAuthorization().GetUnauthorized(endpoint);
        Assert.Null(copy.Metadata.GetMetadata<IAuthorizeData>());
        Assert.NotNull(copy.Metadata.GetMetadata<IAllowAnonymous>());
        Assert.Contains("kept", copy.Metadata);
    }
}
