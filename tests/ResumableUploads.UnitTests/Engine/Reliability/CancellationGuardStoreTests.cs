using System.Runtime.CompilerServices;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Reliability;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.UnitTests.Engine.Reliability;

public class CancellationGuardStoreTests
{
    [Fact]
    public async Task Listing_that_the_store_cancels_by_itself_is_a_failure()
    {
        IUploadStore store = CancellationGuardStore.Wrap(new TimedOutListStore(new MemoryUploadStore()));
        UploadStoreException e = await Assert.ThrowsAsync<UploadStoreException>(async () => await store.ListAsync(new UploadQuery(), default).ToListAsync());
        Assert.Equal(StoreFailure.Unavailable, e.Failure);
    }

    [Fact]
    public async Task Read_of_content_that_the_caller_cancels_is_not_a_failure()
    {
        await using Stream? content = await CancellationGuardStore.Wrap(new HangingContentStore()).OpenReadAsync(TestEngine.Key, default);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await content!.CopyToAsync(Stream.Null, new CancellationToken(canceled: true)));
    }

    private sealed class HangingContentStore() : DelegatingUploadStore(new MemoryUploadStore())
    {
        public override ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken) => new(new HangingStream());
    }

    private sealed class HangingStream : MemoryStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await new TaskCompletionSource().Task.WaitAsync(cancellationToken);
            return 0;
        }
    }

    private sealed class TimedOutListStore(IUploadStore inner) : DelegatingUploadStore(inner)
    {
        public override async IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.FromException(new TaskCanceledException("A request timed out."));
            yield break;
        }
    }
}
