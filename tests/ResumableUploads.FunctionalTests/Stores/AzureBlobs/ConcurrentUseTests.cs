using Azure.Storage.Blobs;
using ResumableUploads.Abstractions;
using ResumableUploads.AzureBlobs;
using ResumableUploads.FunctionalTests.Stores.AzureBlobs.Support;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.FunctionalTests.Stores.AzureBlobs;

/// <summary>Copies and URLs of content while another server copies to the same target, changes the record, or replaces the upload.</summary>
[Collection(nameof(AzuriteTests))]
public class ConcurrentUseTests(AzuriteServer server)
{
    private static readonly UploadKey Key = new("owner", "upload");
    private static readonly UploadKey Other = new("other", "upload");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Two_copies_to_one_target_do_not_mix(bool overwrite)
    {
        var pause = new PausePolicy("PUT blocklist");
        AzureBlobUploadStore first = await server.OpenStoreAsync(null, pause);
        AzureBlobUploadStore second = server.OpenSecondStore(first);
        UploadInfo info = await CreateReceivedAsync(second, Key, 1);
        UploadInfo other = await CreateReceivedAsync(second, Other, 2);
        BlobContainerClient target = await server.CreateContainerAsync();
        Task<CopyStatus> copy = first.CopyContentAsync(Key, info.Version, target.Name, "name", overwrite, Token).AsTask();
        await pause.Reached.WaitAsync(Token);
        Assert.Equal(CopyStatus.Copied, await second.CopyContentAsync(Other, other.Version, target.Name, "name", overwrite, Token));
        pause.Continue();
        Assert.Equal(overwrite ? CopyStatus.Copied : CopyStatus.TargetExists, await copy);
        Assert.Equal(GetContent(overwrite ? 1 : 2), (await target.GetBlobClient("name").DownloadContentAsync(Token)).Value.Content.ToArray());
    }

    /// <summary>The lease of a handler is renewed while the handler copies the content.</summary>
    [Fact]
    public async Task Change_of_the_record_does_not_begin_the_copy_again()
    {
        var pause = new PausePolicy("PUT block");
        var requests = new CountingPolicy();
        AzureBlobUploadStore first = await server.OpenStoreAsync(null, pause, requests);
        AzureBlobUploadStore second = server.OpenSecondStore(first);
        UploadInfo info = await CreateReceivedAsync(second, Key, 1);
        BlobContainerClient target = await server.CreateContainerAsync();
        Task<CopyStatus> copy = first.CopyContentAsync(Key, info.Version, target.Name, "name", overwrite: false, Token).AsTask();
        await pause.Reached.WaitAsync(Token);
        Assert.Equal(ChangeStatus.Succeeded, (await second.UpdateAsync(Key, info.Version, info.Record with { Data = new byte[] { 1 } }, Token)).Status);
        pause.Continue();
        Assert.Equal(CopyStatus.Copied, await copy);
        Assert.Equal(1, requests.Take().Count(static request => request == "PUT block"));
    }

    [Fact]
    public async Task Copy_of_an_upload_that_is_created_again_meanwhile_is_refused()
    {
        var pause = new PausePolicy("PUT block");
        AzureBlobUploadStore first = await server.OpenStoreAsync(null, pause);
        AzureBlobUploadStore second = server.OpenSecondStore(first);
        UploadInfo info = await CreateReceivedAsync(second, Key, 1);
        BlobContainerClient target = await server.CreateContainerAsync();
        Task<CopyStatus> copy = first.CopyContentAsync(Key, info.Version, target.Name, "name", overwrite: true, Token).AsTask();
        await pause.Reached.WaitAsync(Token);
        await second.DeleteAsync(Key, null, Token);
        await CreateReceivedAsync(second, Key, 2);
        pause.Continue();
        Assert.Equal(CopyStatus.VersionMismatch, await copy);
        Assert.False(await target.GetBlobClient("name").ExistsAsync(Token));
    }

    [Fact]
    public async Task Url_shows_the_content_of_its_upload_only_and_not_the_record()
    {
        AzureBlobUploadStore store = await server.OpenStoreAsync();
        UploadInfo info = await CreateReceivedAsync(store, Key, 1);
        Uri url = (await store.CreateReadUrlAsync(Key, info.Version, TimeSpan.FromMinutes(10), Token))!;
        Assert.Equal(info.Version, (await store.GetAsync(Key, Token))!.Version);
        using var client = new HttpClient();
        using (HttpResponseMessage response = await client.GetAsync(url, Token))
        {
            Assert.Equal(GetContent(1), await response.Content.ReadAsByteArrayAsync(Token));
            Assert.DoesNotContain(response.Headers, static header => header.Key.Equals("x-ms-meta-resumableupload", StringComparison.OrdinalIgnoreCase));
        }

        Assert.Equal(ChangeStatus.Succeeded, (await store.DeleteAsync(Key, info.Version, Token)).Status);
        await CreateReceivedAsync(store, Key, 2);
        using HttpResponseMessage later = await client.GetAsync(url, Token);
        Assert.Equal(404, (int)later.StatusCode);
    }

    /// <summary>A server has died during an append: its lease stays in the state "broken" after the first takeover.</summary>
    [Fact]
    public async Task Second_takeover_of_an_append_finds_none()
    {
        AzureBlobUploadStore first = await server.OpenStoreAsync();
        AzureBlobUploadStore second = server.OpenSecondStore(first);
        await first.CreateAsync(Key, new UploadRecord(), Token);
        var content = new RecordingContent();
        Task<AppendResult> append = first.AppendAsync(Key, 0, content, AppendMode.KeepPartial, Token).AsTask();
        await content.FirstReadTask.WaitAsync(Token);
        Assert.Equal(TakeoverStatus.Released, await second.TakeOverAsync(Key, TimeSpan.FromSeconds(5), Token));
        Assert.Equal(TakeoverStatus.NotAppending, await second.TakeOverAsync(Key, TimeSpan.FromSeconds(5), Token));
        content.Send([1]);
        content.Complete();
        Assert.Equal(AppendStatus.TakenOver, (await append).Status);
    }

    private static byte[] GetContent(int seed)
    {
        byte[] content = new byte[100_000];
        new Random(seed).NextBytes(content);
        return content;
    }

    private static async Task<UploadInfo> CreateReceivedAsync(AzureBlobUploadStore store, UploadKey key, int seed)
    {
        UploadInfo created = (await store.CreateAsync(key, new UploadRecord(), Token)).Info!;
        AppendResult result = await store.AppendAsync(key, 0, RecordingContent.FromBytes(GetContent(seed)), AppendMode.KeepPartial, Token);
        Assert.Equal(AppendStatus.Appended, result.Status);
        return (await store.UpdateAsync(key, result.Version!, created.Record with { State = UploadState.Received }, Token)).Info!;
    }
}
