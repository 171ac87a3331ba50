using System.Buffers;
using System.IO.Pipelines;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Stores;
using ResumableUploads.UnitTests.Engine.Expiration;

namespace ResumableUploads.UnitTests.Engine.Completion;

/// <summary>Uploads that have all their bytes and are still receiving, because a crash followed the last byte, or a power loss reverted the claim of the handler.</summary>
public sealed class InterruptedCompletionTests : IAsyncDisposable
{
    private static readonly EngineSettings Settings = TestSettings.Default with { GetEngineNames = static () => ["this"] };
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly HookedStore _store;
    private readonly TestEngine _engine;
    private int _runs;

    public InterruptedCompletionTests()
    {
        _store = new HookedStore(new MemoryUploadStore(timeProvider: _time));
        _engine = CreateEngine(Settings);
    }

    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    [Fact]
    public async Task Sweep_runs_the_handler_once()
    {
        await InterruptAsync();
        _time.Advance(Settings.SweepInterval);
        await _engine.VisitAsync();
        await _engine.VisitAsync();
        Assert.Equal((1, UploadState.Completed), (_runs, (await _engine.GetAsync())!.State));

        UploadResult replayed = await _engine.AppendAsync(2, [], 2);
        Assert.Equal((UploadResultKind.Replayed, (byte)'1'), (replayed.Kind, replayed.Response!.Value.Span[0]));
    }

    [Fact]
    public async Task Sweep_completes_the_upload_of_an_engine_without_handler()
    {
        _engine.Callbacks.OnCompleted = null;
        await InterruptAsync();
        _time.Advance(Settings.SweepInterval);
        await _engine.VisitAsync();
        Assert.Equal(UploadState.Completed, (await _engine.GetAsync())!.State);
        Assert.True(EngineRecord.From((await _engine.GetAsync())!).IsContentStored);
    }

    [Fact]
    public async Task Handler_that_fails_is_retried_by_a_later_sweep()
    {
        await InterruptAsync();
        _time.Advance(Settings.SweepInterval);
        Func<EngineRecord, CancellationToken, Task<HandlerResult>>? succeeding = _engine.Callbacks.OnCompleted;
        _engine.Callbacks.OnCompleted = static (_, _) => throw new InvalidOperationException("Injected failure.");
        await _engine.VisitAsync();
        Assert.Equal((UploadState.Received, 1), ((await _engine.GetAsync())!.State, (await _engine.GetHandlerAsync())!.Attempts));

        _engine.Callbacks.OnCompleted = succeeding;
        _time.Advance(TimeSpan.FromHours(1));
        await _engine.VisitAsync();
        Assert.Equal((1, UploadState.Completed), (_runs, (await _engine.GetAsync())!.State));
    }

    [Fact]
    public async Task Upload_does_not_expire_before_its_handler_has_run()
    {
        await InterruptAsync();
        _time.Advance(Settings.Expiration + Settings.SweepInterval);
        await _engine.VisitAsync();
        Assert.Equal((1, UploadState.Completed), (_runs, (await _engine.GetAsync())!.State));
    }

    [Fact]
    public async Task Upload_with_a_damaged_record_expires()
    {
        await InterruptAsync();
        await _engine.ChangeAsync(static info => info.Record with { Data = "{"u8.ToArray() });
        _time.Advance(Settings.Expiration + TimeSpan.FromDays(1));
        _engine.EndSweep();
        await _engine.VisitAsync();
        Assert.Null(await _engine.GetAsync());
        Assert.Equal(0, _runs);
    }

    [Fact]
    public async Task Upload_that_has_just_changed_is_left_to_its_request()
    {
        await InterruptAsync();
        _time.Advance(Settings.SweepInterval - TimeSpan.FromTicks(1));
        await ShouldBeLeftAsync(_engine);
    }

    [Fact]
    public async Task Upload_that_seems_old_after_a_jump_of_the_clock_is_left_to_its_request()
    {
        var time = new JumpingTimeProvider();
        var store = new HookedStore(new MemoryUploadStore(timeProvider: time));
        await using var engine = new TestEngine(store, time, Settings);
        await InterruptAsync(engine, store);
        time.Error = TimeSpan.FromDays(1);
        await ShouldBeLeftAsync(engine);
        time.Advance(Settings.SweepInterval);
        await engine.VisitAsync();
        Assert.Equal(UploadState.Completed, (await engine.GetAsync())!.State);
    }

    [Fact]
    public async Task Upload_whose_client_declares_the_end_is_left_to_it()
    {
        await InterruptAsync();
        await _engine.ChangeAsync(static info => info.Record with { Data = (EngineRecord.From(info) with { CompletesAtLength = null }).ToBytes() });
        _time.Advance(Settings.SweepInterval);
        await ShouldBeLeftAsync(_engine);
    }

    [Fact]
    public async Task Upload_of_an_endpoint_is_left_to_a_request()
    {
        _engine.IsEndpoint = true;
        await InterruptAsync();
        _time.Advance(Settings.SweepInterval);
        await ShouldBeLeftAsync(_engine);
        await _engine.CompleteAsync();
        Assert.Equal(1, _runs);
    }

    [Fact]
    public async Task Upload_of_another_engine_is_left_to_it()
    {
        await InterruptAsync();
        _time.Advance(Settings.SweepInterval);
        await using TestEngine other = CreateEngine(Settings with { GetEngineNames = static () => ["other"] });
        await ShouldBeLeftAsync(other);
    }

    [Fact]
    public async Task Upload_with_missing_bytes_is_left_to_its_client()
    {
        await _engine.AppendAsync(0, [1, 2], 3);
        _time.Advance(Settings.SweepInterval);
        await ShouldBeLeftAsync(_engine);
    }

    [Fact]
    public async Task Received_part_of_a_concatenation_is_not_completed()
    {
        await _engine.AppendToPartAsync(TestEngine.Key.Id, 0, [1, 2], 2);
        _time.Advance(Settings.SweepInterval);
        await ShouldBeLeftAsync(_engine);
    }

    [Fact]
    public async Task Content_that_did_not_match_its_digest_is_not_completed()
    {
        var wrong = new Digest(DigestAlgorithm.All.First(static algorithm => algorithm.Name == "sha-256"), new byte[32]);
        UploadResult result = await _engine.Engine.AppendAsync(
            TestEngine.CreateCommand(0, [1, 2], 2) with { ReprDigest = wrong },
            _engine.Callbacks,
            default);
        Assert.Equal(UploadResultKind.ReprDigestMismatch, result.Kind);
        _time.Advance(Settings.SweepInterval);
        await ShouldBeLeftAsync(_engine);

        // The digest may have come with the last request, which the creation did not announce.
        await _engine.ChangeAsync(static info => info.Record with { Data = (EngineRecord.From(info) with { ReprDigest = null }).ToBytes() });
        _time.Advance(Settings.SweepInterval);
        await ShouldBeLeftAsync(_engine);

        // Neither does a request without a digest complete it, such as a HEAD of tus.
        Assert.Equal(UploadResultKind.ReprDigestMismatch, (await _engine.AppendAsync(2, [], 2)).Kind);
        await ShouldBeLeftAsync(_engine);
    }

    [Fact]
    public async Task Upload_that_a_request_has_locked_is_left_to_it()
    {
        var updating = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var resume = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.BeforeUpdate = _ =>
        {
            updating.TrySetResult();
            return resume.Task;
        };
        Task<UploadResult> append = _engine.AppendAsync(0, [1, 2], 2);
        await updating.Task;
        _time.Advance(Settings.SweepInterval);

        // Waits for the lock that the request holds if the sweep does not skip the upload.
        await ShouldBeLeftAsync(_engine);
        _store.BeforeUpdate = null;
        resume.SetResult();
        Assert.Equal((UploadResultKind.Completed, 1), ((await append).Kind, _runs));
    }

    private TestEngine CreateEngine(EngineSettings settings)
    {
        var engine = new TestEngine(_store, _time, settings);
        engine.Callbacks.OnCompleted = (_, _) => Task.FromResult(new HandlerResult(HandlerResultKind.Final, new[] { (byte)('0' + Interlocked.Increment(ref _runs)) }));
        return engine;
    }

    /// <summary>Sends all bytes. The update that follows the last one fails.</summary>
    private Task InterruptAsync() => InterruptAsync(_engine, _store);

    private static async Task InterruptAsync(TestEngine engine, HookedStore store)
    {
        store.BeforeUpdate = static _ => throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure.");
        Assert.Equal(UploadResultKind.StorageFailed, (await engine.AppendAsync(0, [1, 2], 2)).Kind);
        store.BeforeUpdate = null;
        UploadInfo info = (await engine.GetAsync())!;
        Assert.Equal((UploadState.Receiving, 2L, (long?)2), (info.State, info.Offset, info.Length));
    }

    private async Task ShouldBeLeftAsync(TestEngine engine)
    {
        UploadInfo before = (await engine.GetAsync())!;
        await engine.VisitAsync();
        Assert.Equal((0, before.Version), (_runs, (await engine.GetAsync())!.Version));
    }
}
