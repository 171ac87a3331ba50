using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Limits;

/// <summary>The server's limit for buffered content applies unless the endpoint sets a limit of its own, whatever the values are.</summary>
public class LimitOriginTests
{
    private const int ServerLimit = 1000;
    private const int AppLimit = 5000;

    [Theory]
    [InlineData("/named")]
    [InlineData("/named-in-section")]
    [InlineData("/other-option")]
    [InlineData("/default")]
    public async Task Size_not_set_for_the_endpoint_keeps_the_server_limit(string path)
    {
        await using TestApp app = await StartAsync();
        await BeginAsync(app, path).AssertProblemAsync(413, "too-large");
    }

    [Theory]
    [InlineData("/equal")]
    [InlineData("/named-equal")]
    [InlineData("/named-default")]
    [InlineData("/named-size-in-section")]
    [InlineData("/named-before")]
    public async Task Size_set_for_the_endpoint_replaces_the_server_limit(string path)
    {
        await using TestApp app = await StartAsync();
        using HttpResponseMessage allowed = await BeginAsync(app, path);
        Assert.Equal(200, (int)allowed.StatusCode);
    }

    private static Task<HttpResponseMessage> BeginAsync(TestApp app, string path) =>
        app.Client.SendFirstAsync(ProtocolClient.FileId, path, [1], ServerLimit + 1, ("Content-Type", "application/json"));

    private static Task<TestApp> StartAsync() => EndpointApp.StartAsync(
        static app =>
        {
            foreach (string name in (string[])["named", "named-in-section", "named-equal", "named-default", "named-size-in-section", "named-before"])
            {
                app.MapPost("/" + name, static () => "done").WithResumableUploads(name);
            }

            app.MapPost("/default", static () => "done").WithResumableUploads();
            app.MapPost("/other-option", static () => "done").WithResumableUploads(static options => options.Expiration = TimeSpan.FromDays(1));
            app.MapPost("/equal", static () => "done").WithResumableUploads(static options => options.MaxUploadSize = AppLimit);
        },
        static options => options.MaxUploadSize = AppLimit,
        static builder =>
        {
            builder.Configuration["ResumableUploads:Endpoints:named-in-section:AllowDownload"] = "true";
            builder.Configuration["ResumableUploads:Endpoints:named-size-in-section:MaxUploadSize"] = $"{AppLimit}";
            builder.Configuration["ResumableUploads:Endpoints:named-before:AllowDownload"] = "true";
            builder.Services.Configure<ResumableUploadOptions>("named-before", static options => options.MaxUploadSize = AppLimit);
            builder.Services.AddResumableUploads("named").UseMemoryStore();
            builder.Services.AddResumableUploads("named-in-section").UseMemoryStore();
            builder.Services.AddResumableUploads("named-equal", static options => options.MaxUploadSize = AppLimit).UseMemoryStore();
            builder.Services.AddResumableUploads("named-default", static options => options.MaxUploadSize = new ResumableUploadOptions().MaxUploadSize).UseMemoryStore();
            builder.Services.AddResumableUploads("named-size-in-section").UseMemoryStore();
            builder.Services.AddResumableUploads("named-before").UseMemoryStore();
            builder.Services.Configure<KestrelServerOptions>(static kestrel => kestrel.Limits.MaxRequestBodySize = ServerLimit);
        });
}
