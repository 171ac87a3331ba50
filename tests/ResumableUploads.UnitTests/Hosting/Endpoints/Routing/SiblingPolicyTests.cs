using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Routing;

/// <summary>Which policies middleware applies to requests about uploads of several endpoints at one URL.</summary>
public class SiblingPolicyTests
{
    private const int PoliciesDiffer = 352;
    private static readonly byte[] First = [1, 2, 3];
    private static readonly byte[] Last = [4, 5, 6];

    [Theory]
    [InlineData(ProtocolClient.Tus)]
    [InlineData(ProtocolClient.Ietf)]
    public async Task Middleware_sees_the_metadata_of_the_endpoint_of_the_upload(string protocol)
    {
        await using TestApp app = await StartAsync(static json => json, static csv => csv.WithMetadata(new KeyRequired()));
        (string, string) key = ("X-Key", "1");
        string url = await BeginAsync(app.Client, protocol, "text/csv", key);
        Assert.Equal("3", (await app.Client.GetOffsetAsync(protocol, url, key)).Offset);
        Assert.Equal(403, (await app.Client.GetOffsetAsync(protocol, url)).Status);

        // The URL of the other endpoint, which needs no key, and the URL without an endpoint.
        string open = await BeginAsync(app.Client, protocol, "application/json");
        foreach (string forged in new[] { GetPrefix(open), "" })
        {
            string path = url.Replace(GetPrefix(url), forged, StringComparison.Ordinal);
            Assert.Equal(404, (await app.Client.GetOffsetAsync(protocol, path)).Status);
            using HttpResponseMessage refused = await app.Client.FinishAsync(protocol, path, 3, Last);
            Assert.Equal(404, (int)refused.StatusCode);
        }

        using HttpResponseMessage withoutKey = await app.Client.FinishAsync(protocol, url, 3, Last);
        Assert.Equal(403, (int)withoutKey.StatusCode);
        using HttpResponseMessage done = await app.Client.FinishAsync(protocol, url, 3, Last, key);
        Assert.Equal("csv", await done.Content.ReadAsStringAsync());
        Assert.Equal("3", (await app.Client.GetOffsetAsync(protocol, open)).Offset);
    }

    [Theory]
    [InlineData(ProtocolClient.Tus)]
    [InlineData(ProtocolClient.Ietf)]
    public async Task Preflight_and_responses_use_the_policy_of_the_endpoint_of_the_upload(string protocol)
    {
        await using TestApp app = await StartAsync(static json => json.RequireCors("json"), static csv => csv.RequireCors("csv"));
        foreach (string name in new[] { "json", "csv" })
        {
            string url = await BeginAsync(app.Client, protocol, name == "csv" ? "text/csv" : "application/json");
            foreach (string origin in new[] { "https://json.example", "https://csv.example" })
            {
                string? allowed = origin.Contains(name, StringComparison.Ordinal) ? origin : null;
                Assert.Equal((name, allowed), (name, await GetAllowedOriginAsync(app, "OPTIONS", url, origin)));
                Assert.Equal((name, allowed), (name, await GetAllowedOriginAsync(app, "HEAD", url, origin)));
            }
        }
    }

    /// <param name="cors">The CORS policy of the second endpoint. The first has <c>json</c>.</param>
    /// <param name="isWarning">Whether a warning is logged.</param>
    [Theory]
    [InlineData("csv", true)]
    [InlineData("json", false)]
    public async Task Different_policies_at_one_url_are_logged_once(string cors, bool isWarning)
    {
        await using TestApp app = await StartAsync(static json => json.RequireCors("json"), csv => csv.RequireCors(cors));
        for (int i = 0; i < 2; i++)
        {
            await app.Client.GetOffsetAsync(ProtocolClient.FileId, "/files");
        }

        string[] lines = [.. app.Log.Lines.Where(static line => line.Contains($"[{PoliciesDiffer}]", StringComparison.Ordinal))];
        Assert.Equal(isWarning ? 1 : 0, lines.Length);
    }

    private static string GetPrefix(string url) => Regex.Match(url, "resumable-upload=(.*\\.)").Groups[1].Value;

    private static async Task<string?> GetAllowedOriginAsync(TestApp app, string method, string url, string origin)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), url);
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "PATCH");
        using HttpResponseMessage response = await app.Client.SendAsync(request);
        return response.Header("Access-Control-Allow-Origin");
    }

    private static Task<string> BeginAsync(HttpClient client, string protocol, string type, params (string, string)[] headers) => client.BeginAsync(
        protocol,
        "/files",
        First,
        6,
        [.. headers, protocol == ProtocolClient.Tus ? ("Upload-Metadata", $"filetype {Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(type))}") : ("Content-Type", type)]);

    /// <summary>Starts an app with an endpoint for JSON and one for CSV at the same URL, and middleware that requires a key where the metadata says so.</summary>
    private static Task<TestApp> StartAsync(Func<RouteHandlerBuilder, RouteHandlerBuilder> json, Func<RouteHandlerBuilder, RouteHandlerBuilder> csv) => EndpointApp.StartAsync(
        app =>
        {
            app.UseRouting();
            app.UseCors();
            app.Use(static (context, next) =>
            {
                if (context.GetEndpoint()?.Metadata.GetMetadata<KeyRequired>() is null || context.Request.Headers.ContainsKey("X-Key"))
                {
                    return next(context);
                }

                context.Response.StatusCode = 403;
                return Task.CompletedTask;
            });
            json(app.MapPost("/files", static () => "json").WithMetadata(new AcceptsMetadata(["application/json"])).WithResumableUploads());
            csv(app.MapPost("/files", static () => "csv").WithMetadata(new AcceptsMetadata(["text/csv"])).WithResumableUploads());
        },
        services: static builder => builder.Services.AddCors(static cors =>
        {
            foreach (string name in new[] { "json", "csv" })
            {
                cors.AddPolicy(name, policy => policy.WithOrigins($"https://{name}.example").WithResumableUploads());
            }
        }),
        onTestHost: true);

    private sealed class KeyRequired;
}
