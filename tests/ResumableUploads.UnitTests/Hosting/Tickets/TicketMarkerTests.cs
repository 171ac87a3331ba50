using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Tickets;

/// <summary>The marker that stays in the store when the upload of a ticket is removed.</summary>
public class TicketMarkerTests
{
    [Fact]
    public async Task Marker_of_a_removed_upload_is_removed_after_the_ticket()
    {
        var time = new FakeTimeProvider(TicketApp.StartTime);
        var store = new MemoryUploadStore(timeProvider: time);
        bool isExpired = false;
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Mapped, options =>
        {
            options.Store = store;
            options.OnExpired = (_, _) =>
            {
                isExpired = true;
                return Task.CompletedTask;
            };
        });
        string url = await app.Client.BeginAsync(ProtocolClient.Tus, app.CreateTicket().Url, "hel"u8.ToArray(), 5);
        await DeleteAsync(app, url);
        UploadInfo marker = Assert.Single(await store.ListAsync(new UploadQuery(), CancellationToken.None).ToArrayAsync());
        Assert.Equal(TicketApp.StartTime.AddMinutes(75), marker.Expires);
        await Eventually.TrueAsync(
            async () => await store.GetAsync(marker.Key, CancellationToken.None) is null, "the marker is removed", () => app.Time.Advance(TimeSpan.FromMinutes(5)));
        Assert.InRange(app.Time.GetUtcNow(), TicketApp.StartTime.AddMinutes(75), DateTimeOffset.MaxValue);
        Assert.False(isExpired);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Upload_continues_after_a_delete_that_failed(bool throws)
    {
        var time = new FakeTimeProvider(TicketApp.StartTime);
        var store = new FailingDelete(new MemoryUploadStore(timeProvider: time));
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Mapped, options => options.Store = store);
        UploadTicket ticket = app.CreateTicket();
        string url = await app.Client.BeginAsync(ProtocolClient.Tus, ticket.Url, "hel"u8.ToArray(), 5);
        (store.Fails, store.Throws) = (true, throws);
        using HttpResponseMessage failed = await app.Client.TusAsync("DELETE", url);
        Assert.False(failed.IsSuccessStatusCode, $"{failed}");
        Assert.Equal(2, await store.ListAsync(new UploadQuery(), CancellationToken.None).CountAsync());

        store.Fails = false;
        Assert.Equal((200, "3"), await app.Client.GetOffsetAsync(ProtocolClient.Tus, url));
        using HttpResponseMessage finished = await app.Client.FinishAsync(ProtocolClient.Tus, url, 3, "lo"u8.ToArray());
        Assert.True(finished.IsSuccessStatusCode, $"{finished}");
        Assert.Equal("hello", Assert.Single(app.Received).Content);

        await DeleteAsync(app, url);
        await app.Client.SendFirstAsync(ProtocolClient.Tus, ticket.Url, "hel"u8.ToArray(), 5).AssertProblemAsync(403, "ticket-used");
        Assert.Single(app.Received);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Marker_uses_no_quota_and_is_not_counted(bool isInterrupted)
    {
        var time = new FakeTimeProvider(TicketApp.StartTime);
        var store = new FailingDelete(new MemoryUploadStore(timeProvider: time)) { UpdatesMarkers = !isInterrupted };
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Mapped, options => (options.Store, options.Limits.MaxUploadsPerOwner) = (store, 1));
        string url = await app.Client.BeginAsync(ProtocolClient.Tus, app.CreateTicket().Url, "hel"u8.ToArray(), 5);
        using (HttpResponseMessage deleted = await app.Client.TusAsync("DELETE", url))
        {
            // If the server stops between two changes of the store, the client repeats the request.
            using HttpResponseMessage repeated = await app.Client.TusAsync("DELETE", url);
            Assert.Contains((int)repeated.StatusCode, new[] { 204, 404 });
        }

        Assert.Single(await store.ListAsync(new UploadQuery(), CancellationToken.None).ToArrayAsync());

        // A second server counts the uploads of the owner again.
        await using TicketApp restarted = await TicketApp.StartAsync(TusApp.Mapped, options => (options.Store, options.Limits.MaxUploadsPerOwner) = (store, 1));
        await restarted.Client.BeginAsync(ProtocolClient.Tus, restarted.CreateTicket().Url, "hel"u8.ToArray(), 5);
        IUploadManager manager = restarted.App.Services.GetRequiredService<IUploadManager>();
        UploadStoreStatistics statistics = await GetAfterSweepAsync(manager, restarted.Time);
        statistics = await GetAfterSweepAsync(manager, restarted.Time);
        Assert.Equal((1L, 0L), (statistics.Receiving.Count, statistics.Completed.Count));
        Assert.InRange(restarted.Time.GetUtcNow(), TicketApp.StartTime, TicketApp.StartTime.AddMinutes(75));
    }

    /// <summary>Returns the statistics after a sweep that ends from now on.</summary>
    private static async Task<UploadStoreStatistics> GetAfterSweepAsync(IUploadManager manager, FakeTimeProvider time)
    {
        DateTimeOffset start = time.GetUtcNow();
        UploadStoreStatistics? statistics = null;
        await Eventually.TrueAsync(
            async () => (statistics = Assert.Single((await manager.GetStatisticsAsync()).Stores)).LastSweep > start, "a sweep has ended", () => time.Advance(TimeSpan.FromSeconds(10)));
        return statistics!;
    }

    private static async Task DeleteAsync(TicketApp app, string url)
    {
        using HttpResponseMessage response = await app.Client.TusAsync("DELETE", url);
        Assert.Equal(204, (int)response.StatusCode);
    }

    /// <summary>A store that cannot delete uploads, or change markers, for some time.</summary>
    private sealed class FailingDelete(IUploadStore store) : DelegatingUploadStore(store)
    {
        public bool Fails { get; set; }

        public bool Throws { get; set; }

        public bool UpdatesMarkers { get; init; } = true;

        public override ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken) =>
            !Fails ? base.DeleteAsync(key, version, cancellationToken)
            : Throws ? throw new UploadStoreException(StoreFailure.Unavailable, "The store does not respond.")
            : ValueTask.FromResult(new DeleteResult(ChangeStatus.Busy));

        public override ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) =>
            key.Id.StartsWith("used-", StringComparison.Ordinal) && !UpdatesMarkers
                ? throw new UploadStoreException(StoreFailure.Unavailable, "The store does not respond.")
                : base.UpdateAsync(key, version, record, cancellationToken);
    }
}
