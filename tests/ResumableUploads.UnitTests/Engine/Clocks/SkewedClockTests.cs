using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Reliability;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Engine.Clocks;

/// <summary>Two processes whose wall clocks differ, as two engines on one store. The same time passes for both, and for the storage.</summary>
public sealed class SkewedClockTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch.AddYears(56);
    private static readonly TimeSpan Lease = TestSettings.Default.HandlerLeaseDuration;
    private readonly List<FakeTimeProvider> _clocks = [];
    private readonly List<TestEngine> _engines = [];
    private readonly ClockedStore _store;
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<HandlerResult> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _secondRuns;

    public SkewedClockTests()
    {
        FakeTimeProvider storage = CreateClock(0);
        _store = new ClockedStore(new MemoryUploadStore(timeProvider: storage), storage);
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _end.TrySetResult(default);
        foreach (TestEngine engine in _engines)
        {
            await engine.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(70)]
    [InlineData(300)]
    [InlineData(-300)]
    public async Task Handler_does_not_run_twice_at_once(int skewSeconds)
    {
        TestEngine first = await CreateFirstAsync(_store);
        TestEngine second = await CreateSecondAsync(skewSeconds);
        Task<UploadResult> append = await StartHandlerAsync(first);
        for (int i = 0; i < 6; i++)
        {
            await second.VisitAsync();
            int? renewals = (await first.GetHandlerAsync())!.Renewals;
            await Eventually.TrueAsync(
                async () => (await first.GetHandlerAsync())!.Renewals > renewals, "the lease is renewed", () => Advance(TimeSpan.FromSeconds(1)));
        }

        Assert.Equal(0, _secondRuns);
        _end.SetResult(new HandlerResult(HandlerResultKind.Final, null));
        Assert.Equal(UploadResultKind.Completed, (await Eventually.WithinAsync(append)).Kind);
    }

    [Theory]
    [InlineData(300)]
    [InlineData(-300)]
    public async Task Handler_of_a_dead_process_runs_again_within_two_leases(int skewSeconds)
    {
        var unreachable = new BusyStore(_store);
        TestEngine first = await CreateFirstAsync(unreachable);
        TestEngine second = await CreateSecondAsync(skewSeconds);
        await StartHandlerAsync(first);
        unreachable.Fault = StoreFault.Busy;
        await second.VisitAsync();
        TimeSpan elapsed = default;
        while (_secondRuns == 0 && elapsed < 2 * Lease)
        {
            elapsed += TimeSpan.FromSeconds(1);
            Advance(TimeSpan.FromSeconds(1));
            await second.VisitEarlyAsync();
        }

        Assert.Equal((1, Lease), (_secondRuns, elapsed));
    }

    [Theory]
    [InlineData(300, 0)]
    [InlineData(-300, 0)]
    [InlineData(300, 1)]
    [InlineData(-300, 1)]
    public async Task Upload_expires_by_the_clock_of_the_storage(int skewSeconds, int skewedProcess)
    {
        await AssertExpiresAsync(skewSeconds, skewedProcess, TestSettings.Default with { Expiration = TimeSpan.FromMinutes(10) });
        await AssertExpiresAsync(skewSeconds, skewedProcess, TestSettings.Default with { MaxAge = TimeSpan.FromMinutes(10) });
    }

    [Theory]
    [InlineData(300)]
    [InlineData(-300)]
    public async Task Failed_handler_is_not_delayed_by_a_wrong_clock(int skewSeconds)
    {
        TestEngine first = await CreateFirstAsync(_store);
        TestEngine second = await CreateSecondAsync(skewSeconds);
        Task<UploadResult> append = await StartHandlerAsync(first);
        _end.SetResult(new HandlerResult(HandlerResultKind.Retry, null));
        Assert.Equal(UploadResultKind.HandlerFailed, (await Eventually.WithinAsync(append)).Kind);
        Advance(TestSettings.Default.HandlerRetryDelay * 0.79);
        await second.VisitAsync();
        Assert.Equal(0, _secondRuns);
        Advance(TestSettings.Default.HandlerRetryDelay * 0.42);
        await second.VisitAsync();
        Assert.Equal(1, _secondRuns);
    }

    private async Task AssertExpiresAsync(int skewSeconds, int skewedProcess, EngineSettings settings)
    {
        TestEngine writer = await CreateAsync(_store, skewedProcess == 0 ? skewSeconds : 0, settings);
        TestEngine sweeper = await CreateAsync(_store, skewedProcess == 1 ? skewSeconds : 0, settings);
        await writer.AppendAsync(0, [1], 2);
        Advance(TimeSpan.FromMinutes(9.9));
        await sweeper.VisitAsync();
        Assert.NotNull(await sweeper.Engine.GetStatusAsync(TestEngine.Key, isClientGeneratedKey: false, null, default));
        Advance(TimeSpan.FromMinutes(0.2));
        Assert.Null(await sweeper.Engine.GetStatusAsync(TestEngine.Key, isClientGeneratedKey: false, null, default));
        await sweeper.VisitAsync();
        Assert.Null(await sweeper.GetAsync());
    }

    private async Task<TestEngine> CreateFirstAsync(IUploadStore store)
    {
        TestEngine first = await CreateAsync(store, 0, TestSettings.Default);
        first.Callbacks.OnCompleted = (_, _) =>
        {
            _started.TrySetResult();
            return _end.Task;
        };
        return first;
    }

    private async Task<TestEngine> CreateSecondAsync(int skewSeconds)
    {
        TestEngine second = await CreateAsync(_store, skewSeconds, TestSettings.Default);
        second.Callbacks.OnCompleted = (_, _) =>
        {
            _secondRuns++;
            return Task.FromResult(new HandlerResult(HandlerResultKind.Final, null));
        };
        return second;
    }

    private async Task<TestEngine> CreateAsync(IUploadStore store, int skewSeconds, EngineSettings settings)
    {
        var clock = new StoreClock(_store, CreateClock(skewSeconds), NullLogger.Instance);
        await clock.SynchronizeAsync(default);
        var engine = new TestEngine(store, clock, settings);
        _engines.Add(engine);
        return engine;
    }

    private async Task<Task<UploadResult>> StartHandlerAsync(TestEngine engine)
    {
        Task<UploadResult> append = engine.AppendAsync(0, [1, 2], 2);
        await Eventually.WithinAsync(_started.Task);
        return append;
    }

    private FakeTimeProvider CreateClock(int skewSeconds)
    {
        DateTimeOffset now = _clocks.Count == 0 ? Start : _clocks[0].GetUtcNow();
        var clock = new FakeTimeProvider(now.AddSeconds(skewSeconds));
        _clocks.Add(clock);
        return clock;
    }

    private void Advance(TimeSpan time) => _clocks.ForEach(clock => clock.Advance(time));

    private sealed class ClockedStore(IUploadStore innerStore, TimeProvider clock) : DelegatingUploadStore(innerStore), IStoreClock
    {
        public ValueTask<DateTimeOffset> GetUtcNowAsync(CancellationToken cancellationToken) => ValueTask.FromResult(clock.GetUtcNow());
    }
}
