using Azure.Storage.Blobs;
using ResumableUploads.Abstractions;
using ResumableUploads.AzureBlobs;
using ResumableUploads.FunctionalTests.Stores.AzureBlobs.Support;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.FunctionalTests.Stores.AzureBlobs;

/// <summary>Copies and URLs of finished content, and what else only this store has.</summary>
[Collection(nameof(AzuriteTests))]
public class AzureBlobContentTests(AzuriteServer server)
{
    private static readonly UploadKey Key = new("owner", "upload");
    private static readonly byte[] Content = [.. Enumerable.Range(0, 100_000).Select(static i => (byte)(i * 7))];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Probe_leaves_nothing_and_fails_without_the_container()
    {
        AzureBlobUploadStore store = await server.OpenStoreAsync();
        IStoreProbe probe = Assert.IsAssignableFrom<IStoreProbe>(store);
        await probe.ProbeAsync(Token);
        BlobContainerClient container = store.Context.Blobs.Container;
        Assert.Empty(await container.GetBlobsAsync(cancellationToken: Token).ToListAsync(Token));
        Assert.Null(await probe.GetFreeSpaceAsync(Token));
        await container.DeleteAsync(cancellationToken: Token);
        await Assert.ThrowsAsync<UploadStoreException>(async () => await probe.ProbeAsync(Token));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Copy_has_the_content_and_can_be_repeated(bool overwrite)
    {
        AzureBlobUploadStore store = await server.OpenStoreAsync();
        UploadInfo info = await CreateReceivedAsync(store);
        BlobContainerClient target = await server.CreateContainerAsync();
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(CopyStatus.Copied, await store.CopyContentAsync(Key, info.Version, target.Name, "a/b.bin", overwrite, Token));
        }

        Assert.Equal(Content, (await target.GetBlobClient("a/b.bin").DownloadContentAsync(Token)).Value.Content.ToArray());
        Assert.NotNull(await store.GetAsync(Key, Token));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Copy_to_an_existing_blob_replaces_it_only_if_requested(bool overwrite)
    {
        AzureBlobUploadStore store = await server.OpenStoreAsync();
        UploadInfo info = await CreateReceivedAsync(store);
        BlobContainerClient target = await server.CreateContainerAsync();
        await target.UploadBlobAsync("b", BinaryData.FromString("other"), Token);
        Assert.Equal(overwrite ? CopyStatus.Copied : CopyStatus.TargetExists, await store.CopyContentAsync(Key, info.Version, target.Name, "b", overwrite, Token));
        Assert.Equal(overwrite ? Content : "other"u8.ToArray(), (await target.GetBlobClient("b").DownloadContentAsync(Token)).Value.Content.ToArray());
    }

    [Fact]
    public async Task Copy_and_url_of_a_changed_receiving_or_missing_upload_are_refused()
    {
        AzureBlobUploadStore store = await server.OpenStoreAsync();
        BlobContainerClient target = await server.CreateContainerAsync();
        Assert.Equal(CopyStatus.NotFound, await CopyAsync("none"));
        Assert.Null(await store.CreateReadUrlAsync(Key, "none", TimeSpan.FromHours(1), Token));
        UploadInfo created = (await store.CreateAsync(Key, new UploadRecord(), Token)).Info!;
        Assert.Equal(CopyStatus.Busy, await CopyAsync(created.Version));
        Assert.Null(await store.CreateReadUrlAsync(Key, created.Version, TimeSpan.FromHours(1), Token));
        await store.UpdateAsync(Key, created.Version, new UploadRecord { State = UploadState.Received }, Token);
        Assert.Equal(CopyStatus.VersionMismatch, await CopyAsync(created.Version));
        Assert.Null(await store.CreateReadUrlAsync(Key, created.Version, TimeSpan.FromHours(1), Token));
        Assert.Empty(await target.GetBlobsAsync(cancellationToken: Token).ToListAsync(Token));

        async Task<CopyStatus> CopyAsync(string version) => await store.CopyContentAsync(Key, version, target.Name, "c", overwrite: true, Token);
    }

    [Fact]
    public async Task Url_returns_the_content_to_its_bearer_and_nothing_else()
    {
        AzureBlobUploadStore store = await server.OpenStoreAsync();
        UploadInfo info = await CreateReceivedAsync(store);
        Uri url = (await store.CreateReadUrlAsync(Key, info.Version, TimeSpan.FromMinutes(10), Token))!;
        using var client = new HttpClient();
        Assert.Equal(Content, await client.GetByteArrayAsync(url, Token));
        using HttpResponseMessage deletion = await client.DeleteAsync(url, Token);
        Assert.Equal(403, (int)deletion.StatusCode);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await store.CreateReadUrlAsync(Key, info.Version, TimeSpan.Zero, Token));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await store.CreateReadUrlAsync(Key, info.Version, TimeSpan.FromDays(8), Token));
    }

    [Fact]
    public async Task Checkpoint_of_the_sweep_is_kept_for_another_store()
    {
        AzureBlobUploadStore store = await server.OpenStoreAsync();
        AzureBlobUploadStore other = server.OpenSecondStore(store);
        Assert.Null(await store.GetSweepCheckpointAsync(Token));
        await store.PutSweepCheckpointAsync(Key, Token);
        Assert.Equal(Key, await other.GetSweepCheckpointAsync(Token));
        await store.PutSweepCheckpointAsync(null, Token);
        Assert.Null(await other.GetSweepCheckpointAsync(Token));
    }

    [Fact]
    public async Task Clock_is_that_of_the_changes()
    {
        AzureBlobUploadStore store = await server.OpenStoreAsync();
        DateTimeOffset before = await store.GetUtcNowAsync(Token);
        UploadInfo info = (await store.CreateAsync(Key, new UploadRecord(), Token)).Info!;
        DateTimeOffset after = await store.GetUtcNowAsync(Token);
        Assert.InRange(info.LastModified, before, after + TimeSpan.FromSeconds(3));
    }

    [Fact]
    public async Task Side_blobs_are_deleted_with_their_record()
    {
        AzureBlobUploadStore store = await server.OpenStoreAsync();
        UploadInfo created = (await store.CreateAsync(Key, new UploadRecord { Data = new byte[50_000] }, Token)).Info!;
        UpdateResult same = await store.UpdateAsync(Key, created.Version, created.Record with { Length = 5 }, Token);
        Assert.Single(await SideBlobsAsync(store));
        UpdateResult shorter = await store.CompleteAsync(Key, same.Info!.Version, new UploadRecord { State = UploadState.Completed }, new byte[50_000], Token);
        Assert.Single(await SideBlobsAsync(store));
        await store.DeleteAsync(Key, shorter.Info!.Version, Token);
        Assert.Empty(await SideBlobsAsync(store));
    }

    [Fact]
    public async Task Unreadable_upload_is_listed_on_request_and_can_be_deleted()
    {
        AzureBlobUploadStore store = await server.OpenStoreAsync();
        await store.CreateAsync(Key, new UploadRecord(), Token);
        await store.Context.Blobs.GetBlob(Key).SetMetadataAsync(new Dictionary<string, string> { ["resumableupload"] = "AQID" }, cancellationToken: Token);
        Assert.Empty(await store.ListAsync(new UploadQuery(), Token).ToListAsync(Token));
        Assert.True(Assert.Single(await store.ListAsync(new UploadQuery { IncludeUnreadable = true }, Token).ToListAsync(Token)).IsUnreadable);
        UploadStoreException exception = await Assert.ThrowsAsync<UploadStoreException>(async () => await store.GetAsync(Key, Token));
        Assert.Equal(StoreFailure.Corrupt, exception.Failure);
        Assert.Equal(ChangeStatus.Succeeded, (await store.DeleteAsync(Key, null, Token)).Status);
    }

    [Fact]
    public async Task Calls_without_a_container_fail_as_unavailable()
    {
        var store = new AzureBlobUploadStore(server.NewContainer());
        foreach (Func<Task> call in (Func<Task>[])[
            async () => await store.CreateAsync(Key, new UploadRecord(), Token),
            async () => await store.GetAsync(Key, Token),
            async () => await store.OpenReadAsync(Key, Token),
            async () => await store.DeleteAsync(Key, null, Token),
            async () => await store.ListAsync(new UploadQuery(), Token).ToListAsync(Token),
            async () => await store.PutSweepCheckpointAsync(Key, Token),
        ])
        {
            Assert.Equal(StoreFailure.Unavailable, (await Assert.ThrowsAsync<UploadStoreException>(call)).Failure);
        }
    }

    [Fact]
    public async Task Silent_append_makes_bytes_durable_after_the_sync_interval()
    {
        AzureBlobUploadStore store = await server.OpenStoreAsync(new AzureBlobUploadStoreOptions { SyncInterval = TimeSpan.FromMilliseconds(20) });
        await store.CreateAsync(Key, new UploadRecord(), Token);
        var durable = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        var content = new RecordingContent { OnDurableReported = offset => durable.TrySetResult(offset) };
        Task<AppendResult> append = store.AppendAsync(Key, 0, content, AppendMode.KeepPartial, Token).AsTask();
        content.Send([1, 2, 3]);
        Assert.Equal(3, await durable.Task.WaitAsync(Token));
        Assert.Equal(3, (await store.GetAsync(Key, Token))!.Offset);
        content.Complete();
        Assert.Equal(3, (await append).Offset);
    }

    private static async Task<UploadInfo> CreateReceivedAsync(AzureBlobUploadStore store)
    {
        await store.CreateAsync(Key, new UploadRecord(), Token);
        AppendResult result = await store.AppendAsync(
            Key, 0, RecordingContent.FromBytes(Content, _ => new FinalRecord(new UploadRecord { State = UploadState.Received }, false)), AppendMode.KeepPartial, Token);
        return result.Updated!;
    }

    private static async Task<List<string>> SideBlobsAsync(AzureBlobUploadStore store) =>
        await store.Context.Blobs.Container.GetBlobsAsync(new Azure.Storage.Blobs.Models.GetBlobsOptions { Prefix = store.Context.Blobs.Names.SidePrefix }, Token)
            .Select(static item => item.Name).ToListAsync(Token);
}
