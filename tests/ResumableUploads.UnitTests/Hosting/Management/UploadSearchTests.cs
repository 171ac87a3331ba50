using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Abstractions;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Management;

public class UploadSearchTests
{
    [Fact]
    public async Task Beginning_of_ids_selects_uploads()
    {
        var store = new ListedStore();
        await using TestApp app = await StartAsync(store);
        store.Count = 1000;
        UploadPage page = await Manager(app).ListAsync(new UploadListQuery { IdPrefix = "0000031" });
        Assert.Equal(Enumerable.Range(310, 10), page.Uploads.Select(static upload => (int)upload.Offset));
        Assert.Null(page.Continuation);
    }

    [Fact]
    public async Task Search_without_owner_reads_at_most_the_limit_and_continues()
    {
        var store = new ListedStore();
        await using TestApp app = await StartAsync(store);
        store.Count = 1_000_000;
        var query = new UploadListQuery { IdPrefix = "00002500", MaxScannedUploads = 2000 };

        UploadPage first = await Manager(app).ListAsync(query);

        Assert.Empty(first.Uploads);
        Assert.Equal(2001, store.Reads);
        UploadPage second = await Manager(app).ListAsync(query with { Continuation = first.Continuation });
        Assert.Equal(2500, Assert.Single(second.Uploads).Offset);
    }

    [Theory]
    [InlineData(null, 1)]
    [InlineData(ManagedUploadState.Receiving, 1)]
    [InlineData(ManagedUploadState.Completed, 0)]
    public async Task Key_finds_one_upload_of_a_million_without_listing(ManagedUploadState? state, int expected)
    {
        var store = new ListedStore();
        await using TestApp app = await StartAsync(store);
        store.Count = 1_000_000;
        UploadPage page = await Manager(app).ListAsync(new UploadListQuery { Owner = "o", IdPrefix = "00999999", State = state });
        Assert.Equal((expected, 0, null), (page.Uploads.Count, store.Reads, page.Continuation));
    }

    [Theory]
    [InlineData("")]
    [InlineData("../x")]
    [InlineData("<script>")]
    [InlineData("ABC")]
    [InlineData("-")]
    public async Task Id_that_cannot_exist_has_no_uploads(string id)
    {
        var store = new ListedStore();
        await using TestApp app = await StartAsync(store);
        store.Count = 1;
        UploadPage page = await Manager(app).ListAsync(new UploadListQuery { Owner = "o", IdPrefix = id });
        Assert.Empty(page.Uploads);
        Assert.Null(page.Continuation);
        Assert.Equal(0, store.Reads);
    }

    [Fact]
    public async Task Id_of_another_owner_is_not_found()
    {
        await using TestApp app = await TestApp.StartAsync(
            static options => options.Owner = static context => context.Request.Headers["X-Owner"].ToString(),
            static builder => builder.Services.AddResumableUploads(),
            onTestHost: true);
        (await app.Client.AppendAsync("f", 0, [1], 2, ("X-Owner", "ann"))).Dispose();
        (await app.Client.AppendAsync("g", 0, [1], 2, ("X-Owner", "bob"))).Dispose();
        IReadOnlyList<ManagedUpload> all = (await Manager(app).ListAsync(new UploadListQuery())).Uploads;
        (ManagedUpload ann, ManagedUpload bob) = (all[0], all[1]);
        Assert.NotEqual(ann.Key.Owner, bob.Key.Owner);
        Assert.Empty((await Manager(app).ListAsync(new UploadListQuery { Owner = ann.Key.Owner, IdPrefix = bob.Key.Id })).Uploads);
        foreach (string? owner in (string?[])[null, bob.Key.Owner])
        {
            Assert.Equal(bob.Key, Assert.Single((await Manager(app).ListAsync(new UploadListQuery { Owner = owner, IdPrefix = bob.Key.Id })).Uploads).Key);
            Assert.Equal(bob.Key, Assert.Single((await Manager(app).ListAsync(new UploadListQuery { Owner = owner, IdPrefix = bob.Key.Id[..8] })).Uploads).Key);
        }
    }

    private static IUploadManager Manager(TestApp app) => app.Services.GetRequiredService<IUploadManager>();

    private static Task<TestApp> StartAsync(IUploadStore store) =>
        TestApp.StartAsync(options => options.Store = store, static builder => builder.Services.AddResumableUploads(), onTestHost: true);
}
