using System.Runtime.CompilerServices;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Quotas;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Engine.Quotas;

public class OwnerQuotaTests
{
    private static readonly EngineSettings Settings = TestSettings.Default with { MaxUploadsPerOwner = 2, MaxBytesPerOwner = 100, MaxAppendsPerOwner = 2 };
    private readonly FakeTimeProvider _time = new();
    private readonly MemoryUploadStore _store = new();
    private readonly OwnerQuota _quota;

    public OwnerQuotaTests() => _quota = new OwnerQuota(_store, Settings, _time, default);

    [Fact]
    public async Task ReserveUploadAsync_beyond_max_uploads_fails_until_released()
    {
        Assert.Null(await ReserveAsync("a", 1));
        Assert.Null(await ReserveAsync("a", null));
        Assert.Equal(UploadResultKind.TooManyUploads, await ReserveAsync("a", 1));
        Assert.Null(await ReserveAsync("b", 1));
        _quota.ReleaseUpload("a", 1);
        Assert.Null(await ReserveAsync("a", 1));
    }

    [Fact]
    public async Task ReserveUploadAsync_beyond_max_bytes_fails()
    {
        Assert.Equal(UploadResultKind.OwnerQuotaExceeded, await ReserveAsync("a", 101));
        Assert.Equal(UploadResultKind.OwnerQuotaExceeded, await ReserveAsync("a", long.MaxValue));
        Assert.Null(await ReserveAsync("a", 60));
        Assert.Equal(UploadResultKind.OwnerQuotaExceeded, await ReserveAsync("a", 41));
        Assert.Equal(40, await _quota.GetAvailableBytesAsync("a", default));
        _quota.AdjustBytes("a", 30);
        Assert.Equal(10, await _quota.GetAvailableBytesAsync("a", default));
        _quota.AdjustBytes("a", 30);
        Assert.Equal(0, await _quota.GetAvailableBytesAsync("a", default));
        _quota.ReleaseUpload("a", 60);
        Assert.Equal(40, await _quota.GetAvailableBytesAsync("a", default));
    }

    [Fact]
    public async Task ReserveUploadAsync_does_not_overflow()
    {
        var quota = new OwnerQuota(_store, Settings with { MaxBytesPerOwner = long.MaxValue }, _time, default);
        Assert.Null(await quota.ReserveUploadAsync(new UploadKey("a", "1"), long.MaxValue - 1, null, default));
        Assert.Equal(UploadResultKind.OwnerQuotaExceeded, await quota.ReserveUploadAsync(new UploadKey("a", "2"), 10, null, default));
    }

    [Fact]
    public async Task Stored_uploads_count_unless_complete()
    {
        await _store.CreateAsync(new UploadKey("a", "1"), new UploadRecord { Length = 70 }, default);
        CreateResult done = await _store.CreateAsync(new UploadKey("a", "2"), new UploadRecord { Length = 1000 }, default);
        await _store.UpdateAsync(done.Info!.Key, done.Info.Version, done.Info.Record with { State = UploadState.Received }, default);
        Assert.Equal(30, await _quota.GetAvailableBytesAsync("a", default));
        Assert.Null(await ReserveAsync("a", 30));
        Assert.Equal(UploadResultKind.TooManyUploads, await ReserveAsync("a", 0));
    }

    [Fact]
    public async Task TryReserveBytesAsync_beyond_max_bytes_fails()
    {
        Assert.Null(await ReserveAsync("a", 60));
        Assert.False(await _quota.TryReserveBytesAsync("a", 41, default));
        Assert.True(await _quota.TryReserveBytesAsync("a", 40, default));
        Assert.Equal(0, await _quota.GetAvailableBytesAsync("a", default));
    }

    [Fact]
    public async Task ReserveUploadAsync_checks_minimum_bytes_without_reserving_them()
    {
        Assert.Equal(UploadResultKind.OwnerQuotaExceeded, await _quota.ReserveUploadAsync(new UploadKey("a", "1"), null, 101, default));
        Assert.Null(await _quota.ReserveUploadAsync(new UploadKey("a", "1"), null, 100, default));
        Assert.Equal(100, await _quota.GetAvailableBytesAsync("a", default));
    }

    [Fact]
    public async Task ReserveUploadAsync_waits_for_the_first_count()
    {
        var slow = new SlowListStore(_store);
        var quota = new OwnerQuota(slow, Settings, _time, default);
        await _store.CreateAsync(new UploadKey("a", "1"), new UploadRecord(), default);
        await _store.CreateAsync(new UploadKey("a", "2"), new UploadRecord(), default);
        Task<UploadResultKind?>[] reservations = [.. Enumerable.Range(0, 5).Select(_ => quota.ReserveUploadAsync(new UploadKey("a", "3"), 1, null, default).AsTask())];
        Assert.All(reservations, static task => Assert.False(task.IsCompleted));
        slow.Release.SetResult();
        Assert.All(await Task.WhenAll(reservations), static kind => Assert.Equal(UploadResultKind.TooManyUploads, kind));
        Assert.Equal(1, slow.Lists);
    }

    [Fact]
    public async Task Outdated_count_is_refreshed_in_the_background()
    {
        var slow = new SlowListStore(_store);
        slow.Release.SetResult();
        var quota = new OwnerQuota(slow, Settings, _time, default);
        Assert.Equal(100, await quota.GetAvailableBytesAsync("a", default));
        CreateResult other = await _store.CreateAsync(new UploadKey("a", "1"), new UploadRecord { Length = 70 }, default);
        Assert.Equal(100, await quota.GetAvailableBytesAsync("a", default));

        _time.Advance(TimeSpan.FromMinutes(11));
        slow.Release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Assert.Equal(100, await quota.GetAvailableBytesAsync("a", default));

        // Changes during the count are included.
        Assert.Null(await quota.ReserveUploadAsync(new UploadKey("a", "2"), 25, null, default));
        Assert.Null(await quota.ReserveUploadAsync(new UploadKey("a", "3"), 5, null, default));
        quota.ReleaseUpload("a", 25);
        Assert.Equal(95, await quota.GetAvailableBytesAsync("a", default));
        slow.Release.SetResult();
        await Eventually.TrueAsync(async () => await quota.GetAvailableBytesAsync("a", default) == 25, "the upload of the other process is counted");
        Assert.Equal(2, slow.Lists);

        await _store.DeleteAsync(new UploadKey("a", "1"), other.Info!.Version, default);
        _time.Advance(TimeSpan.FromMinutes(11));
        await Eventually.TrueAsync(async () => await quota.GetAvailableBytesAsync("a", default) == 100, "the deleted upload is no longer counted");
    }

    [Fact]
    public async Task Failed_recount_keeps_the_old_count_and_is_retried()
    {
        var slow = new SlowListStore(_store);
        slow.Release.SetResult();
        var quota = new OwnerQuota(slow, Settings, _time, default);
        Assert.Null(await quota.ReserveUploadAsync(new UploadKey("a", "1"), 40, null, default));
        _time.Advance(TimeSpan.FromMinutes(11));
        slow.Release = new TaskCompletionSource();
        slow.Release.SetException(new UploadStoreException(StoreFailure.Unavailable, "unavailable"));
        await Eventually.TrueAsync(
            async () =>
            {
                Assert.Equal(60, await quota.GetAvailableBytesAsync("a", default));
                return slow.Lists >= 3;
            },
            "the count is retried");
    }

    [Fact]
    public void TryReserveAppend_beyond_max_appends_fails_until_released()
    {
        Assert.True(_quota.TryReserveAppend("a"));
        Assert.True(_quota.TryReserveAppend("a"));
        Assert.False(_quota.TryReserveAppend("a"));
        Assert.True(_quota.TryReserveAppend("b"));
        _quota.ReleaseAppend("a");
        Assert.True(_quota.TryReserveAppend("a"));
    }

    [Fact]
    public void RemoveIdleOwners_keeps_owners_with_active_appends()
    {
        Assert.True(_quota.TryReserveAppend("a"));
        Assert.True(_quota.TryReserveAppend("a"));
        _quota.RemoveIdleOwners();
        Assert.False(_quota.TryReserveAppend("a"));
        _quota.ReleaseAppend("a");
        _quota.ReleaseAppend("a");
        _quota.RemoveIdleOwners();
        Assert.True(_quota.TryReserveAppend("a"));
    }

    [Fact]
    public async Task Concurrent_reservations_do_not_exceed_the_limit()
    {
        var quota = new OwnerQuota(_store, Settings with { MaxUploadsPerOwner = 50 }, _time, default);
        UploadResultKind?[] results = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(async () =>
            await quota.ReserveUploadAsync(new UploadKey("a", i.ToString()), 1, null, default))));
        Assert.Equal(50, results.Count(static kind => kind is null));
    }

    private ValueTask<UploadResultKind?> ReserveAsync(string owner, long? length) =>
        _quota.ReserveUploadAsync(new UploadKey(owner, "i"), length, null, default);

    private sealed class SlowListStore(IUploadStore innerStore) : DelegatingUploadStore(innerStore)
    {
        public TaskCompletionSource Release { get; set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Lists { get; private set; }

        public override async IAsyncEnumerable<UploadInfo> ListAsync(
            UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            Lists++;
            await Release.Task;
            await foreach (UploadInfo info in InnerStore.ListAsync(query, cancellationToken))
            {
                yield return info;
            }
        }
    }
}
