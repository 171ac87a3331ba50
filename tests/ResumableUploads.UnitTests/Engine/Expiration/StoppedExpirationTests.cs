using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Engine.Expiration;

/// <summary>The removal of an expired upload and its event, when the server stops or another request waits.</summary>
public sealed class StoppedExpirationTests : IAsyncLifetime
{
    private const int EventLost = 283;
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HookedStore _store;
    private readonly TestEngine _engine;
    private readonly List<bool> _canceledAtStart = [];
    private int _ended;

    public StoppedExpirationTests()
    {
        _store = new HookedStore(new MemoryUploadStore(timeProvider: _time));
        _engine = new TestEngine(_store, _time);
        _engine.Callbacks.OnExpired = async (_, token) =>
        {
            _canceledAtStart.Add(token.IsCancellationRequested);
            _entered.TrySetResult();
            await _release.Task.WaitAsync(token);
            _ended++;
        };
    }

    public async ValueTask InitializeAsync()
    {
        await _engine.AppendAsync(0, [1], 10);
        _time.Advance(TimeSpan.FromDays(8));
    }

    public async ValueTask DisposeAsync()
    {
        _release.TrySetResult();
        await _engine.DisposeAsync();
    }

    [Fact]
    public async Task Removal_does_not_begin_after_the_server_has_begun_to_stop()
    {
        _engine.Engine.Stop();
        await _engine.VisitAsync();
        Assert.Equal(UploadResultKind.ShuttingDown, (await _engine.AppendAsync(0, [1], 10)).Kind);
        Assert.NotNull(await _engine.GetAsync());
        Assert.Empty(_canceledAtStart);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Stop_or_preemption_during_the_removal_leaves_time_for_OnExpired(bool isPreempted)
    {
        Task waiting = Task.CompletedTask;
        _store.BeforeDelete = _ =>
        {
            _store.BeforeDelete = null;
            if (isPreempted)
            {
                waiting = _engine.AppendAsync(1, [1], 10);
            }
            else
            {
                _engine.Engine.Stop();
            }

            return Task.CompletedTask;
        };
        Task expiring = isPreempted ? _engine.AppendAsync(1, [1], 10) : _engine.VisitAsync();
        await Eventually.WithinAsync(_entered.Task);
        _release.SetResult();
        await Eventually.WithinAsync(expiring);
        await Eventually.WithinAsync(waiting);
        Assert.Equal([false], _canceledAtStart);
        Assert.Equal(1, _ended);
        Assert.False(_engine.HasLogged(EventLost));
    }

    [Fact]
    public async Task OnExpired_that_is_canceled_by_a_stop_is_logged()
    {
        Task visit = _engine.VisitAsync();
        await Eventually.WithinAsync(_entered.Task);
        _engine.Engine.Stop();
        await Eventually.TrueAsync(() => visit.IsCompleted, "the visit ends", () => _time.Advance(TimeSpan.FromMilliseconds(100)));
        Assert.Equal(0, _ended);
        Assert.True(_engine.HasLogged(EventLost));
    }

    [Fact]
    public async Task Removal_that_hangs_is_logged_when_the_engine_is_disposed()
    {
        var deleting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.BeforeDelete = _ =>
        {
            deleting.SetResult();
            return _release.Task;
        };
        Task visit = _engine.VisitAsync();
        await Eventually.WithinAsync(deleting.Task);
        Task stop = _engine.Engine.DisposeAsync().AsTask();
        await Eventually.TrueAsync(() => stop.IsCompleted, "the engine stops", () => _time.Advance(TimeSpan.FromSeconds(1)));
        Assert.True(_engine.HasLogged(EventLost));
        _release.SetResult();
        await Eventually.WithinAsync(visit);
    }
}
