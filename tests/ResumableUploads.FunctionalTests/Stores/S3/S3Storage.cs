using System.Net;
using Amazon.S3;
using ResumableUploads.Abstractions;
using ResumableUploads.S3;
using ResumableUploads.TestKit;
using ResumableUploads.Testing.S3;

namespace ResumableUploads.FunctionalTests.Stores.S3;

/// <summary>The bucket of one case of the contract.</summary>
internal sealed class S3Storage(TestBucket bucket) : StoreFixture
{
    /// <summary>A short interval, so that an append finds out soon that it was taken over.</summary>
    private static readonly TimeSpan SyncInterval = TimeSpan.FromMilliseconds(200);

    public override ValueTask<IUploadStore> OpenStoreAsync(TimeProvider timeProvider, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IUploadStore>(bucket.Open(new WallClock(timeProvider), static options => options.SyncInterval = SyncInterval));

    /// <summary>Each call takes several requests, on a machine that runs other tests.</summary>
    public override TimeSpan Timeout => TimeSpan.FromMinutes(2);

    public override bool HasOwnClock => true;

    public override int BlockSize => S3UploadStoreOptions.MinSegmentSize;

    public override string? CopyContainer => bucket.Name;

    public override async ValueTask<byte[]?> ReadCopyAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return await bucket.ReadAsync(name, cancellationToken);
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    public override ValueTask DisposeAsync()
    {
        bucket.Dispose();
        return base.DisposeAsync();
    }

    /// <summary>The machine has the wrong date of the case. Waits for the service end in real time.</summary>
    private sealed class WallClock(TimeProvider dates) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => dates.GetUtcNow();
    }
}
