using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Engine.Completion;

/// <summary>When a failed handler runs again, and how an operator runs it again.</summary>
public sealed class HandlerRetryTests : IAsyncLifetime
{
    private static readonly TimeSpan Sweep = TestSettings.Default.SweepInterval;
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly MemoryUploadStore _store;
    private readonly TestEngine _engine;
    private readonly List<DateTimeOffset> _runs = [];
    private int _deadLettered;
    private bool _succeeds;

    public HandlerRetryTests()
    {
        _store = new MemoryUploadStore(timeProvider: _time);
        _engine = new TestEngine(_store, _time);
        _engine.Callbacks.OnCompleted = (_, _) =>
        {
            _runs.Add(_time.GetUtcNow());
            return _succeeds ? Task.FromResult(new HandlerResult(HandlerResultKind.Final, null)) : throw new InvalidOperationException("Injected failure.");
        };
        _engine.Callbacks.OnDeadLettered = (_, _) =>
        {
            _deadLettered++;
            return Task.CompletedTask;
        };
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync() => await _engine.DisposeAsync();

    [Fact]
    public async Task Failed_handler_is_retried_with_back_off_over_about_a_day()
    {
        await _engine.AppendAsync(0, [1, 2], 2);
        while (_deadLettered == 0 && _time.GetUtcNow() - _runs[0] < TimeSpan.FromDays(3))
        {
            _time.Advance(Sweep);
            await _engine.VisitAsync();
        }

        Assert.Equal(TestSettings.Default.MaxHandlerAttempts, _runs.Count);
        Assert.InRange((_runs[^1] - _runs[0]).TotalHours, 18, 31);
        List<TimeSpan> delays = [.. _runs.Zip(_runs.Skip(1), static (x, y) => y - x)];
        Assert.Equal(Sweep, delays[0]);
        Assert.All(delays.TakeLast(4), static delay => Assert.InRange(delay.TotalHours, 3.2, 4.9));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Retry_after_the_correction_of_a_fast_clock_is_not_delayed(bool isDeadLettered)
    {
        EngineSettings settings = TestSettings.Default with { MaxHandlerAttempts = isDeadLettered ? 1 : 14 };
        var fast = new FakeTimeProvider(_time.GetUtcNow().AddYears(1));
        int runs = 0;
        Task CountAndFail()
        {
            runs++;
            throw new InvalidOperationException("Injected failure.");
        }

        foreach ((TimeProvider clock, int expected) in new[] { (fast, 1), (_time, 2), (_time, 2) })
        {
            await using var engine = new TestEngine(_store, clock, settings);
            engine.Callbacks.OnCompleted = async (_, _) =>
            {
                await (isDeadLettered ? Task.CompletedTask : CountAndFail());
                throw new InvalidOperationException("Injected failure.");
            };
            engine.Callbacks.OnDeadLettered = (_, _) => CountAndFail();
            await (runs == 0 ? engine.AppendAsync(0, [1, 2], 2) : engine.VisitAsync());
            Assert.Equal(expected, runs);
        }
    }

    [Fact]
    public async Task Delays_differ_at_random_by_up_to_a_fifth()
    {
        var delays = new HashSet<TimeSpan>();
        for (int i = 0; i < 20; i++)
        {
            await _engine.AppendAsync(0, [1, 2], 2);
            TimeSpan delay = (await _engine.GetHandlerAsync())!.RetryAt!.Value - _time.GetUtcNow();
            Assert.InRange(delay.TotalSeconds, 48, 72);
            delays.Add(delay);
            await _engine.CancelAsync();
        }

        Assert.True(delays.Count > 1);
    }

    [Fact]
    public async Task Run_that_starts_before_the_next_attempt_is_due_and_ends_after_it_does_not_count()
    {
        await _engine.AppendAsync(0, [1, 2], 2);
        HandlerState failed = (await _engine.GetHandlerAsync())!;
        _engine.Callbacks.OnCompleted = (_, _) =>
        {
            _time.Advance(failed.RetryAt!.Value - _time.GetUtcNow() + TimeSpan.FromSeconds(1));
            throw new InvalidOperationException("Injected failure.");
        };
        await _engine.AppendAsync(2, [], 2);
        HandlerState again = (await _engine.GetHandlerAsync())!;
        Assert.Equal((1, 2, failed.RetryAt), (again.Attempts, again.TotalRuns, again.RetryAt));
    }

    [Fact]
    public async Task Client_that_retries_often_does_not_use_up_the_attempts()
    {
        await _engine.AppendAsync(0, [1, 2], 2);
        DateTimeOffset? retryAt = (await _engine.GetHandlerAsync())!.RetryAt;
        for (int i = 0; i < 50; i++)
        {
            Assert.Equal(UploadResultKind.HandlerFailed, (await _engine.AppendAsync(2, [], 2)).Kind);
        }

        HandlerState state = (await _engine.GetHandlerAsync())!;
        Assert.Equal((1, 51, retryAt), (state.Attempts, state.TotalRuns, state.RetryAt));
        _succeeds = true;
        Assert.Equal(UploadResultKind.Completed, (await _engine.AppendAsync(2, [], 2)).Kind);
    }

    [Fact]
    public async Task Response_that_cannot_be_stored_releases_the_lease()
    {
        var store = new FailingResponseStore(_store) { Failure = new ArgumentException("Injected failure.") };
        await using var engine = new TestEngine(store, _time);
        int runs = 0;
        engine.Callbacks.OnCompleted = (_, _) =>
        {
            runs++;
            return Task.FromResult(new HandlerResult(HandlerResultKind.Final, "{}"u8.ToArray()));
        };
        Assert.Equal(UploadResultKind.HandlerFailed, (await engine.AppendAsync(0, [1, 2], 2)).Kind);
        HandlerState state = (await engine.GetHandlerAsync())!;
        Assert.Equal((1, 1, null), (state.Attempts, state.TotalRuns, state.LeasedBy));
        Assert.NotNull(state.RetryAt);

        store.Failure = new UploadStoreException(StoreFailure.Full, "Injected failure.");
        Assert.Equal(UploadResultKind.StorageFull, (await engine.AppendAsync(2, [], 2)).Kind);
        store.Failure = null;
        Assert.Equal(UploadResultKind.Completed, (await engine.AppendAsync(2, [], 2)).Kind);
        Assert.Equal(3, runs);
    }

    [Fact]
    public async Task Run_that_a_stop_canceled_does_not_count_as_an_attempt()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _engine.Callbacks.OnCompleted = async (_, token) =>
        {
            entered.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, token);
            return default;
        };
        Task<UploadResult> append = _engine.AppendAsync(0, [1, 2], 2);
        await Eventually.WithinAsync(entered.Task);
        _engine.Engine.Stop();
        await Eventually.WithinAsync(append);
        HandlerState state = (await _engine.GetHandlerAsync())!;
        Assert.Equal((0, 1, null, null), (state.Attempts, state.TotalRuns, state.LeasedBy, state.RetryAt));
    }

    [Fact]
    public async Task Upload_of_an_endpoint_is_kept_for_Expiration_and_its_append_calls_OnDeadLettered()
    {
        await using var engine = new TestEngine(_store, _time, TestSettings.Default with { CompletedRetention = TimeSpan.FromDays(30) });
        engine.Callbacks.OnCompleted = _engine.Callbacks.OnCompleted;
        engine.Callbacks.OnDeadLettered = _engine.Callbacks.OnDeadLettered;
        engine.IsEndpoint = true;
        await engine.AppendAsync(0, [1, 2], 2);
        _time.Advance(TestSettings.Default.Expiration);
        Assert.Equal(UploadResultKind.Appended, (await engine.AppendAsync(0, [1], 2)).Kind);
        Assert.Equal(1, _deadLettered);
    }

    [Fact]
    public async Task Cancellation_that_is_not_a_stop_counts_as_an_attempt()
    {
        _engine.Callbacks.OnCompleted = static (_, _) => throw new TaskCanceledException("A request timed out.");
        await _engine.AppendAsync(0, [1, 2], 2);
        Assert.Equal(1, (await _engine.GetHandlerAsync())!.Attempts);
        Assert.True(_engine.HasLogged(209));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Dead_lettered_upload_runs_again_on_request_of_the_application(bool succeeds)
    {
        await using var engine = new TestEngine(_store, _time, TestSettings.Default with { GetEngineNames = static () => ["this"], MaxHandlerAttempts = 1 });
        engine.Callbacks.OnCompleted = _engine.Callbacks.OnCompleted;
        engine.Callbacks.OnDeadLettered = _engine.Callbacks.OnDeadLettered;
        await engine.AppendAsync(0, [1, 2], 2);
        Assert.Equal((1, 1), (_runs.Count, _deadLettered));
        Assert.Equal(UploadResultKind.DeadLettered, (await engine.AppendAsync(2, [], 2)).Kind);
        await using (var other = new TestEngine(_store, _time, TestSettings.Default with { GetEngineNames = static () => ["other"], MaxHandlerAttempts = 1 }))
        {
            Assert.False(await other.Engine.RetryHandlerAsync(TestEngine.Key, null, default));
        }

        Assert.True(engine.Engine.Inspector.TryDescribe((await engine.GetAsync())!)!.IsDeadLettered);

        _succeeds = succeeds;
        Assert.True(await engine.Engine.RetryHandlerAsync(TestEngine.Key, null, default));
        await Eventually.TrueAsync(
            async () => (await engine.GetAsync())!.State == UploadState.Completed || (await engine.GetHandlerAsync())!.IsDeadLetterReported, "the handler has ended");
        UploadResult result = await engine.AppendAsync(2, [], 2);
        Assert.Equal(succeeds ? UploadResultKind.Replayed : UploadResultKind.DeadLettered, result.Kind);
        Assert.Equal((2, succeeds ? 1 : 2), (_runs.Count, _deadLettered));
        Assert.Equal(!succeeds, await engine.Engine.RetryHandlerAsync(TestEngine.Key, null, default));
    }

    [Fact]
    public async Task Upload_that_its_handler_dead_lettered_runs_again_on_request_of_the_application()
    {
        var results = new Queue<HandlerResultKind>([HandlerResultKind.DeadLetter, HandlerResultKind.Final]);
        _engine.Callbacks.OnCompleted = (_, _) => Task.FromResult(new HandlerResult(results.Dequeue(), null));
        await _engine.AppendAsync(0, [1, 2], 2);
        Assert.Equal(UploadResultKind.DeadLettered, (await _engine.AppendAsync(2, [], 2)).Kind);
        Assert.True(await _engine.Engine.RetryHandlerAsync(TestEngine.Key, null, default));
        await Eventually.TrueAsync(async () => (await _engine.GetAsync())!.State == UploadState.Completed, "the handler runs again");
        Assert.Equal((1, 0), (_deadLettered, results.Count));
    }

    [Fact]
    public async Task Dead_lettered_upload_stays_so_when_more_attempts_are_allowed_later()
    {
        await using var engine = new TestEngine(_store, _time, TestSettings.Default with { MaxHandlerAttempts = 1 });
        engine.Callbacks.OnCompleted = _engine.Callbacks.OnCompleted;
        await engine.AppendAsync(0, [1, 2], 2);
        _time.Advance(TimeSpan.FromHours(1));
        await _engine.VisitAsync();
        Assert.Single(_runs);
    }

    [Fact]
    public async Task Upload_that_is_not_received_cannot_be_run_again()
    {
        _engine.IsEndpoint = true;
        Assert.False(await _engine.Engine.RetryHandlerAsync(TestEngine.Key, null, default));
        await _engine.AppendAsync(0, [1], 2);
        Assert.False(await _engine.Engine.RetryHandlerAsync(TestEngine.Key, null, default));
        await _engine.AppendAsync(1, [2], 2);
        _time.Advance(TimeSpan.FromDays(7));
        Assert.False(await _engine.Engine.RetryHandlerAsync(TestEngine.Key, null, default));
    }

    /// <summary>A store that cannot store responses as long as a failure is set.</summary>
    private sealed class FailingResponseStore(IUploadStore innerStore) : DelegatingUploadStore(innerStore)
    {
        public Exception? Failure { get; set; }

        public override ValueTask<UpdateResult> CompleteAsync(
            UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte> response, CancellationToken cancellationToken) =>
            Failure is null ? InnerStore.CompleteAsync(key, version, record, response, cancellationToken) : throw Failure;
    }
}
