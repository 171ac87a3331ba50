using System.Runtime.CompilerServices;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Quotas;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Engine.Quotas;

public class OwnerLedgerTests
{
    private static readonly EngineSettings Settings = TestSettings.Default with { MaxUploadsPerOwner = 2, MaxBytesPerOwner = 100, MaxAppendsPerOwner = 2 };
    private readonly FakeTimeProvider _time = new();
    private readonly MemoryUploadStore _store = new();
    private readonly OwnerQuota _quota;

    public OwnerLedgerTests() => _quota = new OwnerQuota(_store, Settings, _time, default);

    [Fact]
    public async Task An_owner_has_so_many_unfinished_uploads_and_no_more()
    {
        Assert.Null(await ReserveAsync("a", 1));
        Assert.Null(await ReserveAsync("a", null));
        Assert.Equal(UploadResultKind.TooManyUploads, await ReserveAsync("a", 1));
        Assert.Null(await ReserveAsync("b", 1));
        _quota.ReleaseUpload("a", 1);
        Assert.Null(await ReserveAsync("a", 1));
    }

    [Fact]
    public async Task An_owner_has_so_many_bytes_and_no_more()
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
    public async Task A_sum_that_is_larger_than_any_number_is_no_room()
    {
        var quota = new OwnerQuota(_store, Settings with { MaxBytesPerOwner = long.MaxValue }, _time, default);
        Assert.Null(await quota.ReserveUploadAsync(new UploadKey("a", "1"), long.MaxValue - 1, null, default));
        Assert.Equal(UploadResultKind.OwnerQuotaExceeded, await quota.ReserveUploadAsync(new UploadKey("a", "2"), 10, null, default));
    }

    [Fact]
    public async Task What_is_in_the_store_already_counts_and_finished_uploads_do_not()
    {
        await _store.CreateAsync(new UploadKey("a", "1"), new UploadRecord { Length = 70 }, default);
        CreateResult done = await _store.CreateAsync(new UploadKey("a", "2"), new UploadRecord { Length = 1000 }, default);
        await _store.UpdateAsync(done.Info!.Key, done.Info.Version, done.Info.Record with { State = UploadState.Received }, default);
        Assert.Equal(30, await _quota.GetAvailableBytesAsync("a", default));
        Assert.Null(await ReserveAsync("a", 30));
        Assert.Equal(UploadResultKind.TooManyUploads, await ReserveAsync("a", 0));
    }

    [Fact]
    public async Task A_length_that_is_told_late_needs_room_like_any_other()
    {
        Assert.Null(await ReserveAsync("a", 60));
        Assert.False(await _quota.TryReserveBytesAsync("a", 41, default));
        Assert.True(await _quota.TryReserveBytesAsync("a", 40, default));
        Assert.Equal(0, await _quota.GetAvailableBytesAsync("a", default));
    }

    [Fact]
    public async Task Bytes_that_come_at_once_need_room_and_are_not_reserved()
    {
        Assert.Equal(UploadResultKind.OwnerQuotaExceeded, await _quota.ReserveUploadAsync(new UploadKey("a", "1"), null, 101, default));
        Assert.Null(await _quota.ReserveUploadAsync(new UploadKey("a", "1"), null, 100, default));
        Assert.Equal(100, await _quota.GetAvailableBytesAsync("a", default));
    }

    [Fact]
    public async Task Who_comes_while_the_owner_is_counted_waits_for_the_number()
    {
        var slow = new SlowListStore(_store);
        var quota = new OwnerQuota(slow, Settings, _time, default);
        await _store.CreateAsync(new UploadKey("a", "1"), new UploadRecord(), default);
        await _store.CreateAsync(new UploadKey("a", "2"), new UploadRecord(), default);
        Task<UploadResultKind?>[] coming = [.. Enumerable.Range(0, 5).Select(_ => quota.ReserveUploadAsync(new UploadKey("a", "3"), 1, null, default).AsTask())];
        Assert.All(coming, static task => Assert.False(task.IsCompleted));
        slow.Release.SetResult();
        Assert.All(await Task.WhenAll(coming), static kind => Assert.Equal(UploadResultKind.TooManyUploads, kind));
        Assert.Equal(1, slow.Lists);
    }

    [Fact]
    public async Task After_a_while_it_is_counted_again_and_nobody_waits_for_that()
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

        // What comes and goes while it is counted is in the sum.
        Assert.Null(await quota.ReserveUploadAsync(new UploadKey("a", "2"), 25, null, default));
        Assert.Null(await quota.ReserveUploadAsync(new UploadKey("a", "3"), 5, null, default));
        quota.ReleaseUpload("a", 25);
        Assert.Equal(95, await quota.GetAvailableBytesAsync("a", default));
        slow.Release.SetResult();
        await Eventually.TrueAsync(async () => await quota.GetAvailableBytesAsync("a", default) == 25, "the other one is counted");
        Assert.Equal(2, slow.Lists);

        await _store.DeleteAsync(new UploadKey("a", "1"), other.Info!.Version, default);
        _time.Advance(TimeSpan.FromMinutes(11));
        await Eventually.TrueAsync(async () => await quota.GetAvailableBytesAsync("a", default) == 100, "what is gone is gone");
    }

    [Fact]
    public async Task A_count_that_fails_leaves_the_number_of_before_and_is_tried_again()
    {
        var slow = new SlowListStore(_store);
        slow.Release.SetResult();
        var quota = new OwnerQuota(slow, Settings, _time, default);
        Assert.Null(await quota.ReserveUploadAsync(new UploadKey("a", "1"), 40, null, default));
        _time.Advance(TimeSpan.FromMinutes(11));
        slow.Release = new TaskCompletionSource();
        slow.Release.SetException(new UploadStoreException(StoreFailure.Unavailable, "not now"));
        await Eventually.TrueAsync(
            async () =>
            {
                Assert.Equal(60, await quota.GetAvailableBytesAsync("a", default));
                return slow.Lists >= 3;
            },
            "it was tried again");
    }

    [Fact]
    public void An_owner_appends_so_often_at_a_time_and_no_more()
    {
        Assert.True(_quota.TryReserveAppend("a"));
        Assert.True(_quota.TryReserveAppend("a"));
        Assert.False(_quota.TryReserveAppend("a"));
        Assert.True(_quota.TryReserveAppend("b"));
        _quota.ReleaseAppend("a");
        Assert.True(_quota.TryReserveAppend("a"));
    }

    [Fact]
    public void Forgetting_idle_owners_does_not_forget_one_that_appends()
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
    public async Task Many_at_a_time_get_what_there_is_and_no_more()
    {
        var quota = new OwnerQuota(_store, Settings with { MaxUploadsPerOwner = 50 }, _time, default);
        UploadResultKind?[] got = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(async () =>
            await quota.ReserveUploadAsync(new UploadKey("a", i.ToString()), 1, null, default))));
        Assert.Equal(50, got.Count(static kind => kind is null));
    }

    private ValueTask<UploadResultKind?> ReserveAsync(string owner, long? length) =>
        _quota.ReserveUploadAsync(new UploadKey(owner, "i"), length, null, default);

    private sealed class SlowListStore(IUploadStore inner) : IUploadStore
    {
        public TaskCompletionSource Release { get; set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Lists { get; private set; }

        public async IAsyncEnumerable<UploadInfo> ListAsync(
            UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            Lists++;
            await Release.Task;
            await foreach (UploadInfo info in inner.ListAsync(query, cancellationToken))
            {
                yield return info;
            }
        }

        public ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<AppendResult> AppendAsync(UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask PutResponseAsync(UploadKey key, ReadOnlyMemory<byte> response, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
