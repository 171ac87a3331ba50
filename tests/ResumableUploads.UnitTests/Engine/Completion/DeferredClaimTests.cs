using System.Buffers;
using System.IO.Pipelines;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Engine.Completion;

/// <summary>The claim of a handler, and the creation before one, become durable only with the result of the handler. Every response comes after that.</summary>
public sealed class DeferredClaimTests : IAsyncDisposable
{
    private static readonly EngineSettings Settings = TestSettings.Default with { MaxHandlerAttempts = 2 };
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly DeferringStore _store;
    private readonly TestEngine _engine;
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public DeferredClaimTests()
    {
        _store = new DeferringStore(_time);
        _engine = new TestEngine(_store, _time, Settings);
        _engine.Callbacks.OnCompleted = static (_, _) => Task.FromResult(Final);
    }

    /// <summary>Gets what a handler does, and the changes that follow the claim.</summary>
    public static TheoryData<string, string> Results => new()
    {
        { "final", "Complete" },
        { "final without response", "Update" },
        { "retry", "Update" },
        { "failure", "Update" },

        // The lease is kept until the application was notified.
        { "dead letter", "Update Update" },
    };

    private static HandlerResult Final { get; } = new(HandlerResultKind.Final, "{}"u8.ToArray());

    public async ValueTask DisposeAsync()
    {
        _release.TrySetResult();
        await _engine.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Results))]
    public async Task Response_after_the_last_of_several_appends_follows_a_durable_change(string result, string changes)
    {
        bool wasUnsynced = false;
        SetHandler(result, () => wasUnsynced = _store.IsUnsynced);
        await _engine.AppendAsync(0, [1], 2);
        Assert.Equal(["Create"], _store.Changes);
        await SendAsync(1, 2, result);
        Assert.Equal($"Create UpdateDeferred {changes}", string.Join(' ', _store.Changes));
        Assert.True(wasUnsynced);
    }

    [Theory]
    [MemberData(nameof(Results))]
    public async Task Response_to_a_single_request_follows_a_durable_change(string result, string changes)
    {
        bool wasUnsynced = false;
        SetHandler(result, () => wasUnsynced = _store.IsUnsynced);
        await SendAsync(0, 2, result);
        Assert.Equal($"CreateCompletedDeferred {changes}", string.Join(' ', _store.Changes));
        Assert.True(wasUnsynced);
    }

    [Fact]
    public async Task Creation_that_is_announced_to_the_client_is_not_deferred()
    {
        var observer = new AnnouncingObserver(_store);
        UploadResult result = await _engine.Engine.AppendAsync(
            TestEngine.CreateCommand(0, [1, 2], 2) with { Observer = observer },
            _engine.Callbacks,
            default);
        Assert.Equal(UploadResultKind.Completed, result.Kind);
        Assert.Equal([("created", false), ("durable", false)], observer.Calls);
        Assert.Equal(["CreateCompleted", "Complete"], _store.Changes);
    }

    [Fact]
    public async Task Upload_without_handler_has_no_deferred_change()
    {
        _engine.Callbacks.OnCompleted = null;
        await _engine.AppendAsync(0, [1], 2);
        await _engine.AppendAsync(1, [2], 2);
        Assert.Equal(["Create", "Update"], _store.Changes);
    }

    [Fact]
    public async Task Single_request_without_handler_has_no_deferred_change()
    {
        _engine.Callbacks.OnCompleted = null;
        await _engine.AppendAsync(0, [1, 2], 2);
        Assert.Equal(["CreateCompleted"], _store.Changes);
    }

    [Fact]
    public async Task Later_attempts_have_a_durable_claim()
    {
        SetHandler("failure", static () => { });
        await SendAsync(0, 2, "failure");
        SetHandler("final", static () => { });
        Assert.Equal(UploadResultKind.Completed, (await _engine.AppendAsync(2, [], 2)).Kind);
        Assert.Equal(["CreateCompletedDeferred", "Update", "Update", "Complete"], _store.Changes);
        Assert.False(_store.IsUnsynced);
    }

    [Fact]
    public async Task Status_during_a_handler_makes_the_claim_durable()
    {
        Task<UploadResult> append = await StartAsync(_ => _release.Task);
        Assert.True(_store.IsUnsynced);
        Assert.Equal(2, (await _engine.Engine.GetStatusAsync(TestEngine.Key, isClientGeneratedKey: true, null, default))!.Offset);
        Assert.False(_store.IsUnsynced);
        _release.SetResult();
        Assert.Equal(UploadResultKind.Completed, (await Eventually.WithinAsync(append)).Kind);
    }

    [Theory]
    [InlineData(UploadState.Received, nameof(UploadResultKind.HandlerRunning))]
    [InlineData(UploadState.Completed, nameof(UploadResultKind.Completed))]
    [InlineData(null, nameof(UploadResultKind.NotFound))]
    public async Task Response_of_a_handler_that_lost_its_lease_follows_a_read(UploadState? state, string expected)
    {
        Task<UploadResult> append = await StartAsync(static token => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token));
        await TakeOverAsync(state);
        await Eventually.TrueAsync(() => append.IsCompleted, "the handler is canceled", () => _time.Advance(Settings.HandlerLeaseDuration / 10));
        Assert.Equal(expected, (await append).Kind.ToString());
        Assert.False(_store.IsUnsynced);
        Assert.Equal(["CreateCompletedDeferred"], _store.Changes);
    }

    [Theory]
    [InlineData(UploadState.Received, nameof(UploadResultKind.HandlerRunning))]
    [InlineData(UploadState.Completed, nameof(UploadResultKind.Completed))]
    [InlineData(null, nameof(UploadResultKind.NotFound))]
    public async Task Result_is_discarded_if_the_upload_has_changed_during_the_handler(UploadState? state, string expected)
    {
        Task<UploadResult> append = await StartAsync(_ => _release.Task);
        await TakeOverAsync(state);
        _release.SetResult();
        UploadResult result = await Eventually.WithinAsync(append);
        Assert.Equal((expected, null), (result.Kind.ToString(), result.Response));
        Assert.Equal(["CreateCompletedDeferred"], _store.Changes);
        Assert.Equal(state, (await _store.Other.GetAsync(TestEngine.Key, default))?.State);
    }

    [Fact]
    public async Task Response_of_a_handler_that_a_stop_of_the_server_ends_follows_a_durable_change()
    {
        Task<UploadResult> append = await StartAsync(static token => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token));
        _engine.Engine.Stop();
        Assert.Equal(UploadResultKind.HandlerFailed, (await Eventually.WithinAsync(append)).Kind);
        Assert.False(_store.IsUnsynced);
        Assert.Equal(["CreateCompletedDeferred", "Update"], _store.Changes);
        Assert.Equal((0, null), ((await _engine.GetHandlerAsync())!.Attempts, (await _engine.GetHandlerAsync())!.LeasedBy));
    }

    [Fact]
    public async Task Response_that_cannot_be_stored_is_not_sent_and_the_lease_is_released()
    {
        _store.FailsToComplete = true;
        UploadResult result = await _engine.AppendAsync(0, [1, 2], 2);
        Assert.Equal((UploadResultKind.StorageFailed, null), (result.Kind, result.Response));
        Assert.False(_store.IsUnsynced);
        Assert.Equal(["CreateCompletedDeferred", "Update"], _store.Changes);
        Assert.Null((await _engine.GetHandlerAsync())!.LeasedBy);
    }

    [Fact]
    public async Task Store_without_the_capability_stores_response_and_record_together()
    {
        List<string> changes = [];
        var store = new HookedStore(new MemoryUploadStore(timeProvider: _time))
        {
            BeforeUpdate = _ => AddAsync("Update"),
            BeforeComplete = _ => AddAsync("Complete"),
        };
        await using var engine = new TestEngine(store, _time, Settings);
        engine.Callbacks.OnCompleted = static (_, _) => Task.FromResult(Final);
        Assert.Equal(UploadResultKind.Completed, (await engine.AppendAsync(0, [1, 2], 2)).Kind);
        Assert.Equal(["Update", "Complete"], changes);
        Assert.Equal(UploadResultKind.Replayed, (await engine.AppendAsync(2, [], 2)).Kind);

        Task AddAsync(string change)
        {
            changes.Add(change);
            return Task.CompletedTask;
        }
    }

    private void SetHandler(string result, Action run) => _engine.Callbacks.OnCompleted = (_, _) =>
    {
        run();
        return result switch
        {
            "final" => Task.FromResult(Final),
            "final without response" => Task.FromResult(new HandlerResult(HandlerResultKind.Final, null)),
            "retry" => Task.FromResult(new HandlerResult(HandlerResultKind.Retry, "{}"u8.ToArray())),
            "dead letter" => Task.FromResult(new HandlerResult(HandlerResultKind.DeadLetter, "{}"u8.ToArray())),
            _ => throw new InvalidOperationException("Injected failure."),
        };
    };

    private async Task SendAsync(long offset, long length, string result)
    {
        UploadResult sent = await _engine.AppendAsync(offset, new byte[length - offset], length);
        Assert.False(_store.IsUnsynced);
        Assert.Equal(result.StartsWith("final", StringComparison.Ordinal) ? UploadResultKind.Completed : UploadResultKind.HandlerFailed, sent.Kind);
    }

    /// <summary>Starts the handler of an upload. It ends with a final response after the delay.</summary>
    private async Task<Task<UploadResult>> StartAsync(Func<CancellationToken, Task> delay)
    {
        _engine.Callbacks.OnCompleted = async (_, token) =>
        {
            _started.SetResult();
            await delay(token);
            return Final;
        };
        Task<UploadResult> append = _engine.AppendAsync(0, [1, 2], 2);
        await Eventually.WithinAsync(_started.Task);
        return append;
    }

    /// <summary>Changes the upload like another process: leases it, completes it without a response, or deletes it.</summary>
    private async Task TakeOverAsync(UploadState? state)
    {
        UploadInfo info = (await _store.Other.GetAsync(TestEngine.Key, default))!;
        if (state is null)
        {
            await _store.Other.DeleteAsync(TestEngine.Key, null, default);
            return;
        }

        EngineRecord record = EngineRecord.From(info);
        record.Handler = record.Handler! with { LeasedBy = state == UploadState.Received ? "other" : null };
        UploadRecord changed = info.Record with { State = state.Value, Data = record.ToBytes() };
        Assert.Equal(ChangeStatus.Succeeded, (await _store.Other.UpdateAsync(TestEngine.Key, info.Version, changed, default)).Status);
    }

    private sealed class AnnouncingObserver(DeferringStore store) : IAppendObserver
    {
        public List<(string Call, bool IsUnsynced)> Calls { get; } = [];

        public ValueTask OnCreatedAsync(UploadInfo info)
        {
            Calls.Add(("created", store.IsUnsynced));
            return ValueTask.CompletedTask;
        }

        public void OnDurable(long durableOffset) => Calls.Add(("durable", store.IsUnsynced));

        public ValueTask FlushAsync() => ValueTask.CompletedTask;
    }
}
