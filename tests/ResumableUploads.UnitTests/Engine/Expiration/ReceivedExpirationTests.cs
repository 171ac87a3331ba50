using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.UnitTests.Engine.Expiration;

/// <summary>When a received upload expires whose handler has not succeeded yet.</summary>
public sealed class ReceivedExpirationTests : IAsyncLifetime
{
    private static readonly EngineSettings Settings = TestSettings.Default with { Expiration = TimeSpan.FromHours(1), MaxAge = TimeSpan.FromHours(2) };
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly MemoryUploadStore _store;
    private readonly List<TestEngine> _engines = [];
    private readonly TestEngine _engine;
    private int _runs;
    private int _deadLettered;
    private int _expirations;
    private bool _succeeds;

    public ReceivedExpirationTests()
    {
        _store = new MemoryUploadStore(timeProvider: _time);
        _engine = CreateEngine(Settings);
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (TestEngine engine in _engines)
        {
            await engine.DisposeAsync();
        }
    }

    [Fact]
    public async Task Received_upload_does_not_expire_before_its_attempts_are_used_up()
    {
        await _engine.AppendAsync(0, [1, 2], 2);
        DateTimeOffset start = _time.GetUtcNow();
        while (_deadLettered == 0 && _time.GetUtcNow() - start < TimeSpan.FromDays(3))
        {
            Assert.NotNull(await GetStatusAsync(_engine));
            _time.Advance(Settings.SweepInterval);
            await SweepAsync(_engine);
        }

        Assert.Equal((Settings.MaxHandlerAttempts, 1, 0), (_runs, _deadLettered, _expirations));
        _time.Advance(Settings.Expiration - TimeSpan.FromTicks(1));
        await SweepAsync(_engine);
        Assert.NotNull(await GetStatusAsync(_engine));
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.Null(await GetStatusAsync(_engine));
        await SweepAsync(_engine);
        Assert.Equal((1, 1), (_deadLettered, _expirations));
        Assert.Null(await _engine.GetAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Handler_runs_after_a_downtime_longer_than_the_expiration(bool hasSwept)
    {
        await _engine.AppendAsync(0, [1, 2], 2);
        _time.Advance(TimeSpan.FromDays(40));
        TestEngine restarted = CreateEngine(Settings);
        if (hasSwept)
        {
            restarted.EndSweep();
        }

        Assert.NotNull(await GetStatusAsync(restarted));
        _succeeds = true;
        await SweepAsync(restarted);
        Assert.Equal(UploadState.Completed, (await _engine.GetAsync())!.State);
        Assert.Equal((2, 0, 0), (_runs, _deadLettered, _expirations));
    }

    [Fact]
    public async Task Append_after_the_expiration_runs_the_handler_that_has_attempts_left()
    {
        await _engine.AppendAsync(0, [1, 2], 2);
        _time.Advance(TimeSpan.FromDays(40));
        _succeeds = true;
        Assert.Equal(UploadResultKind.Completed, (await _engine.AppendAsync(2, [], 2)).Kind);
        Assert.Equal((2, 0, 0), (_runs, _deadLettered, _expirations));
    }

    [Fact]
    public async Task Handler_with_attempts_left_can_be_run_by_an_operator_after_the_expiration()
    {
        await _engine.AppendAsync(0, [1, 2], 2);
        _time.Advance(TimeSpan.FromDays(40));
        Assert.True(await _engine.Engine.RetryHandlerAsync(TestEngine.Key, null, default));
    }

    [Fact]
    public async Task Received_upload_of_an_endpoint_expires()
    {
        _engine.IsEndpoint = true;
        await _engine.AppendAsync(0, [1, 2], 2);
        _time.Advance(Settings.Expiration);
        Assert.Null(await GetStatusAsync(_engine));
        await SweepAsync(_engine);
        Assert.Null(await _engine.GetAsync());
        Assert.Equal((1, 1, 1), (_runs, _deadLettered, _expirations));
    }

    [Fact]
    public async Task Other_engine_takes_an_upload_for_orphaned_a_day_after_its_next_attempt_was_due()
    {
        EngineSettings slow = Settings with { HandlerRetryDelay = TimeSpan.FromDays(10), MaxHandlerRetryDelay = TimeSpan.FromDays(10) };
        TestEngine owner = CreateEngine(slow);
        TestEngine other = CreateEngine(Settings with { GetEngineNames = static () => ["other"] });
        await owner.AppendAsync(0, [1, 2], 2);
        DateTimeOffset retryAt = (await owner.GetHandlerAsync())!.RetryAt!.Value;
        other.EndSweep();
        _time.SetUtcNow(retryAt + Settings.Expiration + TimeSpan.FromDays(1) - TimeSpan.FromTicks(1));
        await SweepAsync(other);
        Assert.NotNull(await owner.GetAsync());
        _time.Advance(TimeSpan.FromTicks(1));
        await SweepAsync(other);
        Assert.Null(await owner.GetAsync());
        Assert.Equal((1, 0, 0), (_runs, _deadLettered, _expirations));
    }

    private static ValueTask<UploadInfo?> GetStatusAsync(TestEngine engine) => engine.Engine.GetStatusAsync(TestEngine.Key, false, null, default);

    private static async Task SweepAsync(TestEngine engine)
    {
        await engine.VisitAsync();
        engine.EndSweep();
    }

    private TestEngine CreateEngine(EngineSettings settings)
    {
        var engine = new TestEngine(_store, _time, settings);
        _engines.Add(engine);
        engine.Callbacks.OnCompleted = (_, _) =>
        {
            _runs++;
            return _succeeds ? Task.FromResult(new HandlerResult(HandlerResultKind.Final, null)) : throw new InvalidOperationException("Injected failure.");
        };
        engine.Callbacks.OnDeadLettered = (_, _) => Task.FromResult(++_deadLettered);
        engine.Callbacks.OnExpired = (_, _) => Task.FromResult(++_expirations);
        return engine;
    }
}
