using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Execution;

/// <summary>The endpoint that middleware and the handler see.</summary>
public class EndpointOfRequestTests
{
    /// <param name="choosesPlace">Whether middleware follows that sees only the complete request.</param>
    /// <param name="succeeds">Whether the handler succeeds.</param>
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Middleware_sees_the_same_endpoint_after_the_handler_ran(bool choosesPlace, bool succeeds)
    {
        (Endpoint? Before, Endpoint? After, Endpoint? InHandler) seen = default;
        await using TestApp app = await EndpointApp.StartAsync(
            app =>
            {
                app.UseRouting();
                app.Use(async (context, next) =>
                {
                    seen.Before = context.GetEndpoint();
                    await next(context);
                    seen.After = context.GetEndpoint();
                });
                _ = choosesPlace ? app.UseResumableUploadEndpoints() : app;
                app.MapPost("/files", (HttpContext context) =>
                {
                    seen.InHandler = context.GetEndpoint();
                    return succeeds ? "done" : throw new InvalidOperationException("The handler fails.");
                }).WithDisplayName("app").WithResumableUploads();
            },
            onTestHost: true);
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new ByteArrayContent([1]), 1, "/files");
        Assert.Equal(succeeds, response.IsSuccessStatusCode);
        Assert.Equal("app", seen.InHandler?.DisplayName);
        Assert.Same(seen.Before, seen.After);
        Assert.NotSame(seen.Before, seen.InHandler);
    }
}
