using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Engine.Completion;

/// <summary>An upload that is replaced by a new one with the same key while a request waits for its handler, or while its handler runs.</summary>
public sealed class ReplacedUploadTests : IAsyncDisposable
{
    private static readonly TimeSpan Lease = TestSettings.Default.HandlerLeaseDuration;
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly MemoryUploadStore _store;
    private readonly HookedStore _firstStore;
    private readonly TestEngine _first;
    private readonly TestEngine _second;
    private readonly TaskCompletionSource<CancellationToken> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<HandlerResult> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ReplacedUploadTests()
    {
        _store = new MemoryUploadStore(timeProvider: _time);
        _firstStore = new HookedStore(_store);
        _first = new TestEngine(_firstStore, _time);
        _second = new TestEngine(_store, _time);
    }

    public async ValueTask DisposeAsync()
    {
        _end.TrySetResult(default);
        await _first.DisposeAsync();
        await _second.DisposeAsync();
    }

    [Theory]
    [InlineData(UploadState.Receiving)]
    [InlineData(UploadState.Received)]
    public async Task Request_for_a_replaced_upload_does_not_complete_the_new_one(UploadState state)
    {
        int firstRuns = 0;
        _second.Callbacks.OnCompleted = static (_, _) => throw new InvalidOperationException("fails");
        await _second.AppendAsync(0, [1, 2], 2);
        _first.Callbacks.OnCompleted = (_, _) => throw new InvalidOperationException($"run {++firstRuns}");
        _firstStore.BeforeUpdate = async _ =>
        {
            _firstStore.BeforeUpdate = null;
            await ReplaceAsync(state);
        };

        UploadResult result = await _first.AppendAsync(2, [], 2);

        UploadInfo current = (await _store.GetAsync(TestEngine.Key, default))!;
        Assert.Equal((UploadResultKind.NotFound, 0), (result.Kind, firstRuns));
        Assert.Equal((state, state == UploadState.Receiving ? 1 : 3, 3), (current.State, current.Offset, current.Length));
    }

    [Theory]
    [InlineData(UploadState.Receiving)]
    [InlineData(UploadState.Received)]
    [InlineData(UploadState.Completed)]
    public async Task Handler_of_a_replaced_upload_is_canceled_and_its_result_discarded(UploadState state)
    {
        Task<UploadResult> first = await StartFirstAsync();
        await ReplaceAsync(state);
        UploadInfo before = (await _store.GetAsync(TestEngine.Key, default))!;
        CancellationToken token = await _started.Task;
        await Eventually.TrueAsync(() => token.IsCancellationRequested, "the token of the handler is canceled", () => _time.Advance(Lease / 10));

        _end.SetResult(new HandlerResult(HandlerResultKind.Final, new byte[] { 1 }));

        Assert.Equal(UploadResultKind.NotFound, (await Eventually.WithinAsync(first)).Kind);
        Assert.Equal(before.Version, (await _store.GetAsync(TestEngine.Key, default))!.Version);
        Assert.True(_first.HasLogged(229));
    }

    [Fact]
    public async Task Handler_whose_token_has_a_callback_that_blocks_can_end()
    {
        Task<UploadResult> first = await StartFirstAsync();
        CancellationToken token = await _started.Task;
        using var release = new ManualResetEventSlim();
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        token.UnsafeRegister(
            _ =>
            {
                entered.SetResult();
                release.Wait(TestContext.Current.CancellationToken);
            },
            null);
        await ReplaceAsync(UploadState.Receiving);
        await Eventually.TrueAsync(() => entered.Task.IsCompleted, "the token of the handler is canceled", () => _time.Advance(Lease / 10));
        try
        {
            _end.SetResult(new HandlerResult(HandlerResultKind.Final, null));
            Assert.Equal(UploadResultKind.NotFound, (await Eventually.WithinAsync(first)).Kind);
        }
        finally
        {
            release.Set();
        }
    }

    [Fact]
    public async Task Handler_of_a_replaced_upload_does_not_complete_the_new_one_of_the_same_process()
    {
        Task<UploadResult> first = await StartFirstAsync();
        await _store.DeleteAsync(TestEngine.Key, null, default);
        _time.Advance(TimeSpan.FromSeconds(1));
        var secondStarted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var secondEnd = new TaskCompletionSource<HandlerResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        _first.Callbacks.OnCompleted = (_, _) =>
        {
            secondStarted.SetResult();
            return secondEnd.Task;
        };
        Task<UploadResult> second = _first.AppendAsync(0, [7, 8, 9], 3);
        await Eventually.WithinAsync(secondStarted.Task);
        _end.SetResult(new HandlerResult(HandlerResultKind.Final, new byte[] { 1 }));
        UploadResult firstResult = await Eventually.WithinAsync(first);
        UploadState state = (await _store.GetAsync(TestEngine.Key, default))!.State;
        secondEnd.SetResult(new HandlerResult(HandlerResultKind.Final, new byte[] { 2 }));
        UploadResult secondResult = await Eventually.WithinAsync(second);
        Assert.Equal((UploadResultKind.NotFound, UploadState.Received), (firstResult.Kind, state));
        Assert.Equal((UploadResultKind.Completed, 2), (secondResult.Kind, secondResult.Response!.Value.Span[0]));
    }

    [Fact]
    public async Task Handler_of_an_upload_that_another_process_completed_is_canceled()
    {
        Task<UploadResult> first = await StartFirstAsync();
        UploadInfo info = (await _store.GetAsync(TestEngine.Key, default))!;
        await _store.UpdateAsync(info.Key, info.Version, info.Record with { State = UploadState.Completed }, default);
        CancellationToken token = await _started.Task;
        await Eventually.TrueAsync(() => token.IsCancellationRequested, "the token of the handler is canceled", () => _time.Advance(Lease / 10));
        _end.SetException(new TaskCanceledException());
        Assert.Equal(UploadResultKind.Completed, (await Eventually.WithinAsync(first)).Kind);
    }

    [Fact]
    public async Task Result_of_a_handler_that_lost_its_lease_is_not_stored()
    {
        Task<UploadResult> first = await StartFirstAsync();
        var block = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        // The first process is suspended: its renewal does not get on.
        _firstStore.BeforeGet = _ => block.Task;
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
        _end.SetResult(new HandlerResult(HandlerResultKind.Final, new byte[] { 1 }));
        _firstStore.BeforeGet = null;
        block.SetResult();

        Assert.Equal(UploadResultKind.HandlerRunning, (await Eventually.WithinAsync(first)).Kind);
        Assert.Equal(UploadState.Received, (await _store.GetAsync(TestEngine.Key, default))!.State);
        Assert.Null(await _store.GetResponseAsync(TestEngine.Key, default));
        secondEnd.SetResult(new HandlerResult(HandlerResultKind.Final, new byte[] { 2 }));
        UploadResult result = await Eventually.WithinAsync(second);
        Assert.Equal((UploadResultKind.Completed, 2), (result.Kind, result.Response!.Value.Span[0]));
    }

    [Fact]
    public async Task Upload_leased_by_another_process_is_not_marked_as_completed()
    {
        _first.Callbacks.OnCompleted = static (_, _) => Task.FromResult(new HandlerResult(HandlerResultKind.Final, new byte[] { 1 }));
        _firstStore.BeforeComplete = async _ =>
        {
            UploadInfo info = (await _store.GetAsync(TestEngine.Key, default))!;
            EngineRecord record = EngineRecord.From(info);
            EngineRecord other = record with { Handler = record.Handler! with { LeasedBy = "other" } };
            await _store.UpdateAsync(info.Key, info.Version, info.Record with { Data = other.ToBytes() }, default);
        };
        UploadResult result = await _first.AppendAsync(0, [1, 2], 2);
        Assert.Equal(UploadResultKind.HandlerRunning, result.Kind);
        Assert.Equal(UploadState.Received, (await _store.GetAsync(TestEngine.Key, default))!.State);
    }

    /// <summary>Deletes the upload and creates another one with the same key and three bytes.</summary>
    private async Task ReplaceAsync(UploadState state)
    {
        await _store.DeleteAsync(TestEngine.Key, null, default);
        _time.Advance(TimeSpan.FromSeconds(1));
        _second.Callbacks.OnCompleted = (_, _) => state == UploadState.Completed
            ? Task.FromResult(new HandlerResult(HandlerResultKind.Final, new byte[] { 2 }))
            : throw new InvalidOperationException("fails");
        await _second.AppendAsync(0, state == UploadState.Receiving ? [7] : [7, 8, 9], 3);
    }

    private async Task<Task<UploadResult>> StartFirstAsync()
    {
        _first.Callbacks.OnCompleted = (_, cancellationToken) =>
        {
            _started.TrySetResult(cancellationToken);
            return _end.Task;
        };
        Task<UploadResult> first = _first.AppendAsync(0, [1, 2], 2);
        await Eventually.WithinAsync(_started.Task);
        return first;
    }
}
