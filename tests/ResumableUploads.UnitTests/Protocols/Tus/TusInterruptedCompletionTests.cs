using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Protocols.Tus;

/// <summary>Uploads whose last byte is stored, but not their state: the server stopped in between.</summary>
public class TusInterruptedCompletionTests
{
    public static TheoryData<string> Places => TusApp.Places;

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Head_completes_upload_that_has_all_bytes(string place)
    {
        var store = new UnfinishedStore { Fails = true };
        await using TusApp app = await TusApp.StartAsync(place, options => options.Store = store);
        string url = await app.Client.CreateAsync(TusApp.Url, 5);
        Assert.Equal(503, await app.Client.AppendChunkAsync(url, 0, [1, 2, 3, 4, 5]).StatusOfAsync());
        Assert.Empty(app.Seen);
        store.Fails = false;
        Assert.Equal(5, await app.Client.OffsetAsync(url));
        Assert.Equal([1, 2, 3, 4, 5], Assert.Single(app.Seen).Content);
        Assert.Equal(5, await app.Client.OffsetAsync(url));
        Assert.Single(app.Seen);
    }

    /// <summary>Fails to store that an upload has all its bytes.</summary>
    private sealed class UnfinishedStore() : DelegatingUploadStore(new MemoryUploadStore())
    {
        public bool Fails { get; set; }

        public override ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) =>
            Fails ? throw new UploadStoreException(StoreFailure.Unavailable, "The store is unavailable.") : base.UpdateAsync(key, version, record, cancellationToken);
    }
}
