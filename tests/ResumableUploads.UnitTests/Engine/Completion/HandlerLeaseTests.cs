using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Engine.Completion;

/// <summary>The lease of a completion handler, with two engines on one store as two processes.</summary>
public sealed class HandlerLeaseTests : IAsyncLifetime
{
    private static readonly TimeSpan Lease = TestSettings.Default.HandlerLeaseDuration;
    private readonly TimerClock _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly MemoryUploadStore _store;
    private readonly BusyStore _busyStore;
    private readonly TestEngine _first;
    private readonly TestEngine _second;
    private readonly TaskCompletionSource<CancellationToken> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<HandlerResult> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<int> _secondRuns = [];

    public HandlerLeaseTests()
    {
        _store = new MemoryUploadStore(timeProvider: _time);
        _busyStore = new BusyStore(_store);
        _first = new TestEngine(_busyStore, _time);
        _second = new TestEngine(_store, _time);
        _first.Callbacks.OnCompleted = (_, cancellationToken) =>
        {
            _started.TrySetResult(cancellationToken);
            return _end.Task;
        };
        _second.Callbacks.OnCompleted = (record, _) =>
        {
            _secondRuns.Add(record.Handler!.TotalRuns);
            return Task.FromResult(new HandlerResult(HandlerResultKind.Final, new byte[] { 2 }));
        };
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _busyStore.Fault = null;
        _end.TrySetResult(default);
        await _first.DisposeAsync();
        await _second.DisposeAsync();
    }

    [Theory]
    [InlineData(StoreFault.Busy)]
    [InlineData(StoreFault.ThrowsStoreException)]
    [InlineData(StoreFault.ThrowsCancellation)]
    [InlineData(StoreFault.ThrowsOther)]
    [InlineData(StoreFault.Hangs)]
    public async Task Lease_is_renewed_as_soon_as_the_store_works_again(StoreFault fault)
    {
        DateTimeOffset start = _time.GetUtcNow();
        Task<UploadResult> first = await StartFirstAsync();
        _busyStore.Fault = fault;
        await AdvanceToAsync(start + (Lease * 0.75));
        _busyStore.Fault = null;
        await Eventually.TrueAsync(
            async () => (await _first.GetHandlerAsync())!.Renewals > 1,
            "the lease is renewed before the handler is canceled",
            () => Advance(start + (Lease * 0.89)));
        Assert.False((await _started.Task).IsCancellationRequested);
        _end.SetResult(new HandlerResult(HandlerResultKind.Final, null));
        Assert.Equal(UploadResultKind.Completed, (await Eventually.WithinAsync(first)).Kind);
    }

    [Fact]
    public async Task Lease_of_a_running_handler_does_not_run_out()
    {
        Task<UploadResult> first = await StartFirstAsync();
        for (int i = 0; i < 10; i++)
        {
            DateTimeOffset start = _time.GetUtcNow();
            int? renewals = (await _first.GetHandlerAsync())!.Renewals;
            await Eventually.TrueAsync(
                async () => (await _first.GetHandlerAsync())!.Renewals > renewals, "the lease is renewed", () => Advance(start + Lease - TimeSpan.FromSeconds(1)));
            await _second.VisitAsync();
        }

        Assert.Empty(_secondRuns);
        _end.SetResult(new HandlerResult(HandlerResultKind.Final, null));
        await Eventually.WithinAsync(first);
    }

    [Fact]
    public async Task Lease_of_an_ended_process_runs_out()
    {
        await StartFirstAsync();
        _busyStore.Fault = StoreFault.Busy;
        await _second.VisitAsync();
        _time.Advance(Lease - TimeSpan.FromSeconds(1));
        await _second.VisitAsync();
        Assert.Empty(_secondRuns);
        _time.Advance(TimeSpan.FromSeconds(1));
        await _second.VisitAsync();
        Assert.Equal([2], _secondRuns);
    }

    [Fact]
    public async Task Handler_is_canceled_before_a_lease_that_is_not_renewed_ends()
    {
        Task<UploadResult> first = await StartFirstAsync();
        CancellationToken token = await _started.Task;
        _busyStore.Fault = StoreFault.Busy;
        _time.Advance(Lease * 0.89);
        Assert.False(token.IsCancellationRequested);
        _time.Advance(Lease * 0.01);
        await Eventually.TrueAsync(() => token.IsCancellationRequested, "the handler is canceled");
        Assert.True(_first.HasLogged(231));
        _busyStore.Fault = null;
        _end.SetException(new TaskCanceledException());
        Assert.Equal(UploadResultKind.HandlerFailed, (await Eventually.WithinAsync(first)).Kind);

        // The run does not count as an attempt, and the next one need not wait.
        HandlerState state = (await _first.GetHandlerAsync())!;
        Assert.Equal((0, 1, null, null), (state.Attempts, state.TotalRuns, state.LeasedBy, state.RetryAt));
    }

    [Fact]
    public async Task Lease_is_observed_for_the_duration_that_its_holder_uses()
    {
        await using var engine = new TestEngine(_store, _time, TestSettings.Default with { HandlerLeaseDuration = 10 * Lease });
        engine.Callbacks.OnCompleted = _first.Callbacks.OnCompleted;
        Task<UploadResult> append = engine.AppendAsync(0, [1, 2], 2);
        await Eventually.WithinAsync(_started.Task);
        await _second.VisitAsync();
        _time.Advance(2 * Lease);
        await _second.VisitAsync();
        Assert.Empty(_secondRuns);
        _end.SetResult(new HandlerResult(HandlerResultKind.Final, null));
        Assert.Equal(UploadResultKind.Completed, (await Eventually.WithinAsync(append)).Kind);
    }

    [Fact]
    public async Task Request_does_not_overwrite_the_lease_of_another_process()
    {
        await StartFirstAsync();
        string? leasedBy = (await _first.GetHandlerAsync())!.LeasedBy;
        Task<UploadResult> request = _second.AppendAsync(2, [], 2);
        await Eventually.TrueAsync(() => request.IsCompleted, "the request ends", () => Advance(DateTimeOffset.MaxValue));
        Assert.Equal(UploadResultKind.HandlerRunning, (await request).Kind);
        Assert.Empty(_secondRuns);
        Assert.Equal(leasedBy, (await _first.GetHandlerAsync())!.LeasedBy);
    }

    [Fact]
    public async Task Cancel_respects_the_lease_of_another_process()
    {
        await StartFirstAsync();
        Assert.Equal(UploadResultKind.HandlerRunning, (await _second.CancelAsync()).Kind);
        Assert.NotNull(await _first.GetAsync());
    }

    [Fact]
    public async Task Renewal_does_not_take_the_lease_back_from_another_process()
    {
        Task<UploadResult> first = await StartFirstAsync();
        _busyStore.Fault = StoreFault.Busy;
        await _second.VisitAsync();
        _time.Advance(Lease);
        var secondStarted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var secondEnd = new TaskCompletionSource<HandlerResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        _second.Callbacks.OnCompleted = (_, _) =>
        {
            secondStarted.SetResult();
            return secondEnd.Task;
        };
        Task<UploadResult> second = _second.AppendAsync(2, [], 2);
        await Eventually.WithinAsync(secondStarted.Task);
        string? leasedBy = (await _first.GetHandlerAsync())!.LeasedBy;
        _busyStore.Fault = null;

        // The first handler no longer has the right to run.
        CancellationToken token = await _started.Task;
        await Eventually.TrueAsync(() => _first.HasLogged(224), "the first process finds out", () => _time.Advance(TimeSpan.FromSeconds(1)));
        Assert.True(token.IsCancellationRequested);
        Assert.Equal(leasedBy, (await _first.GetHandlerAsync())!.LeasedBy);

        secondEnd.SetResult(new HandlerResult(HandlerResultKind.Final, new byte[] { 2 }));
        Assert.Equal(UploadResultKind.Completed, (await Eventually.WithinAsync(second)).Kind);
        _end.SetException(new TaskCanceledException());
        UploadResult result = await Eventually.WithinAsync(first);
        Assert.Equal((UploadResultKind.Completed, 2), (result.Kind, result.Response!.Value.Span[0]));
        Assert.Equal(2, (await _first.GetHandlerAsync())!.TotalRuns);
    }

    [Fact]
    public async Task Request_for_a_busy_upload_waits_for_CompletionTimeout_with_back_off()
    {
        await StartFirstAsync();
        _busyStore.Fault = StoreFault.Busy;
        var busy = new BusyStore(_store) { Fault = StoreFault.Busy };
        await using var third = new TestEngine(busy, _time);
        third.Callbacks.OnCompleted = static (_, _) => throw new InvalidOperationException("must not run");
        await third.VisitAsync();
        _time.Advance(Lease);
        Task<UploadResult> request = Task.Run(() => third.AppendAsync(2, [], 2));
        try
        {
            await Eventually.TrueAsync(() => request.IsCompleted, "the request ends", () => Advance(DateTimeOffset.MaxValue));
            Assert.Equal(UploadResultKind.HandlerRunning, (await request).Kind);
            Assert.InRange(busy.Updates, 2, 200);
        }
        finally
        {
            busy.Fault = null;
        }
    }

    [Fact]
    public async Task Result_is_recorded_although_the_store_is_busy_for_seconds()
    {
        Task<UploadResult> first = await StartFirstAsync();
        DateTimeOffset start = _time.GetUtcNow();
        _busyStore.Fault = StoreFault.Busy;
        _end.SetResult(new HandlerResult(HandlerResultKind.Final, null));
        await Eventually.TrueAsync(() => _busyStore.Updates > 0, "the store was busy");
        await AdvanceToAsync(start + TimeSpan.FromSeconds(5));
        await Eventually.TrueAsync(() => _busyStore.Updates > 1, "the result is stored again", () => _time.Advance(TimeSpan.FromMilliseconds(100)));
        _busyStore.Fault = null;
        await Eventually.TrueAsync(() => first.IsCompleted, "the request ends", () => _time.Advance(TimeSpan.FromMilliseconds(100)));
        Assert.Equal(UploadResultKind.Completed, (await first).Kind);
        Assert.InRange(_busyStore.Updates, 2, 200);
    }

    [Fact]
    public async Task Upload_does_not_expire_while_its_handler_runs()
    {
        await using var engine = new TestEngine(
            _store, _time, TestSettings.Default with { Expiration = TimeSpan.FromMinutes(10), HandlerLeaseDuration = TimeSpan.FromHours(1) });
        engine.Callbacks.OnCompleted = _first.Callbacks.OnCompleted;
        Task<UploadResult> append = engine.AppendAsync(0, [1, 2], 2);
        await Eventually.WithinAsync(_started.Task);
        _time.Advance(TimeSpan.FromMinutes(11));
        await engine.VisitAsync();
        await _second.VisitAsync();
        UploadInfo? status = await engine.Engine.GetStatusAsync(TestEngine.Key, isClientGeneratedKey: false, null, default);
        UploadResult repeated = await engine.AppendAsync(0, [1, 2], 2);
        _end.SetResult(new HandlerResult(HandlerResultKind.Final, null));
        UploadResult result = await append;
        Assert.Equal(UploadState.Received, status?.State);
        Assert.Equal((UploadResultKind.AlreadyComplete, UploadResultKind.Completed), (repeated.Kind, result.Kind));
    }

    private async Task<Task<UploadResult>> StartFirstAsync()
    {
        Task<UploadResult> first = _first.AppendAsync(0, [1, 2], 2);
        await Eventually.WithinAsync(_started.Task);
        return first;
    }

    /// <summary>Advances the clock by one step, unless code that waited for the previous timer has not started the next one yet.</summary>
    private void Advance(DateTimeOffset until)
    {
        if (_time.GetUtcNow() < until && _time.GetUtcNow() < _time.LastDue)
        {
            _time.Advance(TimeSpan.FromMilliseconds(500));
        }
    }

    /// <summary>Advances the clock in steps, so that timers that are started on the way fire too.</summary>
    private Task AdvanceToAsync(DateTimeOffset until) =>
        Eventually.TrueAsync(() => _time.GetUtcNow() >= until, "the time has passed", () => Advance(until));

    /// <summary>A clock that knows when the timer that was created last is due.</summary>
    private sealed class TimerClock(DateTimeOffset start) : FakeTimeProvider(start)
    {
        private long _lastDue;

        public DateTimeOffset LastDue => new(Volatile.Read(ref _lastDue), TimeSpan.Zero);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime >= TimeSpan.Zero)
            {
                Volatile.Write(ref _lastDue, (GetUtcNow() + dueTime).Ticks);
            }

            return base.CreateTimer(callback, state, dueTime, period);
        }
    }
}
