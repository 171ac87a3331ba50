using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Routing;

/// <summary>Chunk endpoints are not visible in the app's endpoint data sources.</summary>
public class DiscoveryTests
{
    [Fact]
    public async Task Api_descriptions_and_endpoints_equal_those_without_the_package()
    {
        string[] with = await SeenAsync(isResumable: true);
        string[] without = await SeenAsync(isResumable: false);
        Assert.Equal(without, with);
        Assert.Equal(6, with.Length);
    }

    [Fact]
    public async Task Links_to_resumable_endpoint_are_generated_inside_and_outside()
    {
        await using TestApp app = await EndpointApp.StartAsync(
            static app =>
            {
                app.MapPost("/albums/{album}/photos/{photo?}", static (HttpContext context, LinkGenerator links, string album) => Results.CreatedAtRoute(
                    "photo", new { photo = 7 }, $"{links.GetPathByName(context, "upload", new { album = "other" })} {links.GetPathByName(context, "photo", new { album, photo = 8 })}"))
                    .WithName("upload").WithResumableUploads();
                app.MapGet("/albums/{album}/photo-{photo}", static (string album, string photo) => $"{album} {photo}").WithName("photo");
                app.MapGet("/links", static (LinkGenerator links) => links.GetPathByName("upload", new { album = "x", photo = "y" }));
            },
            onTestHost: true);
        var request = new ChunkableRequest("/albums/mine/photos", [1, 2, 3], "text/plain");
        using HttpResponseMessage plain = await request.SendPlainAsync(app.Client);
        using HttpResponseMessage inChunks = await request.SendInChunksAsync(app.Client, 2, 1);
        Assert.Equal(("http://localhost/albums/mine/photo-7", "\"/albums/other/photos /albums/mine/photo-8\""), (plain.Header("Location"), await plain.Content.ReadAsStringAsync()));
        Assert.Equal(await Reply.OfAsync(plain), await Reply.OfAsync(inChunks, isOurs: true));
        Assert.Equal("/albums/x/photos/y", await app.Client.GetStringAsync("/links"));
    }

    private static async Task<string[]> SeenAsync(bool isResumable)
    {
        await using TestApp app = await EndpointApp.StartAsync(
            app =>
            {
                RouteHandlerBuilder post = app.MapPost("/a/{id}", static (string id, Stream body) => id);
                RouteHandlerBuilder put = app.MapPut("/a/{id}", static (string id, Stream body) => id).WithName("put");
                app.MapGet("/a/{id}", static (string id) => id);
                if (isResumable)
                {
                    post.WithResumableUploads();
                    put.WithResumableUploads();
                }
            },
            services: static builder => builder.Services.AddEndpointsApiExplorer(),
            onTestHost: true);

        // A chunk request makes the matcher create the chunk endpoints.
        (await new ChunkableRequest("/a/1", [1], "text/plain").SendInChunksAsync(app.Client, 1, 1)).Dispose();
        return
        [
            .. app.Services.GetRequiredService<IApiDescriptionGroupCollectionProvider>().ApiDescriptionGroups.Items
                .SelectMany(static group => group.Items)
                .Select(static item => $"{item.HttpMethod} {item.RelativePath} {item.ActionDescriptor.DisplayName} {string.Join(',', item.SupportedRequestFormats.Select(static format => format.MediaType))} {item.ParameterDescriptions.Count}"),
            .. app.Services.GetRequiredService<EndpointDataSource>().Endpoints.Select(static endpoint => endpoint.DisplayName ?? ""),
        ];
    }
}
