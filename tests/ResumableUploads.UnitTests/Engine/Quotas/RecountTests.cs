using System.Runtime.CompilerServices;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Quotas;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Engine.Quotas;

/// <summary>What a count of the stored uploads does to reservations and releases that are made before and while it runs.</summary>
public class RecountTests
{
    private static readonly QuotaAccount Account = new("a");
    private static readonly EngineSettings Settings = TestSettings.Default with { MaxBytesPerOwner = 100, MaxUploadsPerOwner = 2 };
    private readonly FakeTimeProvider _time = new();
    private readonly ListStore _store = new();
    private readonly OwnerQuota _quota;

    public RecountTests() => _quota = new OwnerQuota(_store, new OwnerUsageTable(), Settings, _time, default);

    [Fact]
    public async Task Reservation_of_a_running_append_survives_recounts()
    {
        UploadInfo upload = await CreateAsync("1", 10);
        QuotaReservation reservation = await ReserveAsync(upload, 60);

        // The listing finds the bytes that the append has stored so far.
        _store.Listed = info => info with { Record = new UploadRecord { Length = 10 + 50 } };
        for (int i = 0; i < 3; i++)
        {
            await RecountAsync();
            Assert.Equal(30, await _quota.GetAvailableBytesAsync(Account));
        }

        await reservation.SettleAsync(new QuotaUsage(0, 60));
        Assert.Equal(30, await _quota.GetAvailableBytesAsync(Account));
    }

    [Fact]
    public async Task Reservation_of_a_discarded_append_is_released_once_after_a_recount()
    {
        UploadInfo upload = await CreateAsync("1", 10);
        QuotaReservation reservation = await ReserveAsync(upload, 60);
        await RecountAsync();
        await reservation.SettleAsync(default(QuotaUsage));
        Assert.Equal(90, await _quota.GetAvailableBytesAsync(Account));
    }

    [Fact]
    public async Task Reservation_of_an_upload_that_is_not_created_yet_survives_a_recount()
    {
        var target = new QuotaTarget(new UploadKey("a", "1"), Account);
        QuotaReservation reservation = (await _quota.ReserveUploadAsync(target, 80, null, default)).Reservation!;
        await RecountAsync();
        Assert.Equal(UploadResultKind.OwnerQuotaExceeded, await _quota.ReserveUploadAsync(Account, 21));

        // The store has created the upload, and the request does not know yet.
        await CreateAsync("1", 80);
        await RecountAsync();
        Assert.Equal(20, await _quota.GetAvailableBytesAsync(Account));
        Assert.Null(await _quota.ReserveUploadAsync(Account, 0));
        Assert.Equal(UploadResultKind.TooManyUploads, await _quota.ReserveUploadAsync(Account, 0));
        await reservation.SettleAsync(new QuotaUsage(1, 80));
        Assert.Equal(20, await _quota.GetAvailableBytesAsync(Account));
    }

    [Fact]
    public async Task RemoveIdleOwners_keeps_owners_with_reservations()
    {
        QuotaReservation reservation = (await _quota.ReserveBodyAsync(Account, 60))!;
        _time.Advance(TimeSpan.FromMinutes(11));
        _quota.RemoveIdleOwners();
        Assert.Equal(40, await _quota.GetAvailableBytesAsync(Account));
        await reservation.SettleAsync(default(QuotaUsage));
    }

    [Fact]
    public async Task Upload_that_is_removed_before_a_running_count_lists_it_is_not_subtracted()
    {
        UploadInfo upload = await CreateAsync("1", 50);
        await CreateAsync("2", 40);
        Assert.Equal(10, await _quota.GetAvailableBytesAsync(Account));
        TaskCompletionSource gate = await StartRecountAsync();
        long countNumber = _quota.GetCountNumber("a");
        await _store.DeleteAsync(upload.Key, null, default);
        _quota.Release(Account, new QuotaUsage(1, 50), countNumber);
        Assert.Equal(60, await _quota.GetAvailableBytesAsync(Account));
        gate.SetResult();
        await Eventually.TrueAsync(() => _quota.GetCountNumber("a") != countNumber, "the count ends");
        Assert.Equal(60, await _quota.GetAvailableBytesAsync(Account));
    }

    [Fact]
    public async Task Upload_that_was_removed_before_a_count_that_has_ended_is_not_subtracted()
    {
        UploadInfo upload = await CreateAsync("1", 50);
        await CreateAsync("2", 40);
        Assert.Equal(10, await _quota.GetAvailableBytesAsync(Account));
        long countNumber = _quota.GetCountNumber("a");
        await _store.DeleteAsync(upload.Key, null, default);
        await RecountAsync();
        _quota.Release(Account, new QuotaUsage(1, 50), countNumber);
        Assert.Equal(60, await _quota.GetAvailableBytesAsync(Account));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Upload_whose_key_changes_during_a_count_is_counted(bool isLate)
    {
        UploadInfo upload = await CreateAsync("1", 60);
        Assert.Equal(40, await _quota.GetAvailableBytesAsync(Account));
        long countNumber = _quota.GetCountNumber("a");
        TaskCompletionSource gate = await StartRecountAsync();
        _store.Listed = static _ => null;
        if (!isLate)
        {
            _quota.Move(Account, QuotaUsage.Of(upload), countNumber);
        }

        gate.SetResult();
        await Eventually.TrueAsync(() => _quota.GetCountNumber("a") != countNumber, "the count ends");
        if (isLate)
        {
            _quota.Move(Account, QuotaUsage.Of(upload), countNumber);
        }

        Assert.Equal(40, await _quota.GetAvailableBytesAsync(Account));

        // The next count is exact.
        _store.Listed = null;
        _time.Advance(TimeSpan.FromMinutes(1));
        await Eventually.TrueAsync(async () => await _quota.GetAvailableBytesAsync(Account) == 40 && _store.Lists == 3, "the inexact count is repeated");
    }

    [Fact]
    public async Task Request_is_not_refused_before_a_running_recount_ends()
    {
        UploadInfo upload = await CreateAsync("1", 60);
        Assert.Equal(40, await _quota.GetAvailableBytesAsync(Account));
        TaskCompletionSource gate = await StartRecountAsync();

        // As by another process.
        await _store.DeleteAsync(upload.Key, null, default);
        Task<bool> reserving = _quota.TryReserveBytesAsync(Account, 90).AsTask();
        gate.SetResult();
        Assert.True(await Eventually.WithinAsync(reserving));
    }

    [Fact]
    public async Task Request_is_not_refused_by_a_count_that_began_before_it()
    {
        await CreateAsync("1", 60);
        UploadInfo removed = await CreateAsync("2", 30);
        Assert.Equal(10, await _quota.GetAvailableBytesAsync(Account));
        long countNumber = _quota.GetCountNumber("a");
        TaskCompletionSource gate = await StartRecountAsync();

        // Both uploads are removed after the running count has listed them, the first one by another process.
        _store.Listed = info => _store.Lists == 2 ? info : null;
        _quota.Release(Account, QuotaUsage.Of(removed), countNumber);
        Task<bool> reserving = _quota.TryReserveBytesAsync(Account, 60).AsTask();
        gate.SetResult();
        Assert.True(await Eventually.WithinAsync(reserving));
        Assert.Equal(3, _store.Lists);
    }

    [Fact]
    public async Task Unknown_result_does_not_reject_a_request_before_a_recount()
    {
        UploadInfo upload = await CreateAsync("1", 10);
        QuotaReservation reservation = await ReserveAsync(upload, 60);
        _store.FailsToGet = true;
        await reservation.SettleAsync(null);
        _store.FailsToGet = false;
        Assert.True(await _quota.TryReserveBytesAsync(Account, 90));
        Assert.Equal(2, _store.Lists);
    }

    [Fact]
    public async Task Unknown_result_during_a_count_does_not_reject_the_request_that_began_it()
    {
        UploadInfo upload = await CreateAsync("1", 10);
        QuotaReservation reservation = await ReserveAsync(upload, 60);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.Gate = gate.Task;
        _time.Advance(TimeSpan.FromMinutes(11));
        Task<bool> reserving = _quota.TryReserveBytesAsync(Account, 90).AsTask();
        _store.FailsToGet = true;
        await reservation.SettleAsync(null);
        _store.FailsToGet = false;
        gate.SetResult();
        Assert.True(await Eventually.WithinAsync(reserving));
        Assert.Equal(3, _store.Lists);
    }

    [Fact]
    public async Task Unknown_result_counts_until_a_recount_succeeds()
    {
        UploadInfo upload = await CreateAsync("1", 10);
        QuotaReservation reservation = await ReserveAsync(upload, 60);
        (_store.FailsToGet, _store.ListFailures) = (true, 3);
        await reservation.SettleAsync(null);
        await Assert.ThrowsAsync<UploadStoreException>(async () => await _quota.TryReserveBytesAsync(Account, 31));
        await Eventually.TrueAsync(async () => await _quota.GetAvailableBytesAsync(Account) == 90, "the stored bytes are counted");
        Assert.Equal(0, _store.ListFailures);
    }

    [Fact]
    public async Task Failed_change_is_settled_with_what_is_stored()
    {
        UploadInfo upload = await CreateAsync("1", 10);
        QuotaReservation reservation = await ReserveAsync(upload, 60);
        await reservation.SettleAsync(null);
        Assert.Equal(90, await _quota.GetAvailableBytesAsync(Account));
        Assert.Equal(1, _store.Lists);
    }

    [Fact]
    public async Task Unreadable_upload_counts_with_its_bytes_and_the_count_is_repeated()
    {
        await CreateAsync("1", 70);
        _store.Listed = static info => info with { Offset = 30, Record = new UploadRecord(), IsUnreadable = true };
        Assert.Equal(70, await _quota.GetAvailableBytesAsync(Account));
        _store.Listed = null;
        _time.Advance(TimeSpan.FromMinutes(1));
        await Eventually.TrueAsync(async () => await _quota.GetAvailableBytesAsync(Account) == 30, "the upload is counted again");
    }

    private async Task<UploadInfo> CreateAsync(string id, long length) =>
        (await _store.CreateAsync(new UploadKey("a", id), new UploadRecord { Length = length }, default)).Info!;

    private async Task<QuotaReservation> ReserveAsync(UploadInfo upload, long bytes) =>
        (await _quota.ReserveBytesAsync(new QuotaTarget(upload.Key, Account) { Stored = QuotaUsage.Of(upload) }, bytes, default)).Reservation!;

    private async Task RecountAsync()
    {
        long countNumber = _quota.GetCountNumber("a");
        (await StartRecountAsync()).SetResult();
        await Eventually.TrueAsync(() => _quota.GetCountNumber("a") != countNumber, "the count ends");
    }

    private async Task<TaskCompletionSource> StartRecountAsync()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.Gate = gate.Task;
        _time.Advance(TimeSpan.FromMinutes(11));
        await _quota.GetAvailableBytesAsync(Account);
        return gate;
    }

    private sealed class ListStore() : DelegatingUploadStore(new MemoryUploadStore())
    {
        private int _lists;
        private int _listFailures;

        /// <summary>Gets or sets what every listing waits for.</summary>
        public Task Gate { get; set; } = Task.CompletedTask;

        /// <summary>Gets or sets how an upload is listed, which is null if it is missed.</summary>
        public Func<UploadInfo, UploadInfo?>? Listed { get; set; }

        public bool FailsToGet { get; set; }

        public int ListFailures
        {
            get => Volatile.Read(ref _listFailures);
            set => _listFailures = value;
        }

        public int Lists => Volatile.Read(ref _lists);

        public override ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken) =>
            FailsToGet ? throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure.") : base.GetAsync(key, cancellationToken);

        public override async IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            Assert.True(query.IncludeUnreadable);
            Interlocked.Increment(ref _lists);
            await Gate;
            if (ListFailures > 0)
            {
                Interlocked.Decrement(ref _listFailures);
                throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure.");
            }

            await foreach (UploadInfo info in base.ListAsync(query, cancellationToken))
            {
                if ((Listed is null ? info : Listed(info)) is { } listed)
                {
                    yield return listed;
                }
            }
        }
    }
}
