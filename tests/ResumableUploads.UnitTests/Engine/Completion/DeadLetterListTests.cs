using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.UnitTests.Engine.Completion;

public class DeadLetterListTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));

    [Fact]
    public async Task Unreadable_record_does_not_hide_other_dead_lettered_uploads()
    {
        var store = new MemoryUploadStore(timeProvider: _time);
        await using TestEngine engine = CreateEngine(store);
        engine.Callbacks.OnCompleted = static (_, _) => throw new InvalidOperationException("Injected failure.");
        await engine.AppendAsync(0, [1], 1);
        UploadInfo newer = (await store.CreateAsync(new UploadKey("another", "a"), new UploadRecord(), default)).Info!;
        await store.UpdateAsync(
            newer.Key, newer.Version, newer.Record with { State = UploadState.Received, Data = """{"format":2,"protocol":"x"}"""u8.ToArray() }, default);

        UploadInfo listed = Assert.Single(await ListAsync(engine));

        Assert.Equal(TestEngine.Key, listed.Key);
        Assert.True(engine.HasLogged(280));
    }

    [Fact]
    public async Task Upload_in_its_last_attempt_is_not_listed_as_dead_lettered()
    {
        await using TestEngine engine = CreateEngine(new MemoryUploadStore(timeProvider: _time));
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var end = new TaskCompletionSource<HandlerResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        engine.Callbacks.OnCompleted = (_, _) =>
        {
            started.TrySetResult();
            return end.Task;
        };
        Task<UploadResult> append = engine.AppendAsync(0, [1], 1);
        await started.Task.WaitAsync(TimeSpan.FromSeconds(30));

        Assert.Empty(await ListAsync(engine));

        end.SetException(new InvalidOperationException("Injected failure."));
        await append;
        Assert.Single(await ListAsync(engine));
    }

    private TestEngine CreateEngine(MemoryUploadStore store) => new(store, _time, TestSettings.Default with { MaxHandlerAttempts = 1 });

    private static async Task<List<UploadInfo>> ListAsync(TestEngine engine) => await engine.Engine.Inspector.ListAsync(new UploadQuery(), default)
        .Where(info => engine.Engine.Inspector.TryDescribe(info) is { IsDeadLettered: true })
        .ToListAsync();
}
