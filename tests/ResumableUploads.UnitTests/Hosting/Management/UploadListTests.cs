using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Management;

public class UploadListTests
{
    [Theory]
    [InlineData(0, 3, 1)]
    [InlineData(3, 3, 1)]
    [InlineData(7, 3, 3)]
    [InlineData(9, 3, 3)]
    public async Task Pages_return_each_upload_once(int count, int pageSize, int pages)
    {
        var store = new ListedStore();
        await using TestApp app = await StartAsync(store);
        store.Count = count;

        List<UploadPage> read = await ReadAllAsync(Manager(app), new UploadListQuery { PageSize = pageSize });

        Assert.Equal(pages, read.Count);
        Assert.Equal(Enumerable.Range(0, count), read.SelectMany(static page => page.Uploads).Select(static upload => (int)upload.Offset));
    }

    [Fact]
    public async Task Page_of_a_million_uploads_reads_one_page()
    {
        var store = new ListedStore();
        await using TestApp app = await StartAsync(store);
        store.Count = 1_000_000;

        UploadPage page = await Manager(app).ListAsync(new UploadListQuery());

        Assert.Equal((50, 51), (page.Uploads.Count, store.Reads));
    }

    [Fact]
    public async Task Page_of_a_rare_state_reads_at_most_the_limit()
    {
        var store = new ListedStore { GetState = static index => index == 2500 ? UploadState.Completed : UploadState.Receiving };
        await using TestApp app = await StartAsync(store);
        store.Count = 1_000_000;
        var query = new UploadListQuery { State = ManagedUploadState.Completed, MaxScannedUploads = 1000 };

        UploadPage first = await Manager(app).ListAsync(query);

        Assert.Empty(first.Uploads);
        Assert.Equal(1001, store.Reads);
        UploadPage second = await Manager(app).ListAsync(query with { Continuation = first.Continuation });
        UploadPage third = await Manager(app).ListAsync(query with { Continuation = second.Continuation });
        Assert.Equal(2500, Assert.Single(third.Uploads).Offset);
    }

    [Fact]
    public async Task Pages_continue_with_the_next_store()
    {
        (ListedStore first, ListedStore second) = (new(), new());
        await using TestApp app = await StartAsync(first, app => app.UseResumableUploads(options => (options.Store, options.UploadPath) = (second, "/second")));
        (first.Count, second.Count) = (3, 2);

        List<UploadPage> read = await ReadAllAsync(Manager(app), new UploadListQuery { PageSize = 3 });

        Assert.Equal([3, 2], read.Select(static page => page.Uploads.Count));
        Assert.Equal(["ListedStore", "ListedStore 2"], read.Select(static page => page.Uploads.Select(static upload => upload.Store).Distinct().Single()));
    }

    [Fact]
    public async Task Owner_filter_returns_only_the_uploads_of_the_owner()
    {
        await using TestApp app = await TestApp.StartAsync(
            static options => options.Owner = static context => context.Request.Headers["X-Owner"].ToString(),
            static builder => builder.Services.AddResumableUploads(),
            onTestHost: true);
        foreach (string owner in (string[])["ann", "bob", "ann"])
        {
            using HttpResponseMessage response = await app.Client.AppendAsync(Guid.NewGuid().ToString(), 0, [1], 2, ("X-Owner", owner));
        }

        UploadPage all = await Manager(app).ListAsync(new UploadListQuery());
        Assert.Equal(3, all.Uploads.Count);
        foreach (IGrouping<string, ManagedUpload> owner in all.Uploads.GroupBy(static upload => upload.Key.Owner))
        {
            UploadPage page = await Manager(app).ListAsync(new UploadListQuery { Owner = owner.Key });
            Assert.Equal(owner.Select(static upload => upload.Key), page.Uploads.Select(static upload => upload.Key));
        }
    }

    [Theory]
    [InlineData("../..")]
    [InlineData("")]
    [InlineData("Ann")]
    public async Task Owner_that_cannot_exist_has_no_uploads(string owner)
    {
        var store = new ListedStore();
        await using TestApp app = await StartAsync(store);
        store.Count = 1;
        UploadPage page = await Manager(app).ListAsync(new UploadListQuery { Owner = owner });
        Assert.Empty(page.Uploads);
        Assert.Null(page.Continuation);
        Assert.Equal(0, store.Reads);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1001, 1)]
    [InlineData(1, 0)]
    [InlineData(1, 100_001)]
    public async Task Number_outside_its_range_throws(int pageSize, int maxScanned)
    {
        await using TestApp app = await StartAsync(new MemoryUploadStore());
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => Manager(app).ListAsync(new UploadListQuery { PageSize = pageSize, MaxScannedUploads = maxScanned }));
    }

    [Fact]
    public async Task Continuation_of_another_origin_throws()
    {
        await using TestApp app = await StartAsync(new MemoryUploadStore());
        await Assert.ThrowsAsync<ArgumentException>(() => Manager(app).ListAsync(new UploadListQuery { Continuation = "<script>" }));
    }

    [Fact]
    public async Task Canceled_token_ends_the_listing()
    {
        await using TestApp app = await StartAsync(new MemoryUploadStore());
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, [1], 2);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Manager(app).ListAsync(new UploadListQuery(), new CancellationToken(canceled: true)));
    }

    private static IUploadManager Manager(TestApp app) => app.Services.GetRequiredService<IUploadManager>();

    private static async Task<List<UploadPage>> ReadAllAsync(IUploadManager manager, UploadListQuery query)
    {
        var pages = new List<UploadPage>();
        do
        {
            pages.Add(await manager.ListAsync(query));
            query = query with { Continuation = pages[^1].Continuation };
        }
        while (query.Continuation is not null && pages.Count < 100);
        return pages;
    }

    private static Task<TestApp> StartAsync(IUploadStore store, Action<WebApplication>? after = null) =>
        TestApp.StartAsync(options => options.Store = store, static builder => builder.Services.AddResumableUploads(), after: after, onTestHost: true);
}
