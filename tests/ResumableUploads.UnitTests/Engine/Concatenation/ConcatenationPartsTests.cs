using System.Net.Http.Headers;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;
using static ResumableUploads.Testing.ProblemExpectations;

namespace ResumableUploads.UnitTests.Engine.Concatenation;

/// <summary>Which parts are kept and removed, decided from a store that several processes share.</summary>
public class ConcatenationPartsTests
{
    private static readonly (string, string) Partial = ("Upload-Concat", "partial");
    private readonly MemoryUploadStore _store = new();

    [Fact]
    public async Task Part_that_a_concatenation_of_another_process_needs_is_kept()
    {
        await using TusApp other = await StartAsync(new HookedStore(_store) { IsUnswept = true });
        string part = await CreatePartAsync(other, [1, 2, 3]);
        string open = await other.Client.CreateAsync(TusApp.Url, 2, Partial);
        string waiting = await CreateFinalAsync(other, 201, part, open);
        await using TusApp app = await StartAsync(new HookedStore(_store) { IsUnswept = true });
        await CreateFinalAsync(app, 201, part);
        Assert.Equal([1, 2, 3], Assert.Single(app.Seen).Content);
        using HttpResponseMessage chunk = await app.Client.AppendChunkAsync(open, 0, [4, 5]);
        Assert.Equal(5, await app.Client.OffsetAsync(waiting));
        Assert.Equal([1, 2, 3, 4, 5], app.Seen.Last().Content);
        Assert.Equal((404, 404), (await StatusAsync(app, part), await StatusAsync(app, open)));
    }

    [Fact]
    public async Task Part_that_is_named_while_it_is_being_removed_is_kept()
    {
        await using TusApp other = await StartAsync(new HookedStore(_store) { IsUnswept = true });
        string part = await CreatePartAsync(other, [1, 2, 3]);
        string open = await other.Client.CreateAsync(TusApp.Url, 2, Partial);
        string? waiting = null;
        var store = new HookedStore(_store) { IsUnswept = true };
        store.BeforeDelete = async _ => waiting ??= await CreateFinalAsync(other, 201, part, open);
        await using TusApp app = await StartAsync(store);
        await CreateFinalAsync(app, 201, part);
        Assert.NotNull(waiting);
        Assert.Equal("3", await GetOffsetAsync(app, part));
        using HttpResponseMessage chunk = await other.Client.AppendChunkAsync(open, 0, [4, 5]);
        Assert.Equal("5", await GetOffsetAsync(other, waiting));
        Assert.Equal([1, 2, 3, 4, 5], Assert.Single(other.Seen).Content);
        Assert.Equal(404, await StatusAsync(app, part));
    }

    [Fact]
    public async Task Part_that_changed_while_it_was_being_removed_is_removed_after_that()
    {
        var store = new HookedStore(_store) { IsUnswept = true };
        await using TusApp app = await StartAsync(store);
        string part = await CreatePartAsync(app, [1, 2, 3]);
        int deletions = 0;
        store.BeforeDelete = async key =>
        {
            if (++deletions == 1)
            {
                UploadInfo info = (await _store.GetAsync(key, default))!;
                await _store.UpdateAsync(key, info.Version, info.Record, default);
            }
        };
        await CreateFinalAsync(app, 201, part);
        Assert.Equal((2, 404), (deletions, await StatusAsync(app, part)));
    }

    [Fact]
    public async Task Concatenation_completes_although_its_part_cannot_be_removed()
    {
        var store = new HookedStore(_store) { IsUnswept = true };
        await using TusApp app = await StartAsync(store);
        string part = await CreatePartAsync(app, [1, 2, 3]);
        store.BeforeDelete = static _ => throw new IOException("The disk does not respond.");
        await CreateFinalAsync(app, 201, part);
        Assert.Equal([1, 2, 3], Assert.Single(app.Seen).Content);
        Assert.Equal("3", await GetOffsetAsync(app, part));
    }

    [Fact]
    public async Task Concatenation_counts_as_an_append_of_its_owner()
    {
        var store = new HookedStore(_store) { IsUnswept = true };
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade, options =>
        {
            options.Store = store;
            options.Limits.MaxAppendsPerOwner = 1;
        });
        string part = await CreatePartAsync(app, [1, 2, 3]);
        var body = new BlockedContent([1], [2]);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/offset+octet-stream");
        using var request = new HttpRequestMessage(HttpMethod.Patch, await app.Client.CreateAsync(TusApp.Url, 2)) { Content = body };
        request.Headers.Add("Tus-Resumable", "1.0.0");
        request.Headers.Add("Upload-Offset", "0");
        Task<HttpResponseMessage> appending = app.Client.SendAsync(request);
        await Eventually.TrueAsync(async () => await _store.ListAsync(new UploadQuery(), default).AnyAsync(static info => info.Offset == 1), "the append has begun");

        string final = await CreateFinalAsync(app, 201, part);
        Assert.Empty(app.Seen);
        body.Release();
        (await appending).Dispose();
        Assert.Equal("3", await GetOffsetAsync(app, final));
        Assert.Contains(app.Seen, static seen => seen.Content is [1, 2, 3]);
    }

    [Fact]
    public async Task Expired_part_is_not_concatenated()
    {
        var time = new FakeTimeProvider();
        var store = new HookedStore(new MemoryUploadStore(timeProvider: time)) { IsUnswept = true };
        await using TestApp app = await AppAsync(configure: options => options.Store = store, time: time);
        string part = await app.Client.CreateAsync("/upload", 3, Partial);
        Assert.Equal(204, await app.Client.AppendChunkAsync(part, 0, [1, 2, 3]).StatusOfAsync());
        time.Advance(TimeSpan.FromDays(7));
        await app.Client.TusAsync("POST", "/upload", null, ("Upload-Concat", $"final;{part}")).ShouldBeProblemAsync(400, Own + "part-missing");
    }

    [Fact]
    public async Task Parts_are_removed_without_completion_handler()
    {
        await using TestApp app = await TestApp.StartAsync(
            options =>
            {
                options.Store = _store;
                options.UploadPath = TusApp.Url;
                options.OnCompleted = null;
            },
            onTestHost: true);
        string part = await app.Client.CreateAsync(TusApp.Url, 3, Partial);
        using HttpResponseMessage chunk = await app.Client.AppendChunkAsync(part, 0, [1, 2, 3]);
        using HttpResponseMessage final = await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Concat", $"final;{part} {part}"));
        Assert.Equal((201, "6"), ((int)final.StatusCode, final.Header("Upload-Offset")));
        Assert.Equal(404, await app.Client.TusAsync("HEAD", part).StatusOfAsync());
        Assert.Equal(6, Assert.Single(await _store.ListAsync(new UploadQuery(), default).ToListAsync()).Offset);
    }

    [Fact]
    public async Task Parts_that_a_crash_left_behind_are_removed_after_the_next_start()
    {
        string part;
        var store = new HookedStore(_store) { IsUnswept = true, BeforeDelete = static _ => throw new UploadStoreException(StoreFailure.Unavailable, "crash") };
        await using (TusApp app = await StartAsync(store))
        {
            part = await CreatePartAsync(app, [1, 2, 3]);
            await CreateFinalAsync(app, 201, part);

            // The handler runs although the parts could not be removed.
            Assert.Equal([1, 2, 3], Assert.Single(app.Seen).Content);
            Assert.Equal("3", await GetOffsetAsync(app, part));
        }

        await using TusApp next = await StartAsync(_store);
        await Eventually.TrueAsync(async () => await StatusAsync(next, part) == 404, "the part is removed");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Final_upload_whose_part_vanishes_during_its_creation_returns_400(int vanishing)
    {
        var store = new HookedStore(_store) { IsUnswept = true };
        await using TusApp app = await StartAsync(store);
        UploadKey[] before = [];
        string[] parts = [await CreatePartAsync(app, [1, 2, 3]), await app.Client.CreateAsync(TusApp.Url, 2, Partial)];
        before = await GetKeysAsync();
        UploadKey[] ordered = [.. (await _store.ListAsync(new UploadQuery(), default).ToListAsync()).OrderByDescending(static info => info.Length).Select(static info => info.Key)];
        store.AfterCreate = async _ => await _store.DeleteAsync(ordered[vanishing], null, default);
        using HttpResponseMessage final = await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Concat", $"final;{string.Join(' ', parts)}"));
        Assert.Null(final.Header("Location"));
        await final.ShouldBeProblemAsync(400, Own + "part-missing");
        Assert.Equal(before.Length - 1, (await GetKeysAsync()).Length);
    }

    [Fact]
    public async Task Final_upload_whose_part_cannot_be_referenced_is_removed()
    {
        var store = new HookedStore(_store) { IsUnswept = true };
        await using TusApp app = await StartAsync(store);
        string part = await CreatePartAsync(app, [1, 2, 3]);
        UploadKey[] before = await GetKeysAsync();
        store.BeforeUpdate = static _ => throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure.");
        Assert.Null(await CreateFinalAsync(app, 503, part));
        store.BeforeUpdate = null;
        Assert.Equal(before, await GetKeysAsync());
        Assert.Equal("3", await GetOffsetAsync(app, part));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Part_that_is_removed_during_its_concatenation_fails_it(int openedPart)
    {
        var store = new HookedStore(_store) { IsUnswept = true };
        await using TusApp app = await StartAsync(store);
        string[] parts = [await CreatePartAsync(app, [1, 2, 3]), await CreatePartAsync(app, [4, 5])];
        store.BeforeOpenRead = async key =>
        {
            if (--openedPart == 0)
            {
                await _store.DeleteAsync(key, null, default);
            }
        };
        using HttpResponseMessage final = await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Concat", $"final;{string.Join(' ', parts)}"));
        await final.ShouldBeProblemAsync(400, Own + "part-missing");
        Assert.Single(await GetKeysAsync());
        Assert.Empty(app.Seen);
    }

    [Fact]
    public async Task Final_upload_whose_part_was_deleted_returns_404_and_is_logged()
    {
        await using TusApp app = await StartAsync(new HookedStore(_store) { IsUnswept = true });
        string part = await CreatePartAsync(app, [1, 2, 3]);
        string open = await app.Client.CreateAsync(TusApp.Url, 2, Partial);
        string final = await CreateFinalAsync(app, 201, part, open);
        Assert.Equal(204, await app.Client.TusAsync("DELETE", open).StatusOfAsync());
        Assert.Equal(404, await StatusAsync(app, final));
        Assert.Contains(app.App.Log.Lines, static line => line.Contains("[240]", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Sweep_continues_after_a_concatenation_whose_part_was_removed()
    {
        string second, open;
        await using (TusApp app = await StartAsync(new HookedStore(_store) { IsUnswept = true }))
        {
            string part = await CreatePartAsync(app, [1, 2, 3]);
            open = await app.Client.CreateAsync(TusApp.Url, 2, Partial);
            await CreateFinalAsync(app, 201, part, open);
            second = await CreateFinalAsync(app, 201, open);
        }

        // The sweep at start finds both concatenations waiting and one of their parts removed.
        UploadInfo removed = (await _store.ListAsync(new UploadQuery(), default).ToListAsync()).First(static info => info.Offset == 3);
        await _store.DeleteAsync(removed.Key, null, default);
        await using TusApp next = await StartAsync(_store);
        await Eventually.TrueAsync(async () => (await GetKeysAsync()).Length == 2, "the concatenation without its part is removed");
        using HttpResponseMessage last = await next.Client.AppendChunkAsync(open, 0, [4, 5]);
        Assert.Equal("2", await GetOffsetAsync(next, second));
        Assert.Equal([4, 5], Assert.Single(next.Seen).Content);
    }

    private static Task<TusApp> StartAsync(IUploadStore store) => TusApp.StartAsync(TusApp.ReadyMade, options => options.Store = store);

    private static async Task<string> CreatePartAsync(TusApp app, byte[] content)
    {
        string url = await app.Client.CreateAsync(TusApp.Url, content.Length, Partial);
        using HttpResponseMessage chunk = await app.Client.AppendChunkAsync(url, 0, content);
        Assert.Equal(204, (int)chunk.StatusCode);
        return url;
    }

    private static async Task<string> CreateFinalAsync(TusApp app, int status, params string[] parts)
    {
        using HttpResponseMessage final = await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Concat", $"final;{string.Join(' ', parts)}"));
        Assert.Equal(status, (int)final.StatusCode);
        return final.Header("Location")!;
    }

    private static Task<int> StatusAsync(TusApp app, string url) => app.Client.TusAsync("HEAD", url).StatusOfAsync();

    private static async Task<string?> GetOffsetAsync(TusApp app, string url)
    {
        using HttpResponseMessage head = await app.Client.TusAsync("HEAD", url);
        return head.Header("Upload-Offset");
    }

    private async Task<UploadKey[]> GetKeysAsync() => [.. (await _store.ListAsync(new UploadQuery(), default).ToListAsync()).Select(static info => info.Key)];
}
