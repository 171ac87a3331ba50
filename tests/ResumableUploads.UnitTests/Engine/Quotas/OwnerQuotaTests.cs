using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Content;
using ResumableUploads.Engine.Locking;
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

    public OwnerQuotaTests() => _quota = new OwnerQuota(_store, new OwnerUsageTable(), Settings, _time, default);

    [Fact]
    public async Task ReserveUploadAsync_beyond_max_uploads_fails_until_released()
    {
        Assert.Null(await ReserveAsync("a", 1));
        Assert.Null(await ReserveAsync("a", null));
        Assert.Equal(UploadResultKind.TooManyUploads, await ReserveAsync("a", 1));
        Assert.Null(await ReserveAsync("b", 1));
        _quota.Release(new QuotaAccount("a"), new QuotaUsage(1, 1));
        Assert.Null(await ReserveAsync("a", 1));
    }

    [Fact]
    public async Task ReserveUploadAsync_beyond_max_bytes_fails()
    {
        Assert.Equal(UploadResultKind.OwnerQuotaExceeded, await ReserveAsync("a", 101));
        Assert.Equal(UploadResultKind.OwnerQuotaExceeded, await ReserveAsync("a", long.MaxValue));
        Assert.Null(await ReserveAsync("a", 60));
        Assert.Equal(UploadResultKind.OwnerQuotaExceeded, await ReserveAsync("a", 41));
        Assert.Equal(40, await _quota.GetAvailableBytesAsync(new QuotaAccount("a")));
        await _quota.AddBytesAsync(new QuotaAccount("a"), 30);
        Assert.Equal(10, await _quota.GetAvailableBytesAsync(new QuotaAccount("a")));
        await _quota.AddBytesAsync(new QuotaAccount("a"), 30);
        Assert.Equal(0, await _quota.GetAvailableBytesAsync(new QuotaAccount("a")));
        _quota.Release(new QuotaAccount("a"), new QuotaUsage(1, 60));
        Assert.Equal(40, await _quota.GetAvailableBytesAsync(new QuotaAccount("a")));
    }

    [Fact]
    public async Task ReserveUploadAsync_does_not_overflow()
    {
        var quota = new OwnerQuota(_store, new OwnerUsageTable(), Settings with { MaxBytesPerOwner = long.MaxValue }, _time, default);
        Assert.Null(await quota.ReserveUploadAsync(new QuotaAccount("a"), long.MaxValue - 1));
        Assert.Equal(UploadResultKind.OwnerQuotaExceeded, await quota.ReserveUploadAsync(new QuotaAccount("a"), 10));
    }

    [Fact]
    public async Task Stored_bytes_count_in_every_state()
    {
        await _store.CreateAsync(new UploadKey("a", "1"), new UploadRecord { Length = 50 }, default);
        await CreateFinishedAsync("2", 10, UploadState.Received, new EngineRecord());
        await CreateFinishedAsync("3", 20, UploadState.Completed, new EngineRecord { IsContentStored = true });
        Assert.Equal(20, await _quota.GetAvailableBytesAsync(new QuotaAccount("a")));
        Assert.Null(await ReserveAsync("a", 20));
        Assert.Equal(UploadResultKind.TooManyUploads, await ReserveAsync("a", 0));
    }

    [Fact]
    public async Task Moved_content_and_completed_uploads_of_older_versions_do_not_count()
    {
        await CreateFinishedAsync("1", 1000, UploadState.Completed, new EngineRecord());
        Assert.Equal(100, await _quota.GetAvailableBytesAsync(new QuotaAccount("a")));
    }

    [Fact]
    public async Task Damaged_record_counts_and_does_not_prevent_the_count()
    {
        await _store.CreateAsync(new UploadKey("a", "1"), new UploadRecord { Length = 70, Data = "{\"network\":"u8.ToArray() }, default);
        Assert.Equal(30, await _quota.GetAvailableBytesAsync(new QuotaAccount("a")));
    }

    [Fact]
    public async Task Networks_of_one_owner_have_limits_of_their_own_and_a_total()
    {
        var quota = new OwnerQuota(_store, new OwnerUsageTable(), Settings with { AnonymousTotalFactor = 2 }, _time, default);
        Assert.Null(await quota.ReserveUploadAsync(new QuotaAccount("a", "1"), 60));
        Assert.Null(await quota.ReserveUploadAsync(new QuotaAccount("a", "1"), 40));
        Assert.Equal(UploadResultKind.TooManyUploads, await quota.ReserveUploadAsync(new QuotaAccount("a", "1"), 0));
        Assert.Equal(UploadResultKind.OwnerQuotaExceeded, await quota.ReserveUploadAsync(new QuotaAccount("a", "2"), 101));
        Assert.Null(await quota.ReserveUploadAsync(new QuotaAccount("a", "2"), 70));
        Assert.Equal(UploadResultKind.OwnerQuotaExceeded, await quota.ReserveUploadAsync(new QuotaAccount("a", "3"), 31));
        Assert.Null(await quota.ReserveUploadAsync(new QuotaAccount("a", "3"), 30));
        Assert.Equal(UploadResultKind.TooManyUploads, await quota.ReserveUploadAsync(new QuotaAccount("a", "4"), 0));
        quota.Release(new QuotaAccount("a", "1"), new QuotaUsage(1, 60));
        Assert.Equal(60, await quota.GetAvailableBytesAsync(new QuotaAccount("a", "1")));
        Assert.Null(await quota.ReserveUploadAsync(new QuotaAccount("a", "4"), 60));
    }

    [Fact]
    public void Networks_of_one_owner_have_appends_of_their_own_and_a_total()
    {
        var quota = new OwnerQuota(_store, new OwnerUsageTable(), Settings with { AnonymousTotalFactor = 2 }, _time, default);
        bool[] reserved = [.. "1112223".Select(network => quota.TryReserveAppend(new QuotaAccount("a", network.ToString())))];
        Assert.Equal([true, true, false, true, true, false, false], reserved);
        quota.ReleaseAppend(new QuotaAccount("a", "1"));
        Assert.True(quota.TryReserveAppend(new QuotaAccount("a", "3")));
    }

    [Fact]
    public async Task Networks_are_counted_from_the_store()
    {
        foreach ((string id, string? network) in new[] { ("1", "n"), ("2", "n"), ("3", null) })
        {
            await _store.CreateAsync(
                new UploadKey("a", id), new UploadRecord { Length = 10, Data = new EngineRecord { Network = network }.ToBytes() }, default);
        }

        Assert.Equal(UploadResultKind.TooManyUploads, await _quota.ReserveUploadAsync(new QuotaAccount("a", "n"), 0));
        Assert.Equal(80, await _quota.GetAvailableBytesAsync(new QuotaAccount("a", "n")));
        Assert.Equal(90, await _quota.GetAvailableBytesAsync(new QuotaAccount("a")));
        Assert.Null(await _quota.ReserveUploadAsync(new QuotaAccount("a"), 0));
    }

    [Fact]
    public async Task Reservation_of_a_body_grows_up_to_the_quota_and_is_settled()
    {
        QuotaReservation first = (await _quota.ReserveBodyAsync(new QuotaAccount("a"), null))!;
        QuotaReservation second = (await _quota.ReserveBodyAsync(new QuotaAccount("a"), 30))!;
        Assert.Null(await _quota.ReserveBodyAsync(new QuotaAccount("a"), 71));
        Assert.Equal((60, 60, 70), (first.Extend(60), first.Extend(10), first.Extend(90)));
        Assert.Equal(0, await _quota.GetAvailableBytesAsync(new QuotaAccount("a")));
        await first.SettleAsync(new QuotaUsage(0, 20));
        await second.SettleAsync(default(QuotaUsage));
        Assert.Equal(80, await _quota.GetAvailableBytesAsync(new QuotaAccount("a")));
    }

    /// <summary>Reserves, releases and removes the account of an owner concurrently. A reservation in a removed account would not be seen by others.</summary>
    [Fact]
    public async Task Removal_of_idle_owners_loses_no_append()
    {
        const int Rounds = 100_000;
        var quota = new OwnerQuota(_store, new OwnerUsageTable(), Settings with { MaxAppendsPerOwner = 1 }, _time, default);
        int active = 0;
        int violations = 0;
        using var stop = new CancellationTokenSource();
        Task removal = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                quota.RemoveIdleOwners();
            }
        });
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < Rounds; i++)
            {
                if (quota.TryReserveAppend(new QuotaAccount("a")))
                {
                    violations += Interlocked.Increment(ref active) == 1 ? 0 : 1;
                    Interlocked.Decrement(ref active);
                    quota.ReleaseAppend(new QuotaAccount("a"));
                }
            }
        })));
        await stop.CancelAsync();
        await removal;
        Assert.Equal(0, violations);
        Assert.True(quota.TryReserveAppend(new QuotaAccount("a")));
        Assert.False(quota.TryReserveAppend(new QuotaAccount("a")));
    }

    [Fact]
    public async Task TryReserveBytesAsync_beyond_max_bytes_fails()
    {
        Assert.Null(await ReserveAsync("a", 60));
        Assert.False(await _quota.TryReserveBytesAsync(new QuotaAccount("a"), 41));
        Assert.True(await _quota.TryReserveBytesAsync(new QuotaAccount("a"), 40));
        Assert.Equal(0, await _quota.GetAvailableBytesAsync(new QuotaAccount("a")));
    }

    [Fact]
    public async Task ReserveUploadAsync_checks_minimum_bytes_without_reserving_them()
    {
        Assert.Equal(UploadResultKind.OwnerQuotaExceeded, await _quota.ReserveUploadAsync(new QuotaAccount("a"), null, 101));
        Assert.Null(await _quota.ReserveUploadAsync(new QuotaAccount("a"), null, 100));
        Assert.Equal(100, await _quota.GetAvailableBytesAsync(new QuotaAccount("a")));
    }

    [Fact]
    public async Task ReserveUploadAsync_waits_for_the_first_count()
    {
        var slow = new SlowListStore(_store);
        var quota = new OwnerQuota(slow, new OwnerUsageTable(), Settings, _time, default);
        await _store.CreateAsync(new UploadKey("a", "1"), new UploadRecord(), default);
        await _store.CreateAsync(new UploadKey("a", "2"), new UploadRecord(), default);
        Task<UploadResultKind?>[] reservations = [.. Enumerable.Range(0, 5).Select(_ => quota.ReserveUploadAsync(new QuotaAccount("a"), 1).AsTask())];
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
        var quota = new OwnerQuota(slow, new OwnerUsageTable(), Settings, _time, default);
        Assert.Equal(100, await quota.GetAvailableBytesAsync(new QuotaAccount("a")));
        CreateResult other = await _store.CreateAsync(new UploadKey("a", "1"), new UploadRecord { Length = 70 }, default);
        Assert.Equal(100, await quota.GetAvailableBytesAsync(new QuotaAccount("a")));

        _time.Advance(TimeSpan.FromMinutes(11));
        slow.Release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Assert.Equal(100, await quota.GetAvailableBytesAsync(new QuotaAccount("a")));

        // Increases during the count are included. What is released may not have been counted, and is only known after the next count.
        Assert.Null(await quota.ReserveUploadAsync(new QuotaAccount("a"), 25));
        Assert.Null(await quota.ReserveUploadAsync(new QuotaAccount("a"), 5));
        quota.Release(new QuotaAccount("a"), new QuotaUsage(1, 25));
        Assert.Equal(95, await quota.GetAvailableBytesAsync(new QuotaAccount("a")));
        slow.Release.SetResult();
        await Eventually.TrueAsync(async () => await quota.GetAvailableBytesAsync(new QuotaAccount("a")) == 0, "the upload of the other process is counted");
        Assert.Equal(2, slow.Lists);
        _time.Advance(TimeSpan.FromMinutes(1));
        await Eventually.TrueAsync(async () => await quota.GetAvailableBytesAsync(new QuotaAccount("a")) == 30, "the inexact count is repeated");
        Assert.Equal(3, slow.Lists);

        await _store.DeleteAsync(new UploadKey("a", "1"), other.Info!.Version, default);
        _time.Advance(TimeSpan.FromMinutes(11));
        await Eventually.TrueAsync(async () => await quota.GetAvailableBytesAsync(new QuotaAccount("a")) == 100, "the deleted upload is no longer counted");
    }

    [Fact]
    public async Task Failed_recount_keeps_the_old_count_and_is_retried()
    {
        var slow = new SlowListStore(_store);
        slow.Release.SetResult();
        var quota = new OwnerQuota(slow, new OwnerUsageTable(), Settings, _time, default);
        Assert.Null(await quota.ReserveUploadAsync(new QuotaAccount("a"), 40));
        _time.Advance(TimeSpan.FromMinutes(11));
        slow.Release = new TaskCompletionSource();
        slow.Release.SetException(new UploadStoreException(StoreFailure.Unavailable, "unavailable"));
        await Eventually.TrueAsync(
            async () =>
            {
                Assert.Equal(60, await quota.GetAvailableBytesAsync(new QuotaAccount("a")));
                return slow.Lists >= 3;
            },
            "the count is retried");
    }

    [Fact]
    public void TryReserveAppend_beyond_max_appends_fails_until_released()
    {
        Assert.True(_quota.TryReserveAppend(new QuotaAccount("a")));
        Assert.True(_quota.TryReserveAppend(new QuotaAccount("a")));
        Assert.False(_quota.TryReserveAppend(new QuotaAccount("a")));
        Assert.True(_quota.TryReserveAppend(new QuotaAccount("b")));
        _quota.ReleaseAppend(new QuotaAccount("a"));
        Assert.True(_quota.TryReserveAppend(new QuotaAccount("a")));
    }

    [Fact]
    public void RemoveIdleOwners_keeps_owners_with_active_appends()
    {
        Assert.True(_quota.TryReserveAppend(new QuotaAccount("a")));
        Assert.True(_quota.TryReserveAppend(new QuotaAccount("a")));
        _quota.RemoveIdleOwners();
        Assert.False(_quota.TryReserveAppend(new QuotaAccount("a")));
        _quota.ReleaseAppend(new QuotaAccount("a"));
        _quota.ReleaseAppend(new QuotaAccount("a"));
        _quota.RemoveIdleOwners();
        Assert.True(_quota.TryReserveAppend(new QuotaAccount("a")));
    }

    [Fact]
    public async Task Concurrent_reservations_do_not_exceed_the_limit()
    {
        var quota = new OwnerQuota(_store, new OwnerUsageTable(), Settings with { MaxUploadsPerOwner = 50 }, _time, default);
        UploadResultKind?[] results = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(async () =>
            await quota.ReserveUploadAsync(new QuotaAccount("a"), 1))));
        Assert.Equal(50, results.Count(static kind => kind is null));
    }

    private async Task CreateFinishedAsync(string id, int length, UploadState state, EngineRecord record)
    {
        UploadInfo created = (await _store.CreateAsync(new UploadKey("a", id), new UploadRecord { Length = length }, default)).Info!;
        using var content = new AppendContent(
            new AppendCommand { Key = created.Key, Offset = 0, Body = PipeReader.Create(new ReadOnlySequence<byte>(new byte[length])), CompletionRule = CompletionRule.Never },
            length,
            new UploadLockTable(_time).TryAcquire(created.Key)!,
            length,
            _time,
            Settings,
            default);
        AppendResult appended = await _store.AppendAsync(created.Key, 0, content, AppendMode.KeepPartial, default);
        await _store.UpdateAsync(created.Key, appended.Version!, new UploadRecord { State = state, Length = length, Data = record.ToBytes() }, default);
    }

    private ValueTask<UploadResultKind?> ReserveAsync(string owner, long? length) =>
        _quota.ReserveUploadAsync(new QuotaAccount(owner), length);

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
