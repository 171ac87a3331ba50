using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Engine.Completion;

/// <summary>What two processes do at the same time with an upload whose handler failed too often.</summary>
public sealed class DeadLetterLeaseTests : IAsyncLifetime
{
    private static readonly EngineSettings Settings = TestSettings.Default with { MaxHandlerAttempts = 1 };
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly TestEngine _first;
    private readonly TestEngine _second;
    private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public DeadLetterLeaseTests()
    {
        var store = new MemoryUploadStore(timeProvider: _time);
        _first = new TestEngine(store, _time, Settings);
        _second = new TestEngine(store, _time, Settings);
        _first.Callbacks.OnCompleted = static (_, _) => throw new InvalidOperationException("Injected failure.");
        _second.Callbacks.OnCompleted = static (_, _) => throw new InvalidOperationException("must not run");
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _release.TrySetResult();
        await _first.DisposeAsync();
        await _second.DisposeAsync();
    }

    [Fact]
    public async Task OnDeadLettered_is_not_called_by_two_processes_at_once()
    {
        int calls = 0;
        _second.Callbacks.OnDeadLettered = (_, _) => Task.FromResult(++calls);
        _first.Callbacks.OnDeadLettered = (_, _) => HoldAsync();
        Task<UploadResult> append = _first.AppendAsync(0, [1, 2], 2);
        await Eventually.WithinAsync(_entered.Task);
        await _second.VisitAsync();
        Assert.Equal(0, calls);
        _release.SetResult();
        await Eventually.WithinAsync(append);
        await _second.VisitAsync();
        Assert.Equal((0, true), (calls, (await _first.GetHandlerAsync())!.IsDeadLetterReported));
    }

    [Fact]
    public async Task Handler_that_runs_is_not_run_again_on_request_of_the_application()
    {
        _first.Callbacks.OnCompleted = async (_, _) =>
        {
            await HoldAsync();
            return new HandlerResult(HandlerResultKind.Final, null);
        };
        Task<UploadResult> append = _first.AppendAsync(0, [1, 2], 2);
        await Eventually.WithinAsync(_entered.Task);
        Assert.False(await _second.Engine.RetryHandlerAsync(TestEngine.Key, null, default));
        _release.SetResult();
        Assert.Equal(UploadResultKind.Completed, (await Eventually.WithinAsync(append)).Kind);
    }

    [Fact]
    public async Task Handler_that_is_run_again_on_request_knows_of_its_earlier_runs()
    {
        await _first.AppendAsync(0, [1, 2], 2);
        var runs = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        _second.Callbacks.OnCompleted = (record, _) =>
        {
            runs.SetResult(record.Handler!.TotalRuns);
            return Task.FromResult(new HandlerResult(HandlerResultKind.Final, null));
        };
        Assert.True(await _second.Engine.RetryHandlerAsync(TestEngine.Key, null, default));
        Assert.Equal(2, await Eventually.WithinAsync(runs.Task));
    }

    [Fact]
    public async Task Cancel_waits_for_the_handler_of_its_own_process()
    {
        _first.Callbacks.OnCompleted = async (_, _) =>
        {
            await HoldAsync();
            return new HandlerResult(HandlerResultKind.Final, null);
        };
        Task<UploadResult> append = _first.AppendAsync(0, [1, 2], 2);
        await Eventually.WithinAsync(_entered.Task);
        Task<UploadResult> cancel = _first.CancelAsync();
        _release.SetResult();
        Assert.Equal(UploadResultKind.Cancelled, (await Eventually.WithinAsync(cancel)).Kind);
        await Eventually.WithinAsync(append);
        Assert.Null(await _first.GetAsync());
    }

    private async Task HoldAsync()
    {
        _entered.TrySetResult();
        await _release.Task;
    }
}
