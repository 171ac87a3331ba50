using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

/// <content>Cases for stores that can create URLs of their content.</content>
internal sealed partial class StoreCases
{
    private static readonly TimeSpan UrlLifetime = TimeSpan.FromMinutes(10);

    private IContentUrlProvider ContentUrlProvider => CaseAssert.RequireNotNull(Store.GetCapability<IContentUrlProvider>());

    [Case(0, Requires = StoreCapabilities.ContentUrls)]
    [Case(1, Requires = StoreCapabilities.ContentUrls)]
    [Case(3, Requires = StoreCapabilities.ContentUrls)]
    public async Task Url_returns_the_content(int blocks)
    {
        byte[] bytes = Bytes(blocks == 0 ? 0 : (blocks * BlockSize) + 100);
        UploadInfo info = await ReceiveAsync(bytes);
        Uri url = CaseAssert.RequireNotNull(await ContentUrlProvider.CreateReadUrlAsync(Key, info.Version, UrlLifetime, Token));
        using var client = new HttpClient { Timeout = CaseTimeout };
        CaseAssert.Equal(bytes, await client.GetByteArrayAsync(url, Token));
        CaseAssert.Equal(bytes, await ReadContentAsync());
    }

    [Case(Requires = StoreCapabilities.ContentUrls)]
    public async Task Url_is_not_created_for_a_missing_receiving_or_changed_upload()
    {
        CaseAssert.Null(await ContentUrlProvider.CreateReadUrlAsync(Key, "none", UrlLifetime, Token));
        UploadInfo receiving = await CreateWithContentAsync(Bytes(10));
        CaseAssert.Null(await ContentUrlProvider.CreateReadUrlAsync(Key, receiving.Version, UrlLifetime, Token));
        UploadInfo stale = await UpdateStateAsync(UploadState.Received);
        await UpdateStateAsync(UploadState.Received);
        CaseAssert.Null(await ContentUrlProvider.CreateReadUrlAsync(Key, stale.Version, UrlLifetime, Token));
    }

    [Case(0, Requires = StoreCapabilities.ContentUrls)]
    [Case(-1, Requires = StoreCapabilities.ContentUrls)]
    public async Task Url_without_a_positive_lifetime_throws(int seconds)
    {
        UploadInfo info = await ReceiveAsync(Bytes(10));
        await CaseAssert.ThrowsAsync<ArgumentOutOfRangeException>(
            async () => await ContentUrlProvider.CreateReadUrlAsync(Key, info.Version, TimeSpan.FromSeconds(seconds), Token));
    }
}
