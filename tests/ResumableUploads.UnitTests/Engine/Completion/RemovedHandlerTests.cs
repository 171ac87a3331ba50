using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.UnitTests.Engine.Completion;

/// <summary>Uploads that were received when the application had a completion handler, which it has no longer.</summary>
public sealed class RemovedHandlerTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly MemoryUploadStore _store;
    private readonly TestEngine _old;
    private readonly TestEngine _engine;

    public RemovedHandlerTests()
    {
        _store = new MemoryUploadStore(timeProvider: _time);
        _old = new TestEngine(_store, _time, TestSettings.Default with { MaxHandlerAttempts = 2 });
        _old.Callbacks.OnCompleted = static (_, _) => throw new InvalidOperationException("Injected failure.");
        _engine = new TestEngine(_store, _time, TestSettings.Default with { MaxHandlerAttempts = 2 });
    }

    public async ValueTask InitializeAsync() => Assert.Equal(UploadResultKind.HandlerFailed, (await _old.AppendAsync(0, [1, 2], 2)).Kind);

    public async ValueTask DisposeAsync()
    {
        await _old.DisposeAsync();
        await _engine.DisposeAsync();
    }

    [Fact]
    public async Task Received_upload_is_completed_by_the_next_request()
    {
        Assert.Equal(UploadResultKind.Completed, (await _engine.AppendAsync(2, [], 2)).Kind);
        Assert.Equal(UploadResultKind.Replayed, (await _engine.AppendAsync(2, [], 2)).Kind);
        Assert.Equal(UploadState.Completed, (await _engine.GetAsync())!.State);
    }

    [Fact]
    public async Task Received_upload_is_completed_by_the_next_sweep()
    {
        await _engine.VisitAsync();
        Assert.Equal(UploadState.Completed, (await _engine.GetAsync())!.State);
        Assert.True(EngineRecord.From((await _engine.GetAsync())!).IsContentStored);
    }

    [Fact]
    public async Task Received_upload_of_an_endpoint_is_not_completed_by_a_sweep()
    {
        await _engine.ChangeAsync(static info => info.Record with
        {
            Data = (EngineRecord.From(info) with { Request = new StoredRequest { Method = "POST", Path = "/" } }).ToBytes(),
        });
        await _engine.VisitAsync();
        Assert.Equal(UploadState.Received, (await _engine.GetAsync())!.State);
    }

    [Fact]
    public async Task Received_upload_without_the_name_of_its_engine_is_not_completed_by_a_sweep()
    {
        await _engine.ChangeAsync(static info => info.Record with { Data = (EngineRecord.From(info) with { EngineName = null }).ToBytes() });
        await _engine.VisitAsync();
        Assert.Equal(UploadState.Received, (await _engine.GetAsync())!.State);
    }

    [Fact]
    public async Task Dead_lettered_upload_is_completed_only_after_a_retry_was_requested()
    {
        _time.Advance(TimeSpan.FromHours(1));
        await _old.VisitAsync();
        await _engine.VisitAsync();
        Assert.Equal(UploadResultKind.DeadLettered, (await _engine.AppendAsync(2, [], 2)).Kind);
        Assert.True(await _engine.Engine.RetryHandlerAsync(TestEngine.Key, null, default));
        await _engine.VisitAsync();
        Assert.Equal(UploadState.Completed, (await _engine.GetAsync())!.State);
    }
}
