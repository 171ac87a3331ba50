using ResumableUploads.Abstractions;
using ResumableUploads.S3;
using ResumableUploads.Testing.S3;

namespace ResumableUploads.FunctionalTests.Hosting.Tickets;

public sealed class S3TicketNodeTests(FakeS3Server server) : TicketNodeTests, IClassFixture<FakeS3Server>
{
    private readonly List<S3UploadStore> _stores = [];
    private TestBucket? _bucket;

    public override void Dispose()
    {
        _stores.ForEach(static store => store.Dispose());
        _bucket?.Dispose();
        base.Dispose();
    }

    protected override async ValueTask<IUploadStore?> OpenStoreAsync()
    {
        _bucket ??= await server.CreateBucketAsync();
        _stores.Add(_bucket.Open());
        return _stores[^1];
    }
}
