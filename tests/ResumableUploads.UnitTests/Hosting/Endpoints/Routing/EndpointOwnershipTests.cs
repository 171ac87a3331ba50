using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Hosting.Startup;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Routing;

/// <summary>An upload belongs to the endpoint that created it: no other endpoint, with other limits and policies, appends to it or completes it.</summary>
public class EndpointOwnershipTests
{
    private static readonly byte[] First = [1, 2, 3];
    private static readonly byte[] Last = [4, 5, 6];

    public static TheoryData<string> Protocols => ProtocolClient.Protocols;

    [Fact]
    public async Task File_id_upload_by_POST_is_not_completed_by_PUT()
    {
        await using TestApp app = await StartAsync(MapPostAndPut);
        await app.Client.BeginAsync(ProtocolClient.FileId, "/videos", First, 6);
        using HttpResponseMessage put = await app.Client.SendFileIdAsync("PUT", "/videos", Last, ("X-Start-Byte", "3"));
        Assert.Equal((409, "0"), ((int)put.StatusCode, put.Header("X-Start-Byte")));
        using HttpResponseMessage post = await app.Client.SendFileIdAsync("POST", "/videos", Last, ("X-Start-Byte", "3"));
        Assert.Equal("by post", await post.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData(ProtocolClient.Tus)]
    [InlineData(ProtocolClient.Ietf)]
    public async Task Upload_url_with_other_method_prefix_does_not_exist(string protocol)
    {
        await using TestApp app = await StartAsync(MapPostAndPut);
        string url = await app.Client.BeginAsync(protocol, "/videos", First, 6);
        using HttpResponseMessage other = await app.Client.FinishAsync(protocol, url.Replace("upload=", "upload=put.", StringComparison.Ordinal), 3, Last);
        Assert.Equal(404, (int)other.StatusCode);
        using HttpResponseMessage done = await app.Client.FinishAsync(protocol, url, 3, Last);
        Assert.Equal("by post", await done.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    public async Task Status_and_cancellation_find_the_endpoint_of_the_upload(string method)
    {
        await using TestApp app = await StartAsync(MapPostAndPut);
        using HttpResponseMessage created = await app.Client.SendFileIdAsync(method, "/videos", First, ("X-File-Size", "6"));
        Assert.Equal("3", (await app.Client.GetOffsetAsync(ProtocolClient.FileId, "/videos")).Offset);
        using HttpResponseMessage cancelled = await app.Client.SendFileIdAsync("DELETE", "/videos", null);
        Assert.Equal((204, "0"), ((int)cancelled.StatusCode, (await app.Client.GetOffsetAsync(ProtocolClient.FileId, "/videos")).Offset));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Upload_belongs_to_the_endpoint_that_accepts_its_content_type(string protocol)
    {
        await using TestApp app = await StartAsync(static app =>
        {
            app.MapPost("/data", static () => "csv").Accepts<string>("text/csv").WithResumableUploads();
            app.MapPost("/data", static () => "json").Accepts<string>("application/json").WithResumableUploads();
        });
        (string, string) type = protocol == ProtocolClient.Tus ? ("Upload-Metadata", "filetype dGV4dC9jc3Y=") : ("Content-Type", "text/csv");
        string url = await app.Client.BeginAsync(protocol, "/data", First, 6, type);
        if (protocol == ProtocolClient.FileId)
        {
            using HttpResponseMessage other = await app.Client.FinishAsync(protocol, url, 3, Last, ("Content-Type", "application/json"));
            Assert.Equal((409, "0"), ((int)other.StatusCode, other.Header("X-Start-Byte")));
        }

        Assert.Equal("3", (await app.Client.GetOffsetAsync(protocol, url)).Offset);
        using HttpResponseMessage done = await app.Client.FinishAsync(protocol, url, 3, Last, protocol == ProtocolClient.FileId ? [type] : []);
        Assert.Equal("csv", await done.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Mapped_path_does_not_continue_upload_of_other_pattern_in_same_scope()
    {
        await using TestApp app = await StartAsync(
            static app =>
            {
                app.MapResumableUploads("/strict");
                app.MapResumableUploads("/lax");
            },
            static options => options.Scope = static _ => "shared");
        await app.Client.BeginAsync(ProtocolClient.FileId, "/strict", First, 6);
        Assert.Equal("0", (await app.Client.GetOffsetAsync(ProtocolClient.FileId, "/lax")).Offset);
    }

    [Fact]
    public async Task Upload_survives_other_order_of_registration()
    {
        var store = new MemoryUploadStore();
        string url;
        await using (TestApp app = await StartAsync(static app => MapPostAndPut(app), options => options.Store = store))
        {
            url = await app.Client.BeginAsync(ProtocolClient.Tus, "/videos", First, 6);
        }

        await using TestApp reordered = await StartAsync(
            static app =>
            {
                app.MapPost("/other", static () => "other").WithResumableUploads();
                app.MapPut("/videos", static () => "by put").WithResumableUploads();
                app.MapPost("/videos", static () => "by post").WithResumableUploads();
            },
            options => options.Store = store);
        using HttpResponseMessage done = await reordered.Client.FinishAsync(ProtocolClient.Tus, url, 3, Last);
        Assert.Equal("by post", await done.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Endpoints_with_own_options_share_the_locks_of_their_store()
    {
        await using ServiceProvider provider = new ServiceCollection().BuildServiceProvider();
        var services = new SharedUploadServices(provider);
        var store = new MemoryUploadStore();
        Assert.Same(services.GetStorage(store).Locks, services.GetStorage(store).Locks);
        Assert.NotSame(services.GetStorage(store).Locks, services.GetStorage(new MemoryUploadStore()).Locks);

        // Options with other settings have a store of their own in the same directory.
        using var directory = new UploadDirectory();
        var options = new ResumableUploadOptions { Directory = directory.Root };
        var other = new ResumableUploadOptions { Directory = directory.Root };
        other.FileSystem.SyncSize++;
        (FileSystemUploadStore one, FileSystemUploadStore two) = (services.GetFileSystemStore(options), services.GetFileSystemStore(other));
        Assert.NotSame(one, two);
        Assert.Same(services.GetStorage(one).Locks, services.GetStorage(two).Locks);
    }

    private static void MapPostAndPut(WebApplication app)
    {
        app.MapPost("/videos", static () => "by post").WithResumableUploads();
        app.MapPut("/videos", static () => "by put").WithResumableUploads();
    }

    private static Task<TestApp> StartAsync(Action<WebApplication> map, Action<ResumableUploadOptions>? configure = null) =>
        EndpointApp.StartAsync(map, configure, onTestHost: true);
}
