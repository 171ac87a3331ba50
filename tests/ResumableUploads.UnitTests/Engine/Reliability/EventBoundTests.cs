using System.IO.Pipelines;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Engine.Reliability;

/// <summary>Every event has a token that ends it, and the engine continues without an event that ignores its token.</summary>
public sealed class EventBoundTests : IAsyncLifetime
{
    private const int Abandoned = 226;
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TestEngine _engine;
    private CancellationToken _token;

    public EventBoundTests()
    {
        // Some tests advance the clock until an event is abandoned. The body must not end before that.
        TimeSpan never = TimeSpan.FromDays(1);
        _engine = new TestEngine(new MemoryUploadStore(timeProvider: _time), _time, TestSettings.Default with { IdleTimeout = never, MinDataRatePeriod = never });
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _release.TrySetResult();
        await _engine.DisposeAsync();
    }

    [Fact]
    public async Task OnProgress_that_waits_for_its_token_ends_when_the_request_is_preempted()
    {
        _engine.Callbacks.OnProgress = (_, token) => HoldAsync(token);
        Task<UploadResult> append = await StartAppendAsync();
        Assert.Equal(1, (await Eventually.WithinAsync(_engine.Engine.GetStatusAsync(TestEngine.Key, false, null, default).AsTask()))!.Offset);
        Assert.Equal(UploadResultKind.Appended, (await Eventually.WithinAsync(append)).Kind);
        Assert.DoesNotContain(_engine.Log.Lines, static line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    [Fact]
    public async Task OnProgress_that_waits_for_its_token_ends_when_the_server_stops()
    {
        _engine.Callbacks.OnProgress = (_, token) => HoldAsync(token);
        Task<UploadResult> append = await StartAppendAsync();
        _engine.Engine.Stop();
        await Eventually.WithinAsync(append);
    }

    [Theory]
    [InlineData("preempt")]
    [InlineData("stop")]
    [InlineData("timeout")]
    public async Task OnProgress_that_ignores_its_token_is_abandoned(string reason)
    {
        int calls = 0;
        _engine.Callbacks.OnProgress = (_, _) =>
        {
            Interlocked.Increment(ref calls);
            return HoldAsync(CancellationToken.None);
        };
        Task<UploadResult> append = await StartAppendAsync();
        Interrupt(reason);
        await Eventually.TrueAsync(() => append.IsCompleted, "the append ends", () => _time.Advance(TimeSpan.FromMilliseconds(reason == "timeout" ? 1000 : 100)));
        Assert.True(_engine.HasLogged(Abandoned));
        Assert.Equal(1, calls);
    }

    [Fact]
    public async Task OnProgress_is_not_called_while_an_abandoned_call_runs()
    {
        int calls = 0;
        _engine.Callbacks.OnProgress = (_, _) =>
        {
            Interlocked.Increment(ref calls);
            return HoldAsync(CancellationToken.None);
        };
        var pipe = new Pipe();
        await pipe.Writer.WriteAsync(new byte[] { 1 });
        Task<UploadResult> append = _engine.AppendAsync(0, pipe.Reader, null, 10);
        await Eventually.WithinAsync(_entered.Task);
        await Eventually.TrueAsync(() => _engine.HasLogged(Abandoned), "the event is abandoned", () => _time.Advance(TimeSpan.FromSeconds(1)));
        await pipe.Writer.WriteAsync(new byte[] { 2 });
        await pipe.Writer.CompleteAsync();
        await Eventually.TrueAsync(() => append.IsCompleted, "the append ends", () => _time.Advance(TimeSpan.FromSeconds(1)));
        Assert.Equal((2, 1), ((await append).Offset, calls));
    }

    [Theory]
    [InlineData("preempt", UploadResultKind.Preempted)]
    [InlineData("stop", UploadResultKind.ShuttingDown)]
    [InlineData("timeout", UploadResultKind.Busy)]
    public async Task OnCreating_ends_with_its_token_and_creates_nothing(string reason, object kind)
    {
        await OnCreatingAsync(reason, kind, obeys: true);
        Assert.False(_engine.HasLogged(Abandoned));
    }

    [Theory]
    [InlineData("preempt", UploadResultKind.Preempted)]
    [InlineData("stop", UploadResultKind.ShuttingDown)]
    [InlineData("timeout", UploadResultKind.Busy)]
    public async Task OnCreating_that_ignores_its_token_is_abandoned(string reason, object kind)
    {
        await OnCreatingAsync(reason, kind, obeys: false);
        Assert.True(_engine.HasLogged(Abandoned));
    }

    [Fact]
    public async Task OnCreating_that_blocks_its_thread_is_abandoned()
    {
        _engine.Callbacks.OnCreating = _ =>
        {
            Block();
            return Task.FromResult(default(CreationDecision));
        };
        Task<UploadResult> append = Task.Run(() => _engine.AppendAsync(0, [1], 10));
        await Eventually.WithinAsync(_entered.Task);
        await Eventually.TrueAsync(() => append.IsCompleted, "the append ends", () => _time.Advance(TimeSpan.FromSeconds(1)));
        Assert.Equal((UploadResultKind.Busy, true), ((await append).Kind, _engine.HasLogged(Abandoned)));
    }

    [Fact]
    public async Task OnExpired_that_blocks_its_thread_does_not_hold_the_sweep()
    {
        await _engine.AppendAsync(0, [1], 10);
        _time.Advance(TimeSpan.FromDays(8));
        _engine.Callbacks.OnExpired = (_, _) =>
        {
            Block();
            return Task.CompletedTask;
        };
        Task visit = Task.Run(_engine.VisitAsync);
        await Eventually.WithinAsync(_entered.Task);
        await Eventually.TrueAsync(() => visit.IsCompleted, "the visit ends", () => _time.Advance(TimeSpan.FromSeconds(1)));
        await visit;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OnCompleted_that_blocks_its_thread_does_not_hold_its_caller(bool inSweep)
    {
        _engine.Callbacks.OnCompleted = static (_, _) => throw new InvalidOperationException("Injected failure.");
        await _engine.AppendAsync(0, [1, 2], 2);
        _time.Advance(TimeSpan.FromHours(1));
        _engine.Callbacks.OnCompleted = (_, _) =>
        {
            Block();
            return Task.FromResult(default(HandlerResult));
        };
        Task caller = Task.Run(() => inSweep ? _engine.VisitAsync() : _engine.Engine.RetryHandlerAsync(TestEngine.Key, null, default).AsTask());
        await Eventually.WithinAsync(_entered.Task);
        await Eventually.TrueAsync(() => caller.IsCompleted, "the caller continues", () => _time.Advance(TimeSpan.FromSeconds(1)));
        await caller;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Callback_of_a_token_that_blocks_does_not_hold_the_stop(bool isHandler)
    {
        async Task<T> HoldAsync<T>(CancellationToken token)
        {
            token.UnsafeRegister(_ => _release.Task.Wait(TestContext.Current.CancellationToken), null);
            _entered.SetResult();
            await _release.Task;
            return default!;
        }

        _engine.Callbacks.OnCreating = isHandler ? null : HoldAsync<CreationDecision>;
        _engine.Callbacks.OnCompleted = (_, token) => HoldAsync<HandlerResult>(token);
        Task<UploadResult> append = _engine.AppendAsync(0, [1, 2], 2);
        await Eventually.WithinAsync(_entered.Task);
        await Eventually.WithinAsync(Task.Run(_engine.Engine.Stop));
        if (isHandler)
        {
            _release.SetResult();
        }

        await Eventually.TrueAsync(() => append.IsCompleted, "the append ends", () => _time.Advance(TimeSpan.FromMilliseconds(100)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OnExpired_does_not_hold_the_sweep(bool obeys)
    {
        await _engine.AppendAsync(0, [1], 10);
        _time.Advance(TimeSpan.FromDays(8));
        _engine.Callbacks.OnExpired = (_, token) => HoldAsync(obeys ? token : CancellationToken.None);
        Task visit = _engine.VisitAsync();
        await Eventually.WithinAsync(_entered.Task);
        await Eventually.TrueAsync(() => visit.IsCompleted, "the visit ends", () => Advance(TimeSpan.FromSeconds(1)));
        await visit;
        if (obeys)
        {
            await Eventually.WithinAsync(_ended.Task);
            Assert.False(_engine.HasLogged(Abandoned));
        }
        else
        {
            await Eventually.TrueAsync(() => _engine.HasLogged(Abandoned), "the event is abandoned", () => _time.Advance(TimeSpan.FromSeconds(1)));
        }
    }

    [Fact]
    public async Task OnDeadLettered_does_not_hold_the_sweep()
    {
        await ReceiveAsync();
        _time.Advance(TimeSpan.FromDays(8));
        _engine.Callbacks.OnDeadLettered = (_, _) => HoldAsync(CancellationToken.None);
        Task visit = _engine.VisitAsync();
        await Eventually.WithinAsync(_entered.Task);
        await Eventually.TrueAsync(() => visit.IsCompleted, "the visit ends", () => _time.Advance(TimeSpan.FromSeconds(1)));
        Assert.NotNull(await _engine.GetAsync());
        _release.SetResult();
        await Eventually.TrueAsync(async () => await _engine.GetAsync() is null, "the upload is removed after the event");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OnDeadLettered_that_is_canceled_by_a_stop_keeps_the_upload(bool obeys)
    {
        await ReceiveAsync();
        _time.Advance(TimeSpan.FromDays(8));
        _engine.Callbacks.OnDeadLettered = (_, token) => HoldAsync(obeys ? token : CancellationToken.None);
        Task visit = _engine.VisitAsync();
        await Eventually.WithinAsync(_entered.Task);
        _engine.Engine.Stop();
        await Eventually.TrueAsync(() => visit.IsCompleted, "the visit ends", () => Advance(TimeSpan.FromSeconds(1)));
        Assert.NotNull(await _engine.GetAsync());
        Assert.NotEqual(obeys, _engine.HasLogged(Abandoned));
        Assert.Equal(obeys, _ended.Task.IsCompleted);
    }

    [Fact]
    public async Task OnDeadLettered_without_space_for_a_lease_ends_when_the_server_stops()
    {
        await ReceiveAsync();
        _time.Advance(TimeSpan.FromDays(8));
        await using var engine = new TestEngine(new FullStore(_engine.Store), _time);
        engine.Callbacks.OnDeadLettered = (_, token) => HoldAsync(token);
        Task visit = engine.VisitAsync();
        await Eventually.WithinAsync(_entered.Task);
        engine.Engine.Stop();
        await Eventually.WithinAsync(visit);
        Assert.NotNull(await engine.GetAsync());
    }

    [Fact]
    public async Task Handler_that_ignores_a_stop_is_logged()
    {
        _engine.Callbacks.OnCompleted = async (_, _) =>
        {
            await HoldAsync(CancellationToken.None);
            return default;
        };
        Task<UploadResult> append = _engine.AppendAsync(0, [1, 2], 2);
        await Eventually.WithinAsync(_entered.Task);
        Task stop = _engine.DisposeAsync().AsTask();
        await Eventually.TrueAsync(() => stop.IsCompleted, "the engine stops", () => _time.Advance(TimeSpan.FromSeconds(1)));
        Assert.True(_engine.HasLogged(227));
        _release.SetResult();
        await Eventually.WithinAsync(append);
    }

    private async Task OnCreatingAsync(string reason, object kind, bool obeys)
    {
        _engine.Callbacks.OnCreating = async token =>
        {
            await HoldAsync(obeys ? token : CancellationToken.None);
            return default;
        };
        Task<UploadResult> append = _engine.AppendAsync(0, [1], 10);
        await Eventually.WithinAsync(_entered.Task);
        Interrupt(reason);
        await Eventually.TrueAsync(() => append.IsCompleted, "the append ends", () => Advance(TimeSpan.FromMilliseconds(reason == "timeout" ? 1000 : 100)));
        Assert.Equal((UploadResultKind)kind, (await append).Kind);
        Assert.Null(await _engine.GetAsync());
    }

    /// <summary>Advances the clock until the token of the event fires. From then on, an event that obeys it has as much time as it needs.</summary>
    private void Advance(TimeSpan step)
    {
        if (!_token.IsCancellationRequested)
        {
            _time.Advance(step);
        }
    }

    private void Interrupt(string reason)
    {
        if (reason == "preempt")
        {
            _ = _engine.Engine.GetStatusAsync(TestEngine.Key, false, null, default).AsTask();
        }
        else if (reason == "stop")
        {
            _engine.Engine.Stop();
        }
    }

    private void Block()
    {
        _entered.TrySetResult();
        _release.Task.Wait(TestContext.Current.CancellationToken);
    }

    private async Task HoldAsync(CancellationToken cancellationToken)
    {
        _token = cancellationToken;
        _entered.TrySetResult();
        try
        {
            await _release.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            _ended.TrySetResult();
        }
    }

    private async Task<Task<UploadResult>> StartAppendAsync()
    {
        var pipe = new Pipe();
        await pipe.Writer.WriteAsync(new byte[] { 1 });
        await pipe.Writer.CompleteAsync();
        Task<UploadResult> append = _engine.AppendAsync(0, pipe.Reader, null, 10);
        await Eventually.WithinAsync(_entered.Task);
        return append;
    }

    /// <summary>Receives an upload whose handler fails.</summary>
    private async Task ReceiveAsync()
    {
        _engine.IsEndpoint = true;
        _engine.Callbacks.OnCompleted = static (_, _) => throw new InvalidOperationException("Injected failure.");
        Assert.Equal(UploadResultKind.HandlerFailed, (await _engine.AppendAsync(0, [1, 2], 2)).Kind);
    }

    /// <summary>A store without space for a larger record.</summary>
    private sealed class FullStore(IUploadStore innerStore) : DelegatingUploadStore(innerStore)
    {
        public override ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) =>
            throw new UploadStoreException(StoreFailure.Full, "Injected failure.");
    }
}
