using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using ResumableUploads.Abstractions;
using ResumableUploads.AzureBlobs;
using ResumableUploads.TestKit;

namespace ResumableUploads.FunctionalTests.Stores.AzureBlobs.Support;

/// <summary>A container of its own for each case.</summary>
internal sealed class AzureBlobStorage(AzuriteServer server, params RequestPolicy[] policies) : StoreFixture
{
    private readonly string _name = $"case-{Guid.NewGuid():N}";

    public override TimeSpan Timeout => TimeSpan.FromMinutes(2);

    public override int BlockSize => 64 * 1024;

    public override bool HasOwnClock => true;

    public override string? CopyContainer => _name + "-copies";

    public override async ValueTask<IUploadStore> OpenStoreAsync(TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        foreach (string name in (string[])[_name, CopyContainer!])
        {
            await server.OpenContainer(name).CreateIfNotExistsAsync(cancellationToken: cancellationToken);
        }

        var options = new AzureBlobUploadStoreOptions { BlockSize = BlockSize, LeaseDuration = TimeSpan.FromSeconds(15) };
        return new AzureBlobUploadStore(server.OpenContainer(_name, policies), options, timeProvider);
    }

    public override async ValueTask<byte[]?> ReadCopyAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            BlobDownloadResult copy = await server.OpenContainer(CopyContainer!).GetBlobClient(name).DownloadContentAsync(cancellationToken);
            return copy.Content.ToArray();
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (BlobContainerClient container in (BlobContainerClient[])[server.OpenContainer(_name), server.OpenContainer(CopyContainer!)])
        {
            await container.DeleteIfExistsAsync();
        }

        await base.DisposeAsync();
    }
}
