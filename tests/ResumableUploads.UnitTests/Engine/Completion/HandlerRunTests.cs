using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.UnitTests.Engine.Completion;

/// <summary>Requests for the same content join one run of the handler. Other content under the same key has a run of its own.</summary>
public class HandlerRunTests
{
    private static readonly TimeSpan TestTimeout = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Upload_that_starts_over_while_a_run_ends_gets_its_own_response()
    {
        var store = new SlowCompletionStore(new MemoryUploadStore());
        await using var engine = new TestEngine(store, TimeProvider.System, TestSettings.Default with { StartOverAfterCompletion = true });
        int runs = 0;
        engine.Callbacks.OnCompleted = (_, _) => Task.FromResult(new HandlerResult(HandlerResultKind.Final, new[] { (byte)Interlocked.Increment(ref runs) }));
        Task<UploadResult> first = engine.AppendAsync(0, new byte[5], 5);
        await store.IsCompleted.Task.WaitAsync(TestTimeout);

        UploadResult second = await engine.AppendAsync(0, new byte[7], 7).WaitAsync(TestTimeout);
        store.Continue.SetResult();

        UploadResult old = await first.WaitAsync(TestTimeout);
        Assert.Equal((5L, (byte)1), (old.Offset!.Value, old.Response!.Value.Span[0]));
        Assert.Equal((7L, (byte)2), (second.Offset!.Value, second.Response!.Value.Span[0]));
        Assert.Equal((UploadState.Completed, 7), ((await engine.GetAsync())!.State, (await engine.GetAsync())!.Offset));
    }

    [Fact]
    public async Task Cancellation_does_not_wait_for_the_handler_of_another_upload()
    {
        await using var engine = new TestEngine(new MemoryUploadStore(), TimeProvider.System, TestSettings.Default with { CompletionTimeout = TimeSpan.FromMinutes(10) });
        var (started, end) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource<HandlerResult>());
        engine.Callbacks.OnCompleted = (_, _) =>
        {
            started.SetResult();
            return end.Task;
        };
        Task<UploadResult> running = engine.AppendAsync(0, [1], 1);
        await started.Task.WaitAsync(TestTimeout);
        await engine.AppendToPartAsync("other", 0, [1], 2);

        UploadResult canceled = await engine.Engine.CancelAsync(new UploadKey(TestEngine.Key.Owner, "other"), default, default).AsTask().WaitAsync(TestTimeout);
        Assert.Equal(UploadResultKind.Cancelled, canceled.Kind);
        Assert.False(running.IsCompleted);
        end.SetResult(new HandlerResult(HandlerResultKind.Final, null));
        Assert.Equal(UploadResultKind.Completed, (await running.WaitAsync(TestTimeout)).Kind);
    }

    /// <summary>A store in which the first upload is completed before the call of the engine returns.</summary>
    private sealed class SlowCompletionStore(IUploadStore inner) : DelegatingUploadStore(inner)
    {
        private int _completions;

        public TaskCompletionSource IsCompleted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Continue { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override async ValueTask<UpdateResult> CompleteAsync(
            UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte> response, CancellationToken cancellationToken)
        {
            UpdateResult result = await base.CompleteAsync(key, version, record, response, cancellationToken);
            if (Interlocked.Increment(ref _completions) == 1)
            {
                IsCompleted.SetResult();
                await Continue.Task;
            }

            return result;
        }
    }
}
