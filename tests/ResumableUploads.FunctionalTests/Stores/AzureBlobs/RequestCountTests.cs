using ResumableUploads.Abstractions;
using ResumableUploads.AzureBlobs;
using ResumableUploads.FunctionalTests.Stores.AzureBlobs.Support;
using ResumableUploads.TestKit.Support;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Stores.AzureBlobs;

/// <summary>The number of requests to the service, which cost time and money.</summary>
[Collection(nameof(AzuriteTests))]
public class RequestCountTests(AzuriteServer server)
{
    private const int BlockSize = 64 * 1024;
    private static readonly UploadKey Key = new("owner", "upload");
    private readonly CountingPolicy _requests = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Creation_takes_one_request()
    {
        AzureBlobUploadStore store = await OpenAsync();
        await store.CreateAsync(Key, new UploadRecord { Length = 100, Data = new byte[2000] }, Token);
        Assert.Equal(["PUT"], _requests.Take());
    }

    [Fact]
    public async Task Append_after_creation_takes_two_requests_more_than_blocks()
    {
        AzureBlobUploadStore store = await OpenAsync();
        await store.CreateAsync(Key, new UploadRecord(), Token);
        _requests.Take();
        await store.AppendAsync(Key, 0, RecordingContent.FromBytes(new byte[(2 * BlockSize) + 1]), AppendMode.KeepPartial, Token);
        Assert.Equal(["PUT acquire", "PUT appendblock", "PUT appendblock", "PUT appendblock", "PUT release"], _requests.Take());
    }

    [Fact]
    public async Task Empty_append_takes_no_lease()
    {
        AzureBlobUploadStore store = await OpenAsync();
        await store.CreateAsync(Key, new UploadRecord(), Token);
        _requests.Take();
        var content = new RecordingContent { DeclaredLength = 0 };
        content.Complete();
        Assert.Equal(AppendStatus.Appended, (await store.AppendAsync(Key, 0, content, AppendMode.KeepPartial, Token)).Status);
        Assert.Equal(["HEAD"], _requests.Take());
    }

    [Theory]
    [InlineData(ProtocolClient.Tus)]
    [InlineData(ProtocolClient.Ietf)]
    public async Task Upload_of_known_length_with_handler_takes_8_requests_more_than_blocks(string protocol)
    {
        const int Blocks = 5;
        await using TestApp app = await StartAsync();
        string url = await app.Client.BeginAsync(protocol, "/upload", [], Blocks * BlockSize);
        await FinishAsync(app, protocol, url, new byte[Blocks * BlockSize], Blocks + 8);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(200_000)]
    public async Task File_in_one_request_takes_4_requests(int length)
    {
        await using TestApp app = await StartAsync();
        using (HttpResponseMessage response = await app.Client.IetfAsync(
            "POST", "/upload", IetfClient.Newest, new ByteArrayContent(new byte[length]), ("Upload-Complete", "?1")))
        {
            Assert.True(response.IsSuccessStatusCode);
        }

        Assert.Equal(length, app.Finished.Last().Content.Length);
        AssertCount(4);
    }

    private async Task FinishAsync(TestApp app, string protocol, string url, byte[] bytes, int limit)
    {
        using HttpResponseMessage response = await app.Client.FinishAsync(protocol, url, 0, bytes);
        Assert.True(response.IsSuccessStatusCode);
        Assert.Equal(bytes, app.Finished.Last().Content);
        AssertCount(limit);
    }

    private void AssertCount(int limit)
    {
        string[] requests = _requests.Take();
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join('\n', requests));
        Assert.True(requests.Length <= limit, $"{requests.Length} requests:\n{string.Join('\n', requests)}");
    }

    private Task<AzureBlobUploadStore> OpenAsync() => server.OpenStoreAsync(new AzureBlobUploadStoreOptions { BlockSize = BlockSize }, _requests);

    private async Task<TestApp> StartAsync()
    {
        AzureBlobUploadStore store = await OpenAsync();
        TestApp app = await TestApp.StartAsync(options => options.Store = store);

        // The first upload of an owner also lists the uploads of the owner, for the quota.
        using HttpResponseMessage first = await app.Client.IetfAsync("POST", "/upload", IetfClient.Newest, new ByteArrayContent([1]), ("Upload-Complete", "?1"));
        Assert.True(first.IsSuccessStatusCode);
        _requests.Take();
        return app;
    }
}
