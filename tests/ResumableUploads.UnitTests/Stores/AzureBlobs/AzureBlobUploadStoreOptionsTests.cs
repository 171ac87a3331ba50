using Azure.Identity;
using Azure.Storage.Blobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ResumableUploads.AzureBlobs;

namespace ResumableUploads.UnitTests.Stores.AzureBlobs;

public class AzureBlobUploadStoreOptionsTests
{
    private const string Development = "UseDevelopmentStorage=true";

    public static TheoryData<string, Action<AzureBlobUploadStoreOptions>> Invalid => new()
    {
        { "Prefix", static options => options.Prefix = "/a" },
        { "Prefix", static options => options.Prefix = "a//b" },
        { "Prefix", static options => options.Prefix = "ü" },
        { "Prefix", static options => options.Prefix = new string('a', 501) },
        { "BlockSize", static options => options.BlockSize = 65_535 },
        { "BlockSize", static options => options.BlockSize = (100 * 1024 * 1024) + 1 },
        { "SyncInterval", static options => options.SyncInterval = TimeSpan.Zero },
        { "LeaseDuration", static options => options.LeaseDuration = TimeSpan.FromSeconds(14) },
        { "LeaseDuration", static options => options.LeaseDuration = TimeSpan.FromSeconds(61) },
        { "MaxBufferMemory", static options => options.MaxBufferMemory = 1000 },
    };

    [Theory]
    [MemberData(nameof(Invalid))]
    public void Invalid_option_is_named(string name, Action<AzureBlobUploadStoreOptions> change)
    {
        var options = new AzureBlobUploadStoreOptions();
        change(options);
        ArgumentException exception = Assert.Throws<ArgumentException>(() => new AzureBlobUploadStore(new BlobContainerClient(Development, "c"), options));
        Assert.Contains($"AzureBlobUploadStoreOptions.{name} ", exception.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new ServiceCollection().AddResumableUploads().UseAzureBlobs(Development, "c", change));
    }

    [Fact]
    public void UseAzureBlobs_sets_one_store_for_the_named_options()
    {
        IServiceCollection services = WebApplication.CreateSlimBuilder().Services;
        services.AddResumableUploads("other");
        services.AddResumableUploads("azure").UseMemoryStore().UseAzureBlobs(Development, "container", static options => options.Prefix = "p/");
        using ServiceProvider provider = services.BuildServiceProvider();
        IOptionsMonitor<ResumableUploadOptions> options = provider.GetRequiredService<IOptionsMonitor<ResumableUploadOptions>>();
        AzureBlobUploadStore store = Assert.IsType<AzureBlobUploadStore>(options.Get("azure").Store);
        Assert.Equal(("container", "p/"), (store.Context.Blobs.Container.Name, store.Context.Options.Prefix));
        Assert.Null(options.Get("other").Store);
    }

    [Fact]
    public void UseAzureBlobs_with_a_credential_creates_a_client_of_the_container()
    {
        IServiceCollection services = WebApplication.CreateSlimBuilder().Services;
        services.AddResumableUploads().UseAzureBlobs(new Uri("https://account.blob.core.windows.net/uploads"), new DefaultAzureCredential());
        using ServiceProvider provider = services.BuildServiceProvider();
        AzureBlobUploadStore store = Assert.IsType<AzureBlobUploadStore>(provider.GetRequiredService<IOptions<ResumableUploadOptions>>().Value.Store);
        BlobContainerClient container = store.Context.Blobs.Container;
        Assert.Equal(("account", "uploads", false), (container.AccountName, container.Name, container.CanGenerateSasUri));
    }

    [Fact]
    public void Options_page_lists_every_option()
    {
        string page = Testing.RepositoryFiles.Read("docs/stores/azure-blobs.md");
        Assert.All(typeof(AzureBlobUploadStoreOptions).GetProperties(), property => Assert.Contains($"| `{property.Name}` |", page, StringComparison.Ordinal));
    }
}
