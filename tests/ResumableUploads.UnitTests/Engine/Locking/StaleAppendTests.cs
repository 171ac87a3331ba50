using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.ProblemExpectations;

namespace ResumableUploads.UnitTests.Engine.Locking;

/// <summary>A request with a stale offset is rejected by the offset at which the running append has started, without a call of the store.</summary>
public class StaleAppendTests
{
    [Fact]
    public async Task Append_below_the_start_of_a_running_append_is_rejected_without_the_store()
    {
        var store = new CountingStore();
        await using TestApp app = await AppAsync(configure: options => options.Store = store);
        await app.Client.AppendAsync("f", 0, new byte[5], 10).ShouldHaveOffsetAsync(5);
        store.HoldsAppends = true;
        Task<HttpResponseMessage> running = app.Client.AppendAsync("f", 5, new byte[5], 10);
        await Eventually.WithinAsync(store.AppendStarted.Task);
        int gets = store.GetCount;
        await app.Client.AppendAsync("f", 0, new byte[5], 10).ShouldBeProblemAsync(409, OffsetMismatch, 5);
        Assert.Equal(gets, store.GetCount);
        store.Release.SetResult();
        await running.ShouldHaveOffsetAsync(10, complete: true);
    }

    private sealed class CountingStore() : DelegatingUploadStore(new MemoryUploadStore())
    {
        private int _gets;

        public bool HoldsAppends { get; set; }

        public int GetCount => Volatile.Read(ref _gets);

        public TaskCompletionSource AppendStarted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Release { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _gets);
            return base.GetAsync(key, cancellationToken);
        }

        public override async ValueTask<AppendResult> AppendAsync(
            UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
        {
            if (HoldsAppends)
            {
                AppendStarted.SetResult();
                await Release.Task;
            }

            return await base.AppendAsync(key, offset, content, mode, cancellationToken);
        }
    }
}
