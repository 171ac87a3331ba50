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

    private sealed class TimedOutListStore(IUploadStore inner) : DelegatingUploadStore(inner)
    {
        public override async IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.FromException(new TaskCanceledException("A request timed out."));
            yield break;
        }
    }
}
