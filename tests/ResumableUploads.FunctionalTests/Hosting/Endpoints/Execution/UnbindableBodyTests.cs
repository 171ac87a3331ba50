using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Execution;

/// <summary>A body that cannot be bound. Minimal APIs throw in development, and respond with 400 otherwise.</summary>
public class UnbindableBodyTests
{
    private static readonly byte[] Broken = Encoding.UTF8.GetBytes("""{"name": """);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Unbindable_body_returns_same_status_as_plain_request_and_is_final(bool throws)
    {
        int runs = 0;
        await using TestApp app = await EndpointApp.StartAsync(
            app =>
            {
                app.UseRouting();
                app.UseResumableUploadEndpoints();
                app.Use((context, next) =>
                {
                    runs++;
                    return next(context);
                });
                app.MapPost("/import", (Named named) => named.Name).WithResumableUploads();
            },
            services: builder => builder.Services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = throws));
        using var plain = new ByteArrayContent(Broken);
        plain.Headers.Add("Content-Type", "application/json");
        using HttpResponseMessage expected = await app.Client.PostAsync("/import", plain);
        Assert.Equal(HttpStatusCode.BadRequest, expected.StatusCode);

        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage response = await app.Client.AppendAsync(
                "f", i == 0 ? 0 : Broken.Length, new ByteArrayContent(i == 0 ? Broken : []), Broken.Length, "/import", ("Content-Type", "application/json"));
            Assert.Equal((HttpStatusCode.BadRequest, "true", null), (response.StatusCode, response.Header("X-Upload-Complete"), response.Header("Content-Type")));
            Assert.Equal(await expected.Content.ReadAsStringAsync(), await response.Content.ReadAsStringAsync());
        }

        Assert.Equal(2, runs);
        if (throws)
        {
            Assert.Contains(app.Log.Lines, static line => line.Contains("Failed to read parameter", StringComparison.Ordinal));
        }
    }

    private sealed record Named(string Name);
}
