using ResumableUploads.Abstractions;
using ResumableUploads.AzureBlobs;
using ResumableUploads.FunctionalTests.Stores.AzureBlobs.Support;

namespace ResumableUploads.FunctionalTests.Hosting.Tickets;

[Collection(nameof(AzuriteTests))]
public sealed class AzureBlobTicketNodeTests(AzuriteServer server) : TicketNodeTests
{
    private AzureBlobUploadStore? _store;

    protected override async ValueTask<IUploadStore?> OpenStoreAsync() =>
        _store is null ? _store = await server.OpenStoreAsync() : server.OpenSecondStore(_store);
}
