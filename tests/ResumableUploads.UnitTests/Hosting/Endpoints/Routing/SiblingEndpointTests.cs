using Asp.Versioning;
using Asp.Versioning.Builder;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Routing;

/// <summary>Several resumable endpoints at one URL: each takes all requests of its uploads, and the app's own selection chooses between them.</summary>
public class SiblingEndpointTests
{
    private const string AnyId = "?resumable-upload=0123456789012345678901234567890123456789";
    private static readonly byte[] First = [1, 2, 3];
    private static readonly byte[] Last = [4, 5, 6];

    public static TheoryData<string, string> ProtocolsAndHosts()
    {
        var rows = new TheoryData<string, string>();
        foreach (string protocol in new[] { ProtocolClient.FileId, ProtocolClient.Tus, ProtocolClient.Ietf })
        {
            rows.Add(protocol, "one.example");
            rows.Add(protocol, "two.example");
        }

        return rows;
    }

    public static TheoryData<string, string> ProtocolsAndVersions()
    {
        var rows = new TheoryData<string, string>();
        foreach (string protocol in new[] { ProtocolClient.FileId, ProtocolClient.Tus, ProtocolClient.Ietf })
        {
            rows.Add(protocol, "1.0");
            rows.Add(protocol, "2.0");
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(ProtocolsAndHosts))]
    public async Task Host_selects_the_endpoint_of_every_request(string protocol, string host)
    {
        await using TestApp app = await StartHostsAsync();
        await UseAllAsync(app.Client, protocol, "/files", host, ("Host", host));
    }

    [Theory]
    [MemberData(nameof(ProtocolsAndHosts))]
    public async Task Host_selects_the_mapped_path_of_every_request(string protocol, string host)
    {
        await using TestApp app = await EndpointApp.StartAsync(
            static app =>
            {
                foreach (string host in new[] { "one.example", "two.example" })
                {
                    app.MapResumableUploads("/files", options => options.OnCompleted = (upload, _) =>
                    {
                        upload.Response = new UploadResponse(200, "text/plain", System.Text.Encoding.ASCII.GetBytes(host));
                        return Task.CompletedTask;
                    }).RequireHost(host);
                }
            },
            onTestHost: true);
        await UseAllAsync(app.Client, protocol, "/files", host, ("Host", host));
    }

    [Theory]
    [MemberData(nameof(ProtocolsAndVersions))]
    public async Task Api_version_in_header_selects_the_endpoint_of_every_request(string protocol, string version)
    {
        await using TestApp app = await StartVersionsAsync(new HeaderApiVersionReader("X-Api-Version"));
        await UseAllAsync(app.Client, protocol, "/files", version, ("X-Api-Version", version));
    }

    [Theory]
    [MemberData(nameof(ProtocolsAndVersions))]
    public async Task Api_version_in_query_selects_the_endpoint_of_every_request(string protocol, string version)
    {
        await using TestApp app = await StartVersionsAsync(new QueryStringApiVersionReader());
        await UseAllAsync(app.Client, protocol, $"/files?api-version={version}", version);
    }

    [Fact]
    public async Task Api_version_does_not_continue_upload_of_other_version()
    {
        await using TestApp app = await StartVersionsAsync(new HeaderApiVersionReader("X-Api-Version"));
        string url = await app.Client.BeginAsync(ProtocolClient.Tus, "/files", First, 6, ("X-Api-Version", "1.0"));
        Assert.Equal(404, (await app.Client.GetOffsetAsync(ProtocolClient.Tus, url, ("X-Api-Version", "2.0"))).Status);
    }

    [Theory]
    [InlineData("file-id", null)]
    [InlineData("tus", 404)]
    [InlineData("ietf", 404)]
    public async Task Hosts_do_not_share_uploads_unless_Scope_says_so(string protocol, int? missing)
    {
        await using TestApp app = await StartAsync(null);
        string url = await app.Client.BeginAsync(protocol, "/any", First, 6, ("Host", "one.example:81"));
        Assert.Equal((200, "3"), await StatusAsync(app, "ONE.example:82"));
        Assert.Equal((missing ?? 200, missing is null ? "0" : null), await StatusAsync(app, "two.example"));
        await using TestApp shared = await StartAsync(static options => options.Scope = static context => context.Request.Path);
        url = await shared.Client.BeginAsync(protocol, "/any", First, 6, ("Host", "one.example"));
        Assert.Equal((200, "3"), await StatusAsync(shared, "two.example"));

        async Task<(int, string?)> StatusAsync(TestApp app, string host)
        {
            (int status, string? offset) = await app.Client.GetOffsetAsync(protocol, url, ("Host", host));
            return (status == 204 ? 200 : status, offset);
        }

        static Task<TestApp> StartAsync(Action<ResumableUploadOptions>? configure) =>
            EndpointApp.StartAsync(static app => app.MapPost("/any", static () => "done").WithResumableUploads(), configure, onTestHost: true);
    }

    [Theory]
    [InlineData("one.example")]
    [InlineData("two.example")]
    public async Task Options_response_comes_from_each_host(string host)
    {
        await using TestApp app = await StartHostsAsync();
        using var request = new HttpRequestMessage(HttpMethod.Options, "/files");
        request.Headers.Host = host;
        using HttpResponseMessage options = await app.Client.SendAsync(request);
        Assert.Equal((200, host == "one.example" ? "100" : "200"), ((int)options.StatusCode, options.Header("Tus-Max-Size")));
    }

    /// <summary>Creates, asks for the status, cancels, and creates and completes again.</summary>
    private static async Task UseAllAsync(HttpClient client, string protocol, string path, string expected, params (string Name, string Value)[] headers)
    {
        string cancelled = await client.BeginAsync(protocol, path, First, 6, headers);
        Assert.Equal("3", (await client.GetOffsetAsync(protocol, cancelled, headers)).Offset);
        using HttpResponseMessage deleted = protocol switch
        {
            ProtocolClient.FileId => await client.SendFileIdAsync("DELETE", cancelled, null, headers),
            ProtocolClient.Tus => await client.TusAsync("DELETE", cancelled, null, headers),
            _ => await client.IetfAsync("DELETE", cancelled, IetfClient.Newest, null, headers),
        };
        Assert.Equal(204, (int)deleted.StatusCode);
        string url = await client.BeginAsync(protocol, path, First, 6, headers);
        using HttpResponseMessage done = await client.FinishAsync(protocol, url, 3, Last, headers);
        Assert.Equal(expected, await done.Content.ReadAsStringAsync());
        Assert.NotEqual(path + AnyId, url);
    }

    private static Task<TestApp> StartHostsAsync() => EndpointApp.StartAsync(
        static app =>
        {
            app.MapPost("/files", static () => "one.example").RequireHost("one.example").WithResumableUploads(static options => options.MaxUploadSize = 100);
            app.MapPost("/files", static () => "two.example").RequireHost("two.example").WithResumableUploads(static options => options.MaxUploadSize = 200);
        },
        onTestHost: true);

    private static Task<TestApp> StartVersionsAsync(IApiVersionReader reader) => EndpointApp.StartAsync(
        static app =>
        {
            ApiVersionSet versions = app.NewApiVersionSet().HasApiVersion(new ApiVersion(1, 0)).HasApiVersion(new ApiVersion(2, 0)).Build();
            app.MapPost("/files", static () => "1.0").WithName("v1").WithApiVersionSet(versions).MapToApiVersion(new ApiVersion(1, 0)).WithResumableUploads();
            app.MapPost("/files", static () => "2.0").WithName("v2").WithApiVersionSet(versions).MapToApiVersion(new ApiVersion(2, 0)).WithResumableUploads();
        },
        services: builder => builder.Services.AddApiVersioning(options => options.ApiVersionReader = reader),
        onTestHost: true);
}
