using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Abstractions;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Routing;

/// <summary>Requests about an existing upload, at a URL where several endpoints could have created it.</summary>
public class SiblingUploadTests
{
    private static readonly byte[] First = [1, 2, 3];
    private static readonly byte[] Last = [4, 5, 6];

    public static TheoryData<string> Protocols => ProtocolClient.Protocols;

    [Fact]
    public async Task Status_and_cancel_prefer_the_unfinished_upload_of_two_methods()
    {
        await using TestApp app = await EndpointApp.StartAsync(
            static app =>
            {
                app.MapPost("/docs", static () => "created").WithResumableUploads();
                app.MapPut("/docs", static () => "replaced").WithResumableUploads();
            },
            onTestHost: true);
        (await app.Client.SendFileIdAsync("POST", "/docs", First, ("X-File-Size", "3"))).Dispose();
        (await app.Client.SendFileIdAsync("PUT", "/docs", [1], ("X-File-Size", "3"))).Dispose();
        Assert.Equal("1", (await app.Client.GetOffsetAsync(ProtocolClient.FileId, "/docs")).Offset);

        (await app.Client.SendFileIdAsync("DELETE", "/docs", null)).Dispose();
        using HttpResponseMessage repeated = await app.Client.SendFileIdAsync("POST", "/docs", [], ("X-Start-Byte", "3"));
        Assert.Equal("created", await repeated.Content.ReadAsStringAsync());
        Assert.Equal("3", (await app.Client.GetOffsetAsync(ProtocolClient.FileId, "/docs")).Offset);
    }

    [Fact]
    public async Task Upload_of_second_endpoint_has_the_route_values_of_its_pattern()
    {
        await using TestApp app = await EndpointApp.StartAsync(
            static app =>
            {
                app.MapPost("/docs/{id}", static (string id) => id).WithResumableUploads();
                app.MapPut("/docs/{name}", static (string name) => "put " + name).WithResumableUploads();
            },
            onTestHost: true);
        (await app.Client.SendFileIdAsync("PUT", "/docs/x", First, ("X-File-Size", "6"))).Dispose();
        Assert.Equal("3", (await app.Client.GetOffsetAsync(ProtocolClient.FileId, "/docs/x")).Offset);
        using (HttpResponseMessage done = await app.Client.SendFileIdAsync("PUT", "/docs/x", Last, ("X-Start-Byte", "3"), ("X-File-Size", "6")))
        {
            Assert.Equal("put x", await done.Content.ReadAsStringAsync());
        }

        (await app.Client.SendFileIdAsync("DELETE", "/docs/x", null)).Dispose();
        Assert.Equal("0", (await app.Client.GetOffsetAsync(ProtocolClient.FileId, "/docs/x")).Offset);
    }

    [Theory]
    [InlineData(ProtocolClient.FileId, 2, 503)]
    [InlineData(ProtocolClient.Tus, 4, 423)]
    [InlineData(ProtocolClient.Ietf, 4, 503)]
    public async Task Store_failure_while_the_endpoint_is_determined_is_reported(string protocol, int lookups, int failed)
    {
        var store = new BrieflyFailingStore(new FailingStore());
        await using TestApp app = await StartTypesAsync(static json => json, static csv => csv, store);
        string url = await BeginCsvAsync(app.Client, protocol);
        for (int failures = 1; failures <= lookups; failures++)
        {
            store.FailuresLeft = failures;
            (int status, string? offset) = await app.Client.GetOffsetAsync(protocol, url);
            Assert.True(status == failed || offset == "3", $"{failures}: {status} {offset}");
            store.FailuresLeft = 0;
        }

        Assert.Equal("3", (await app.Client.GetOffsetAsync(protocol, url)).Offset);
    }

    [Fact]
    public async Task Store_failure_while_the_protocol_is_determined_returns_503()
    {
        var store = new BrieflyFailingStore(new FailingStore());
        await using TestApp app = await EndpointApp.StartAsync(
            static app => app.MapPost("/files", static () => "done").WithResumableUploads(), options => options.Store = store, onTestHost: true);
        string url = await app.Client.BeginAsync(ProtocolClient.Tus, "/files", First, 6);
        store.FailuresLeft = 1;
        using HttpResponseMessage failed = await app.Client.GetAsync(new Uri(url, UriKind.Relative));
        Assert.Equal(503, (int)failed.StatusCode);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Upload_of_second_endpoint_does_not_need_the_policy_of_the_first(string protocol)
    {
        await using TestApp app = await StartTypesAsync(
            static json => json.RequireAuthorization("boss"), static csv => csv.RequireAuthorization(), new FailingStore());
        (string, string) user = (HeaderAuthentication.Header, "sub:ann");
        string url = await BeginCsvAsync(app.Client, protocol, user);
        Assert.Equal("3", (await app.Client.GetOffsetAsync(protocol, url, user)).Offset);
        using HttpResponseMessage done = await app.Client.FinishAsync(protocol, url, 3, Last, [user, .. FileIdType(protocol)]);
        Assert.Equal("csv", await done.Content.ReadAsStringAsync());
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Upload_of_second_endpoint_needs_its_own_policy(string protocol)
    {
        await using TestApp app = await StartTypesAsync(
            static json => json.RequireAuthorization(), static csv => csv.RequireAuthorization("volatile"), new FailingStore());
        (string, string) user = (HeaderAuthentication.Header, "sub:ann");
        string url = await BeginCsvAsync(app.Client, protocol, user, ("X-Admin", "1"));
        Assert.Equal(403, (await app.Client.GetOffsetAsync(protocol, url, user)).Status);
        using HttpResponseMessage rejected = await app.Client.FinishAsync(protocol, url, 3, Last, [user, .. FileIdType(protocol)]);
        Assert.Equal(403, (int)rejected.StatusCode);
        using HttpResponseMessage done = await app.Client.FinishAsync(protocol, url, 3, Last, [user, ("X-Admin", "1"), .. FileIdType(protocol)]);
        Assert.Equal("csv", await done.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Anonymous_status_of_protected_siblings_returns_401()
    {
        await using TestApp app = await StartTypesAsync(
            static json => json.RequireAuthorization("boss"), static csv => csv.RequireAuthorization(), new FailingStore());
        Assert.Equal(401, (await app.Client.GetOffsetAsync(ProtocolClient.FileId, "/files")).Status);
    }

    [Fact]
    public async Task Status_of_protected_siblings_works_under_a_fallback_policy()
    {
        await using TestApp app = await StartTypesAsync(
            static json => json.RequireAuthorization("boss"), static csv => csv.AllowAnonymous(), new FailingStore(), hasFallback: true);
        (string, string) user = (HeaderAuthentication.Header, "sub:ann");
        await BeginCsvAsync(app.Client, ProtocolClient.FileId);
        Assert.Equal((200, "3"), await app.Client.GetOffsetAsync(ProtocolClient.FileId, "/files"));
        Assert.Equal((200, "0"), await app.Client.GetOffsetAsync(ProtocolClient.FileId, "/files", user));
    }

    private static (string, string)[] FileIdType(string protocol) => protocol == ProtocolClient.FileId ? [("Content-Type", "text/csv")] : [];

    private static Task<string> BeginCsvAsync(HttpClient client, string protocol, params (string, string)[] headers) => client.BeginAsync(
        protocol,
        "/files",
        First,
        6,
        [.. headers, protocol == ProtocolClient.Tus ? ("Upload-Metadata", "filetype dGV4dC9jc3Y=") : ("Content-Type", "text/csv")]);

    /// <summary>Starts an app with an endpoint for JSON and one for CSV at the same URL.</summary>
    private static Task<TestApp> StartTypesAsync(
        Func<RouteHandlerBuilder, RouteHandlerBuilder> json, Func<RouteHandlerBuilder, RouteHandlerBuilder> csv, IUploadStore store, bool hasFallback = false) => EndpointApp.StartAsync(
        app =>
        {
            app.UseAuthentication();
            app.UseAuthorization();
            json(app.MapPost("/files", static () => "json").WithMetadata(new AcceptsMetadata(["application/json"])).WithResumableUploads());
            csv(app.MapPost("/files", static () => "csv").WithMetadata(new AcceptsMetadata(["text/csv"])).WithResumableUploads());
        },
        options => options.Store = store,
        builder =>
        {
            HeaderAuthentication.AddTo(builder);
            builder.Services.AddAuthorization(options =>
            {
                options.FallbackPolicy = hasFallback ? options.DefaultPolicy : null;
                options.AddPolicy("boss", static policy => policy.RequireClaim("sub", "boss"));
                options.AddPolicy("volatile", static policy => policy.RequireAssertion(static context =>
                    context.Resource is HttpContext http && http.Request.Headers.ContainsKey("X-Admin")));
            });
        },
        onTestHost: true);

    /// <summary>A store whose next reads of uploads fail.</summary>
    private sealed class BrieflyFailingStore(IUploadStore innerStore) : DelegatingUploadStore(innerStore)
    {
        public int FailuresLeft { get; set; }

        public override ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken) =>
            FailuresLeft-- > 0 ? throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure.") : InnerStore.GetAsync(key, cancellationToken);
    }
}
