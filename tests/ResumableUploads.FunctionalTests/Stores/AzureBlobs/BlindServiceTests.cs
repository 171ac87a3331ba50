using ResumableUploads.AzureBlobs;
using ResumableUploads.FunctionalTests.Stores.AzureBlobs.Support;
using ResumableUploads.TestKit;

namespace ResumableUploads.FunctionalTests.Stores.AzureBlobs;

/// <summary>On a service that ignores conditions, the cases of the contract and the startup check fail: they would find a store that forgets them.</summary>
[Collection(nameof(AzuriteTests))]
public class BlindServiceTests(AzuriteServer server)
{
    private const string IfMatch = "If-Match";
    private const string IfNoneMatch = "If-None-Match";
    private const string AppendPosition = "x-ms-blob-condition-appendpos";
    private const string LeaseId = "x-ms-lease-id";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Create_with_existing_key_returns_AlreadyExists", IfNoneMatch)]
    [InlineData("Concurrent_creates_of_one_key_by_two_stores_succeed_once", IfNoneMatch)]
    [InlineData("Law9_Concurrent_updates_with_same_version_succeed_at_most_once", IfMatch)]
    [InlineData("Concurrent_calls_of_two_stores_are_linearizable", IfMatch)]
    public async Task Contract_detects_a_service_without_a_condition(string name, string header)
    {
        StoreContractException exception = await Assert.ThrowsAsync<StoreContractException>(
            () => StoreContract.RunAsync(name, new AzureBlobStorage(server, new UnconditionalPolicy(header)), Token));
        TestContext.Current.TestOutputHelper?.WriteLine(exception.Message);
    }

    [Theory]
    [InlineData(IfNoneMatch, "create a blob that exists")]
    [InlineData(AppendPosition, "append at a wrong position")]
    [InlineData(IfMatch, "change metadata with a wrong condition")]
    public async Task Startup_check_detects_a_service_without_a_condition(string header, string step)
    {
        AzureBlobUploadStore store = await server.OpenStoreAsync(options: null, new UnconditionalPolicy(header));
        InvalidOperationException exception = await Assert.ThrowsAsync<InvalidOperationException>(async () => await store.CheckAsync(Token));
        Assert.Contains(step, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Startup_check_of_valid_container_succeeds()
    {
        AzureBlobUploadStore store = await server.OpenStoreAsync();
        await store.CheckAsync(Token);
        Assert.Empty(await store.Context.Blobs.Container.GetBlobsAsync(cancellationToken: Token).ToListAsync(Token));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Startup_check_of_missing_container_creates_it_or_fails(bool createContainer)
    {
        var store = new AzureBlobUploadStore(server.NewContainer(), new AzureBlobUploadStoreOptions { CreateContainer = createContainer });
        if (createContainer)
        {
            await store.CheckAsync(Token);
            return;
        }

        InvalidOperationException exception = await Assert.ThrowsAsync<InvalidOperationException>(async () => await store.CheckAsync(Token));
        Assert.Contains("does not exist", exception.Message, StringComparison.Ordinal);
    }
}
