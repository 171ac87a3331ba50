using System.Text;
using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.Clients.IetfClient;

namespace ResumableUploads.FunctionalTests.Protocols.Ietf;

/// <summary>Access and limits (draft-ietf-httpbis-resumable-upload-12, Security Considerations).</summary>
public class IetfSecurityTests
{
    private static readonly byte[] File = Encoding.ASCII.GetBytes("0123456789");

    public static TheoryData<string> Places => TusApp.Places;

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Upload_of_another_owner_returns_404(string place)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, configure: static options => options.Owner = static context => context.Request.Headers["X-User"]);
        (string, string) mine = ("X-User", "ann");
        (string, string) other = ("X-User", "bob");
        using HttpResponseMessage created = await app.Client.CreateAsync(false, File[..4], Newest, mine);
        string url = created.Header("Location")!;
        foreach ((string, string)[] headers in new[] { [other], Array.Empty<(string, string)>() })
        {
            using HttpResponseMessage head = await app.Client.HeadAsync(url, Newest, headers);
            Assert.Equal((404, null, "?0"), head.State());
            using HttpResponseMessage append = await app.Client.AppendAsync(url, 4, true, File[4..], Newest, headers);
            await append.ProblemAsync(404, Own + "not-found");
            using HttpResponseMessage delete = await app.Client.IetfAsync("DELETE", url, Newest, null, headers);
            await delete.ProblemAsync(404, Own + "not-found");
        }

        Assert.Empty(app.Seen);
        using HttpResponseMessage last = await app.Client.AppendAsync(url, 4, true, File[4..], Newest, mine);
        Assert.Equal("?1", last.Header("Upload-Complete"));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Client_that_lost_its_permission_cannot_complete_upload(string place)
    {
        bool isAllowed = true;
        await using IetfApp app = await IetfApp.StartAsync(place, configure: options =>
        {
            options.AnonymousOwner = AnonymousOwner.Reject;
            options.Owner = _ => isAllowed ? "ann" : null;
        });
        using HttpResponseMessage created = await app.Client.CreateAsync(false, File[..4]);
        isAllowed = false;
        using HttpResponseMessage last = await app.Client.AppendAsync(created.Header("Location")!, 4, true, File[4..]);
        Assert.Equal(401, (int)last.StatusCode);
        Assert.Empty(app.Seen);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Upload_belongs_to_the_protocol_that_created_it(string place)
    {
        await using IetfApp app = await IetfApp.StartAsync(place);
        string ietf = await app.Client.BeginAsync(Newest, ("Upload-Length", "10"));
        Assert.Equal(404, await app.Client.TusAsync("HEAD", ietf).StatusOfAsync());
        Assert.Equal(404, await app.Client.AppendChunkAsync(ietf, 0, File).StatusOfAsync());
        Assert.Equal(404, await app.Client.TusAsync("DELETE", ietf).StatusOfAsync());

        string tus = await app.Client.CreateAsync(TusApp.Url, 10);
        using HttpResponseMessage head = await app.Client.HeadAsync(tus);
        using HttpResponseMessage append = await app.Client.AppendAsync(tus, 0, true, File);
        Assert.Equal((404, 404), ((int)head.StatusCode, (int)append.StatusCode));
        Assert.Empty(app.Seen);
        Assert.Equal(0, await app.Client.OffsetAsync(tus));
        Assert.Equal((0, false), await app.Client.StateAsync(ietf));
    }

    [Fact]
    public async Task Upload_with_lost_state_rejects_appends_and_is_not_recreated()
    {
        var store = new MemoryUploadStore();
        await using IetfApp app = await IetfApp.StartAsync(configure: options => options.Store = store);
        using HttpResponseMessage created = await app.Client.CreateAsync(false, File[..4]);
        string url = created.Header("Location")!;
        UploadKey key = UploadKeyFactory.FromIetfId("anonymous", UploadScopes.OfEndpoint(IetfApp.Url), url[^40..]);
        await store.DeleteAsync(key, null, CancellationToken.None);
        foreach (long offset in new[] { 0L, 4 })
        {
            using HttpResponseMessage append = await app.Client.AppendAsync(url, offset, true, File[(int)offset..]);
            await append.ProblemAsync(404, Own + "not-found");
        }

        Assert.Null(await store.GetAsync(key, CancellationToken.None));
        Assert.Empty(app.Seen);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task MaxUploadsPerOwner_limits_unfinished_uploads(string place)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, configure: static options => options.Limits.MaxUploadsPerOwner = 3);
        string[] urls = [await app.Client.BeginAsync(), await app.Client.BeginAsync(), await app.Client.BeginAsync()];
        using HttpResponseMessage fourth = await app.Client.CreateAsync(false, []);
        await fourth.ProblemAsync(429, Own + "too-many-uploads");
        Assert.NotNull(fourth.Header("Retry-After"));
        using HttpResponseMessage deleted = await app.Client.IetfAsync("DELETE", urls[0], Newest);
        Assert.NotNull(await app.Client.BeginAsync());
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Many_small_appends_cannot_exceed_max_size(string place)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, configure: static options => options.MaxUploadSize = 25);
        string url = await app.Client.BeginAsync();
        int[] statuses = new int[4];
        for (int i = 0; i < statuses.Length; i++)
        {
            using HttpResponseMessage append = await app.Client.AppendAsync(url, Math.Min(i, 2) * 10, false, File);
            statuses[i] = (int)append.StatusCode;
        }

        Assert.Equal([204, 204, 413, 413], statuses);
        Assert.Equal((20, false), await app.Client.StateAsync(url));
    }
}
