using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Engine.Reliability;

/// <summary>An event uses the services of its request, so the request does not end before it, also if the store fails.</summary>
public class ProgressAfterFailureTests
{
    [Fact]
    public async Task Append_that_fails_ends_after_its_progress_event()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var store = new FailingStore(new MemoryUploadStore(), entered.Task);
        await using var engine = new TestEngine(store, TimeProvider.System);
        engine.Callbacks.OnProgress = (_, _) =>
        {
            entered.TrySetResult();
            return release.Task;
        };
        Task<UploadResult> append = engine.AppendAsync(0, [1, 2], 10);
        await Eventually.WithinAsync(store.Failing.Task);

        // A request that does not wait for its event ends during this time. On a machine that stalls, it may end later, but the test never fails for that reason.
        await Task.WhenAny(append, Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System));
        Assert.False(append.IsCompleted);
        release.SetResult();
        Assert.Equal(UploadResultKind.StorageFailed, (await Eventually.WithinAsync(append)).Kind);
    }

    /// <summary>Appends, waits for the progress event, and then fails.</summary>
    private sealed class FailingStore(IUploadStore inner, Task entered) : DelegatingUploadStore(inner)
    {
        public TaskCompletionSource Failing { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override async ValueTask<AppendResult> AppendAsync(
            UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
        {
            await base.AppendAsync(key, offset, content, mode, cancellationToken);
            await entered;
            Failing.SetResult();
            throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure.");
        }
    }
}
