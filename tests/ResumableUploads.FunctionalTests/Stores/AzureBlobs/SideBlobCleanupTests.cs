using Azure.Storage.Blobs.Models;
using ResumableUploads.Abstractions;
using ResumableUploads.AzureBlobs;
using ResumableUploads.FunctionalTests.Stores.AzureBlobs.Support;

namespace ResumableUploads.FunctionalTests.Stores.AzureBlobs;

/// <summary>A server dies between the request that writes a side blob and the one that writes its record. The clean-up removes the side blob, and no other one.</summary>
[Collection(nameof(AzuriteTests))]
public class SideBlobCleanupTests(AzuriteServer server)
{
    private const int LongLength = 50_000;
    private static readonly UploadKey Key = new("owner", "upload");
    private static readonly UploadRecord LongRecord = new() { Data = new byte[LongLength] };
    private readonly LossPolicy _network = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("create")]
    [InlineData("update")]
    [InlineData("complete")]
    public async Task Side_blob_without_a_record_is_removed_when_it_is_old(string operation)
    {
        AzureBlobUploadStore store = await server.OpenStoreAsync(options: null, _network);
        await LeaveSideBlobAsync(store, operation);
        string left = Assert.Single(await SideBlobsAsync(store));

        await OpenLater(store, TimeSpan.FromDays(7) - TimeSpan.FromMinutes(1)).CleanUpAsync(Token);
        Assert.Equal([left], await SideBlobsAsync(store));
        await OpenLater(store, TimeSpan.FromDays(7) + TimeSpan.FromMinutes(1)).CleanUpAsync(Token);
        Assert.Empty(await SideBlobsAsync(store));
    }

    [Fact]
    public async Task Side_blobs_of_records_are_kept_however_old_they_are()
    {
        AzureBlobUploadStore store = await server.OpenStoreAsync();
        UploadInfo created = (await store.CreateAsync(Key, LongRecord, Token)).Info!;
        await store.CompleteAsync(Key, created.Version, LongRecord with { State = UploadState.Completed }, new byte[LongLength], Token);
        Assert.Equal(2, (await SideBlobsAsync(store)).Count);

        AzureBlobUploadStore later = OpenLater(store, TimeSpan.FromDays(100));
        await later.CleanUpAsync(Token);
        Assert.Equal(LongLength, (await later.GetAsync(Key, Token))!.Record.Data.Length);
        Assert.Equal(LongLength, (await later.GetResponseAsync(Key, Token))!.Value.Length);
    }

    [Fact]
    public async Task Side_blobs_of_an_unreadable_upload_are_kept()
    {
        AzureBlobUploadStore store = await server.OpenStoreAsync();
        await store.CreateAsync(Key, LongRecord, Token);
        await store.Context.Blobs.GetBlob(Key).SetMetadataAsync(new Dictionary<string, string> { ["resumableupload"] = "AQID" }, cancellationToken: Token);
        await OpenLater(store, TimeSpan.FromDays(100)).CleanUpAsync(Token);
        Assert.Single(await SideBlobsAsync(store));
    }

    /// <summary>Loses every request after the one that writes the side blob.</summary>
    private async Task LeaveSideBlobAsync(AzureBlobUploadStore store, string operation)
    {
        if (operation == "create")
        {
            _network.Lose("PUT", isCarriedOut: false, int.MaxValue, after: 1);
            await Assert.ThrowsAsync<UploadStoreException>(async () => await store.CreateAsync(Key, LongRecord, Token));
            return;
        }

        UploadInfo created = (await store.CreateAsync(Key, new UploadRecord(), Token)).Info!;
        _network.Lose("PUT metadata", isCarriedOut: false, int.MaxValue);
        await Assert.ThrowsAsync<UploadStoreException>(async () => await (operation == "update"
            ? store.UpdateAsync(Key, created.Version, LongRecord, Token)
            : store.CompleteAsync(Key, created.Version, new UploadRecord { State = UploadState.Completed }, new byte[LongLength], Token)));
    }

    /// <summary>Opens another store whose service has a later time.</summary>
    private AzureBlobUploadStore OpenLater(AzureBlobUploadStore store, TimeSpan time) => server.OpenSecondStore(store, new LaterListingPolicy(time));

    private static async Task<List<string>> SideBlobsAsync(AzureBlobUploadStore store) =>
        await store.Context.Blobs.Container.GetBlobsAsync(new GetBlobsOptions { Prefix = store.Context.Blobs.Names.SidePrefix }, Token)
            .Select(static item => item.Name).ToListAsync(Token);
}
