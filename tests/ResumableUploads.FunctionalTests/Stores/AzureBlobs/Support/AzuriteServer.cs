using Azure.Storage.Blobs;
using ResumableUploads.AzureBlobs;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Stores.AzureBlobs.Support;

/// <summary>The emulator of Azure Blob Storage, in memory. The tests of a collection share one.</summary>
public sealed class AzuriteServer : IAsyncLifetime
{
    private AzuriteProcess? _process;

    public string ConnectionString => _process!.ConnectionString;

    public async ValueTask InitializeAsync() => _process = await AzuriteProcess.StartAsync();

    /// <summary>Returns the client of a container with a new name, which does not exist yet.</summary>
    internal BlobContainerClient NewContainer(params RequestPolicy[] policies) => OpenContainer($"test-{Guid.NewGuid():N}", policies);

    internal BlobContainerClient OpenContainer(string name, params RequestPolicy[] policies)
    {
        BlobClientOptions options = AzureBlobUploadStore.CreateClientOptions();
        foreach (RequestPolicy policy in policies)
        {
            options.AddPolicy(policy, policy.Position);
        }

        return new BlobContainerClient(ConnectionString, name, options);
    }

    /// <summary>Creates an empty container.</summary>
    internal async Task<BlobContainerClient> CreateContainerAsync()
    {
        BlobContainerClient container = NewContainer();
        await container.CreateAsync(cancellationToken: TestContext.Current.CancellationToken);
        return container;
    }

    /// <summary>Opens a store in a new container.</summary>
    internal async Task<AzureBlobUploadStore> OpenStoreAsync(AzureBlobUploadStoreOptions? options = null, params RequestPolicy[] policies)
    {
        BlobContainerClient container = await CreateContainerAsync();
        return new AzureBlobUploadStore(OpenContainer(container.Name, policies), options);
    }

    /// <summary>Opens another store in the container of a store, as another server does.</summary>
    internal AzureBlobUploadStore OpenSecondStore(AzureBlobUploadStore first, params RequestPolicy[] policies) =>
        new(OpenContainer(first.Context.Blobs.Container.Name, policies), first.Context.Options);

    public ValueTask DisposeAsync() => _process?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>A collection of tests that share an emulator.</summary>
[CollectionDefinition(nameof(AzuriteTests))]
public sealed class AzuriteTests : ICollectionFixture<AzuriteServer>;

/// <summary>Another collection, which runs in parallel.</summary>
[CollectionDefinition(nameof(AzuriteContractTests))]
public sealed class AzuriteContractTests : ICollectionFixture<AzuriteServer>;
