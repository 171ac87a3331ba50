using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Engine.Concatenation;

/// <summary>Concatenations while a sweep or another process works on the same uploads. Two engines on one store are two processes.</summary>
public sealed class ConcatenationRaceTests : IAsyncLifetime
{
    private const string PartId = "part";
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly MemoryUploadStore _store;
    private readonly HookedStore _hookedStore;
    private readonly TestEngine _engine;
    private readonly TestEngine _other;
    private int _handled;

    public ConcatenationRaceTests()
    {
        _store = new MemoryUploadStore(timeProvider: _time);
        _hookedStore = new HookedStore(_store);
        _engine = new TestEngine(_hookedStore, _time);
        _other = new TestEngine(_store, _time);
        _engine.Callbacks.OnCompleted = _other.Callbacks.OnCompleted = (_, _) =>
        {
            _handled++;
            return Task.FromResult(new HandlerResult(HandlerResultKind.Final, null));
        };
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Sweep_during_the_creation_of_a_concatenation_loses_nothing(bool inOtherProcess)
    {
        await _engine.AppendToPartAsync(PartId, 0, new byte[5], 5);
        _hookedStore.AfterCreate = _ => (inOtherProcess ? _other : _engine).VisitAsync();
        UploadResult result = await _engine.ConcatenateAsync(PartId);
        Assert.Equal((inOtherProcess ? UploadResultKind.Appended : UploadResultKind.Completed, true), (result.Kind, result.IsCreated));
        await ShouldBeCompletedAsync(5);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Concatenation_that_another_process_has_completed_is_kept(bool isPartFound)
    {
        await _other.AppendToPartAsync(PartId, 0, new byte[3], 5);
        await _other.ConcatenateAsync(PartId);

        // This process does not know the concatenation, so it does not complete it.
        await using var third = new TestEngine(_store, _time);
        await third.AppendToPartAsync(PartId, 3, new byte[2], 5);
        bool isCompleted = false;
        Func<UploadKey, Task> completeInOther = async key =>
        {
            if (key.Id == PartId && !isCompleted)
            {
                isCompleted = true;
                await _other.CompleteAsync();
            }
        };
        (_hookedStore.BeforeOpenRead, _hookedStore.BeforeGet) = isPartFound ? (completeInOther, null) : ((Func<UploadKey, Task>?)null, completeInOther);
        await _engine.CompleteAsync();
        await ShouldBeCompletedAsync(5);
    }

    [Fact]
    public async Task Lengths_of_parts_are_not_recorded_in_a_new_concatenation_with_the_same_key()
    {
        const string OpenId = "open";
        await _engine.AppendToPartAsync(PartId, 0, new byte[5], 5);
        await _engine.AppendToPartAsync(OpenId, 0, new byte[1], 2);
        _hookedStore.BeforeUpdate = async key =>
        {
            if (key == TestEngine.Key)
            {
                _hookedStore.BeforeUpdate = null;
                await _store.DeleteAsync(key, null, default);
                _time.Advance(TimeSpan.FromSeconds(1));
                await _other.ConcatenateAsync(PartId, OpenId);
            }
        };
        await _engine.ConcatenateAsync(PartId);
        UploadInfo info = (await _store.GetAsync(TestEngine.Key, default))!;
        Assert.Equal((UploadState.Receiving, 0), (info.State, info.Offset));
        Assert.Null(EngineRecord.From(info).Concatenation!.PartLengths);
        await _other.AppendToPartAsync(OpenId, 1, new byte[1], 2);
        await ShouldBeCompletedAsync(7);
    }

    [Fact]
    public async Task Sweep_does_not_wait_for_the_handler_of_a_concatenation()
    {
        var end = new TaskCompletionSource<HandlerResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _other.AppendToPartAsync(PartId, 0, new byte[3], 5);
        await _other.ConcatenateAsync(PartId);
        await _engine.AppendToPartAsync(PartId, 3, new byte[2], 5);
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _engine.Callbacks.OnCompleted = (_, _) =>
        {
            started.SetResult();
            return end.Task;
        };
        Task visit = _engine.VisitAsync();
        await Eventually.WithinAsync(started.Task);
        await Eventually.TrueAsync(() => visit.IsCompleted, "the sweep continues", () => _time.Advance(TestSettings.Default.CompletionTimeout));
        Assert.Equal(UploadState.Received, (await _store.GetAsync(TestEngine.Key, default))!.State);
        end.SetResult(new HandlerResult(HandlerResultKind.Final, null));
        await Eventually.TrueAsync(async () => (await _store.GetAsync(TestEngine.Key, default))!.State == UploadState.Completed, "the handler ends");
    }

    [Fact]
    public async Task Handler_starts_before_the_parts_are_removed()
    {
        var handledBefore = new List<int>();
        await _engine.AppendToPartAsync(PartId, 0, new byte[5], 5);
        _hookedStore.BeforeDelete = _ =>
        {
            handledBefore.Add(_handled);
            return Task.CompletedTask;
        };
        await _engine.ConcatenateAsync(PartId);
        Assert.Equal([1], handledBefore);
        await ShouldBeCompletedAsync(5);
    }

    [Fact]
    public async Task Progress_of_a_concatenation_that_a_status_request_completes_is_bounded()
    {
        await _other.AppendToPartAsync(PartId, 0, new byte[3], 5);
        await _other.ConcatenateAsync(PartId);

        // Another process receives the last byte and does not know the concatenation.
        await using var third = new TestEngine(_store, _time);
        await third.AppendToPartAsync(PartId, 3, new byte[2], 5);
        var never = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _engine.Callbacks.OnProgress = (_, _) => never.Task;
        Task status = _engine.CompleteAsync();
        await Eventually.TrueAsync(() => status.IsCompleted, "the status request returns", () => _time.Advance(TestSettings.Default.EventTimeout));
        never.SetResult();
        Assert.True(_engine.HasLogged(226));
        await ShouldBeCompletedAsync(5);
    }

    private async Task ShouldBeCompletedAsync(long length)
    {
        UploadInfo info = Assert.Single(await _store.ListAsync(new UploadQuery(), default).ToListAsync());
        Assert.Equal((TestEngine.Key, UploadState.Completed, length), (info.Key, info.State, info.Offset));
        Assert.Equal(1, _handled);
    }
}
