using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Hosting.Startup;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Options;

public class NamedOptionsTests
{
    [Fact]
    public async Task Middleware_and_endpoints_use_the_named_options()
    {
        await using TestApp app = await StartAsync(static app =>
        {
            app.UseResumableUploads("videos");
            app.MapResumableUploads("/mapped", "videos");
            app.MapPost("/endpoint", static () => "").WithResumableUploads("videos");
            app.MapPost("/attribute", [ResumableUpload(OptionsName = "videos")] static () => "");
            app.MapResumableUploads("/default");
            app.MapPost("/default-endpoint", static () => "").WithResumableUploads();
            app.MapPost("/default-attribute", [ResumableUpload] static () => "");
        });

        foreach (string path in (string[])["/videos", "/mapped", "/endpoint", "/attribute", "/default", "/default-endpoint", "/default-attribute"])
        {
            int max = path.StartsWith("/default", StringComparison.Ordinal) ? 50 : 100;
            using HttpResponseMessage fits = await app.Client.AppendAsync($"{path}1", 0, new ByteArrayContent(new byte[1]), max, path);
            using HttpResponseMessage tooLarge = await app.Client.AppendAsync($"{path}2", 0, new ByteArrayContent(new byte[1]), max + 1, path);
            Assert.Equal((path, 200, 413), (path, (int)fits.StatusCode, (int)tooLarge.StatusCode));
        }
    }

    [Fact]
    public void Named_options_are_bound_to_their_own_section()
    {
        WebApplicationBuilder builder = OptionsBindingTests.Builder();
        builder.Configuration["ResumableUploads:MaxUploadSize"] = "1";
        builder.Configuration["ResumableUploads:Limits:MaxUploadsPerOwner"] = "2";
        builder.Configuration["ResumableUploads:Endpoints:videos:Limits:MaxUploadsPerOwner"] = "3";
        builder.Services.AddResumableUploads("videos", static options => options.Limits.MaxUploadsPerOwner += 10);
        builder.Services.AddResumableUploads("videos");
        WebApplication app = builder.Build();

        ResumableUploadOptions named = UploadDispatcherFactory.CreateOptions(app.Services, "videos");
        ResumableUploadOptions byDefault = UploadDispatcherFactory.CreateOptions(app.Services, "");
        Assert.Equal((new ResumableUploadOptions().MaxUploadSize, 13), (named.MaxUploadSize, named.Limits.MaxUploadsPerOwner));
        Assert.Equal((1, 2), (byDefault.MaxUploadSize, byDefault.Limits.MaxUploadsPerOwner));
    }

    [Theory]
    [InlineData(false, "No resumable upload options are named 'vidoes'. Call builder.Services.AddResumableUploads(\"vidoes\").")]
    [InlineData(true, "No resumable upload options are named 'vidoes'. Call builder.Services.AddResumableUploads(\"vidoes\"). The nearest registered name is 'videos'.")]
    public void Unknown_options_name_throws_where_it_is_used(bool withServices, string message)
    {
        WebApplicationBuilder builder = OptionsBindingTests.Builder();
        _ = withServices ? builder.Services.AddResumableUploads("videos") : null;
        WebApplication app = builder.Build();

        Assert.Equal(message, Assert.Throws<InvalidOperationException>(() => app.UseResumableUploads("vidoes")).Message);
        Assert.Equal(message, Assert.Throws<InvalidOperationException>(() => app.MapResumableUploads("/u", "vidoes")).Message);
    }

    [Fact]
    public async Task Unknown_options_name_of_an_endpoint_fails_start()
    {
        InvalidOperationException thrown = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            StartAsync(static app => app.MapPost("/endpoint", [ResumableUpload(OptionsName = "vidoes")] static () => "")));
        Assert.Contains("'vidoes'", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Invalid_value_of_named_options_fails_start()
    {
        WebApplicationBuilder builder = OptionsBindingTests.Builder();
        builder.Services.AddResumableUploads("videos", static options => options.MaxUploadSize = 0);
        await using WebApplication app = builder.Build();
        await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(() => app.StartAsync());
    }

    [Fact]
    public async Task MapResumableUploads_conventions_apply_to_creation_and_uploads()
    {
        await using TestApp app = await StartAsync(static app => app.MapResumableUploads("/mapped", "videos").RespondWithTeapot());
        foreach (string path in (string[])["/mapped", $"/mapped/{new string('a', UploadUrl.IdLength)}"])
        {
            using HttpResponseMessage response = await app.Client.SendAsync(new HttpRequestMessage(HttpMethod.Options, path));
            Assert.Equal((path, 418), (path, (int)response.StatusCode));
        }
    }

    private static Task<TestApp> StartAsync(Action<WebApplication> use) => TestApp.StartAsync(
        services: static builder =>
        {
            builder.Services.AddResumableUploads(static options => options.MaxUploadSize = 50).UseMemoryStore();
            builder.Services.AddResumableUploads("videos", static options =>
            {
                options.MaxUploadSize = 100;
                (options.UploadPath, options.StatusPath) = ("/videos", null);
            }).UseMemoryStore();
        },
        before: use,
        useUploads: false,
        onTestHost: true);
}

file static class Conventions
{
    /// <summary>Replaces the request delegates of the endpoints with one that responds 418.</summary>
    public static void RespondWithTeapot(this IEndpointConventionBuilder builder) => builder.Add(static endpoint => endpoint.RequestDelegate = static context =>
    {
        context.Response.StatusCode = 418;
        return Task.CompletedTask;
    });
}
