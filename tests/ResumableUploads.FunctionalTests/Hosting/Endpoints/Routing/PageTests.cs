using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Mvc.ApplicationParts;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Routing;

/// <summary>A Razor page whose model has the attribute.</summary>
public class PageTests
{
    private static readonly byte[] Form =
    [
        .. "--x\r\nContent-Disposition: form-data; name=\"Title\"\r\n\r\nSummer\r\n"u8,
        .. "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n"u8, .. new byte[50_000], .. "\r\n--x--\r\n"u8,
    ];

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(50, false)]
    [InlineData(2, true)]
    public async Task Page_responds_to_chunked_form_as_to_plain_form(int chunks, bool choosesPlace)
    {
        await using TestApp app = await AppAsync(choosesPlace);
        var request = new ChunkableRequest("/pages/import/a?x=1", Form, "multipart/form-data; boundary=x");
        using HttpResponseMessage plain = await request.SendPlainAsync(app.Client);
        using HttpResponseMessage inChunks = await request.SendInChunksAsync(app.Client, chunks, 4);
        Assert.Contains("<p>a Summer 50000</p>", await plain.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(await Reply.OfAsync(plain), await Reply.OfAsync(inChunks, isOurs: true));
    }

    [Fact]
    public async Task GET_returns_page_and_with_file_id_returns_status()
    {
        await using TestApp app = await AppAsync(choosesPlace: false);
        Assert.Contains("nothing yet", await app.Client.GetStringAsync("/pages/import/a"), StringComparison.Ordinal);
        var request = new ChunkableRequest("/pages/import/a", Form, "multipart/form-data; boundary=x");
        (await request.SendChunkAsync(app.Client, "f", 0, Form[..100], Form.Length, ChunkFraming.ContentLength)).Dispose();
        Assert.Equal((100, 0), (await app.Client.StatusAsync("f", "/pages/import/a"), await app.Client.StatusAsync("f", "/pages/import/b")));
        (await app.Client.DeleteUploadAsync("f", "/pages/import/a")).Dispose();
        Assert.Equal(0, await app.Client.StatusAsync("f", "/pages/import/a"));
    }

    private static Task<TestApp> AppAsync(bool choosesPlace) => EndpointApp.StartAsync(
        app =>
        {
            if (choosesPlace)
            {
                app.UseResumableUploadEndpoints();
            }

            app.MapRazorPages();
        },
        services: static builder => builder.Services.AddRazorPages(static pages => pages.RootDirectory = "/Hosting/Endpoints/Routing/Pages")
            .ConfigureApplicationPartManager(static parts =>
            {
                parts.ApplicationParts.Clear();
                parts.ApplicationParts.Add(new CompiledRazorAssemblyPart(typeof(PageTests).Assembly));
            }),
        onTestHost: true);
}
