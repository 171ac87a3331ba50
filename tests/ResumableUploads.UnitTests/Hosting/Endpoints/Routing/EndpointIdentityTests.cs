using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Routing;

/// <summary>What distinguishes an endpoint, as its uploads show it.</summary>
public class EndpointIdentityTests
{
    private static readonly byte[] First = [1, 2, 3];
    private static readonly byte[] Last = [4, 5, 6];

    /// <summary>Gets protocols, and whether the endpoint is ready-made.</summary>
    public static MatrixTheoryData<string, bool> Endpoints => new([ProtocolClient.FileId, ProtocolClient.Tus, ProtocolClient.Ietf], [true, false]);

    [Theory]
    [MemberData(nameof(Endpoints))]
    public async Task Scope_does_not_join_the_uploads_of_endpoints_with_other_hosts(string protocol, bool isMapped)
    {
        await using TestApp app = await StartAsync(new MemoryUploadStore(), app =>
        {
            Map(app, isMapped).RequireHost("one.example");
            Map(app, isMapped).RequireHost("two.example");
        });
        string url = await app.Client.BeginAsync(protocol, "/files", First, 6, ("Host", "one.example"));
        Assert.NotEqual("3", (await app.Client.GetOffsetAsync(protocol, url, ("Host", "two.example"))).Offset);
        Assert.Equal("3", (await app.Client.GetOffsetAsync(protocol, url, ("Host", "one.example"))).Offset);
    }

    [Theory]
    [MemberData(nameof(Endpoints))]
    public async Task Upload_survives_other_order_of_hosts(string protocol, bool isMapped)
    {
        var store = new MemoryUploadStore();
        (string, string) host = ("Host", "one.example");
        string url;
        await using (TestApp app = await StartAsync(store, app => Map(app, isMapped).RequireHost("one.example", "two.example")))
        {
            url = await app.Client.BeginAsync(protocol, "/files", First, 6, host);
        }

        await using TestApp reordered = await StartAsync(store, app => Map(app, isMapped).RequireHost("two.example", "one.example"));
        using HttpResponseMessage done = await reordered.Client.FinishAsync(protocol, url, 3, Last, host);
        Assert.True(done.IsSuccessStatusCode);
    }

    [Theory]
    [MemberData(nameof(Endpoints))]
    public async Task Upload_belongs_to_the_name_of_the_endpoint(string protocol, bool isMapped)
    {
        var store = new MemoryUploadStore();
        string url;
        await using (TestApp app = await StartAsync(store, app => Map(app, isMapped).WithName("one")))
        {
            url = await app.Client.BeginAsync(protocol, "/files", First, 6);
            Assert.Equal("3", (await app.Client.GetOffsetAsync(protocol, url)).Offset);
        }

        await using (TestApp renamed = await StartAsync(store, app => Map(app, isMapped).WithName("two")))
        {
            Assert.NotEqual("3", (await renamed.Client.GetOffsetAsync(protocol, url)).Offset);
        }

        await using TestApp same = await StartAsync(store, app => Map(app, isMapped).WithName("one"));
        using HttpResponseMessage done = await same.Client.FinishAsync(protocol, url, 3, Last);
        Assert.True(done.IsSuccessStatusCode);
    }

    [Fact]
    public async Task Overloads_with_different_action_names_are_different_endpoints()
    {
        await using TestApp app = await EndpointApp.StartAsync(
            static app => app.MapControllerRoute("default", "{controller}/{action}"),
            services: static builder => builder.Services.AddControllers().OnlyControllers(typeof(OverloadController)),
            onTestHost: true);
        foreach (string action in (string[])["One", "Two"])
        {
            using HttpResponseMessage response = await app.Client.SendFileIdAsync("POST", $"/Overload/{action}", First, ("X-File-Size", "3"));
            Assert.Equal(action, await response.Content.ReadAsStringAsync());
        }
    }

    /// <param name="exact">The types of the endpoint that accepts the type exactly.</param>
    /// <param name="isExactFirst">Whether that endpoint is mapped first.</param>
    [Theory]
    [InlineData("text/csv", true)]
    [InlineData("text/csv", false)]
    [InlineData("text/*, text/csv", true)]
    [InlineData("text/csv, text/*", false)]
    public async Task Exact_content_type_is_preferred_to_a_range(string exact, bool isExactFirst)
    {
        await using TestApp app = await EndpointApp.StartAsync(
            app =>
            {
                foreach (bool isExact in new[] { isExactFirst, !isExactFirst })
                {
                    app.MapPost("/files", () => isExact ? "exact" : "range")
                        .WithMetadata(new AcceptsMetadata((isExact ? exact : "text/*").Split(", "))).WithResumableUploads();
                }
            },
            onTestHost: true);
        using HttpResponseMessage response = await app.Client.SendFileIdAsync("POST", "/files", First, ("X-File-Size", "3"), ("Content-Type", "text/csv"));
        Assert.Equal("exact", await response.Content.ReadAsStringAsync());
    }

    private static IEndpointConventionBuilder Map(WebApplication app, bool isMapped) =>
        isMapped ? app.MapResumableUploads("/files") : app.MapPost("/files", static () => "done").WithResumableUploads();

    private static Task<TestApp> StartAsync(MemoryUploadStore store, Action<WebApplication> map) => EndpointApp.StartAsync(
        map,
        options =>
        {
            options.Store = store;
            options.Scope = static _ => "shared";
        },
        onTestHost: true);
}

[ResumableUpload]
public sealed class OverloadController : Controller
{
    [HttpPost, ActionName("One")]
    public string Post() => "One";

    [HttpPost, ActionName("Two")]
    public string Post(int number = 0) => "Two";
}
