using System.Text;
using Amazon.S3.Model;
using ResumableUploads.Abstractions;
using ResumableUploads.S3;
using ResumableUploads.TestKit.Support;
using ResumableUploads.Testing.S3;

namespace ResumableUploads.FunctionalTests.Stores.S3;

/// <summary>Content that is composed into one object, copied, and read by a URL; and the start check of a service that keeps conditions.</summary>
public abstract class S3ContentTests(S3Endpoint endpoint)
{
    private const int MiB = 1 << 20;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0, 64 * 1024)]
    [InlineData(100, 64 * 1024)]
    [InlineData(200_000, 64 * 1024)]
    [InlineData((11 * MiB) + 5, 640 * 1024)]
    [InlineData((13 * MiB) + 5, 6 * MiB)]
    public async Task Copy_has_the_content_and_can_be_repeated(int length, int segmentSize)
    {
        using TestBucket bucket = await endpoint.CreateBucketAsync();
        using S3UploadStore store = bucket.Open(configure: options => (options.SegmentSize, options.MaxBufferedBytes) = (segmentSize, 64 * MiB));
        UploadInfo info = await store.CreateReceivedAsync(TestUploads.Bytes(length));
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(CopyStatus.Copied, await store.CopyContentAsync(info.Key, info.Version, bucket.Name, "inbox/a file", overwrite: false, Token));
        }

        Assert.Equal(TestUploads.Bytes(length), await bucket.ReadAsync("inbox/a file", Token));
        Assert.Equal(TestUploads.Bytes(length), await store.ReadAsync());
    }

    [Theory]
    [InlineData(100)]
    [InlineData(6 * MiB)]
    public async Task Copy_replaces_another_object_only_with_overwrite(int length)
    {
        using TestBucket bucket = await endpoint.CreateBucketAsync();
        using S3UploadStore store = bucket.Open(configure: static options => options.SegmentSize = MiB);
        await bucket.Client.PutObjectAsync(new PutObjectRequest { BucketName = bucket.Name, Key = "target", ContentBody = "other", UseChunkEncoding = false }, Token);
        UploadInfo info = await store.CreateReceivedAsync(TestUploads.Bytes(length));
        Assert.Equal(CopyStatus.TargetExists, await store.CopyContentAsync(info.Key, info.Version, bucket.Name, "target", overwrite: false, Token));
        Assert.Equal("other", Encoding.ASCII.GetString(await bucket.ReadAsync("target", Token)));
        Assert.Equal(CopyStatus.Copied, await store.CopyContentAsync(info.Key, info.Version, bucket.Name, "target", overwrite: true, Token));
        Assert.Equal(TestUploads.Bytes(length), await bucket.ReadAsync("target", Token));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(200_000)]
    [InlineData(6 * MiB)]
    public async Task Url_returns_the_content_of_all_segments(int length)
    {
        using TestBucket bucket = await endpoint.CreateBucketAsync();
        using S3UploadStore store = bucket.Open();
        UploadInfo info = await store.CreateReceivedAsync(TestUploads.Bytes(length));
        await using Stream openBefore = (await store.OpenReadAsync(info.Key, Token))!;
        using var client = new HttpClient();
        for (int i = 0; i < 2; i++)
        {
            Uri url = Assert.IsType<Uri>(await store.CreateReadUrlAsync(info.Key, info.Version, TimeSpan.FromMinutes(5), Token));
            Assert.Equal(TestUploads.Bytes(length), await client.GetByteArrayAsync(url, Token));
        }

        // The segments are no longer needed; a reader that has opened the content before continues with the composed object.
        await store.CleanUpAsync(Token);
        using var copy = new MemoryStream();
        await openBefore.CopyToAsync(copy, Token);
        Assert.Equal(TestUploads.Bytes(length), copy.ToArray());
        Assert.Null(await store.CreateReadUrlAsync(info.Key, "other", TimeSpan.FromMinutes(5), Token));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await store.CreateReadUrlAsync(info.Key, info.Version, TimeSpan.FromDays(8), Token));
    }

    [Fact]
    public async Task Concatenation_names_the_segments_of_its_parts()
    {
        using TestBucket bucket = await endpoint.CreateBucketAsync();
        using S3UploadStore store = bucket.Open();
        UploadKey[] parts = [new("owner", "part-a"), new("owner", "part-b"), new("owner", "part-a")];
        await store.CreateReceivedAsync(TestUploads.Bytes(200_000, 1), parts[0]);
        await store.CreateReceivedAsync(TestUploads.Bytes(70_000, 2), parts[1]);
        await store.CreateAsync();
        long offset = 0;
        foreach (UploadKey part in parts)
        {
            offset = (await store.AppendUploadAsync(TestUploads.Key, offset, part)).Offset;
        }

        byte[] expected = [.. TestUploads.Bytes(200_000, 1), .. TestUploads.Bytes(70_000, 2), .. TestUploads.Bytes(200_000, 1)];
        Assert.Equal(expected, await store.ReadAsync());
        string own = $"/{TestUploads.Key}/";
        Assert.DoesNotContain(await ListAsync(bucket), key => key.Contains("data" + own, StringComparison.Ordinal));

        // The parts are deleted; their segments belong to the concatenation now, and go with it.
        await store.DeleteAsync(parts[0], null, Token);
        await store.DeleteAsync(parts[1], null, Token);
        await store.CleanUpAsync(Token);
        Assert.Equal(expected, await store.ReadAsync());
        await store.DeleteAsync(TestUploads.Key, null, Token);
        await store.CleanUpAsync(Token);
        Assert.Empty(await ListAsync(bucket));
    }

    [Fact]
    public async Task Start_check_passes_and_leaves_nothing()
    {
        using TestBucket bucket = await endpoint.CreateBucketAsync();
        using S3UploadStore store = bucket.Open();
        await store.CheckAsync(Token);
        Assert.Empty(await ListAsync(bucket));
    }

    [Fact]
    public async Task Start_check_names_a_missing_bucket()
    {
        using TestBucket bucket = await endpoint.CreateBucketAsync();
        using S3UploadStore store = bucket.Open(configure: static options => options.Bucket = "no-such-bucket");
        InvalidOperationException failure = await Assert.ThrowsAsync<InvalidOperationException>(async () => await store.CheckAsync(Token));
        Assert.Contains("no-such-bucket", failure.Message, StringComparison.Ordinal);
        Assert.Contains("create it", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Probe_leaves_nothing_and_fails_without_the_bucket()
    {
        using TestBucket bucket = await endpoint.CreateBucketAsync();
        using S3UploadStore store = bucket.Open();
        IStoreProbe probe = Assert.IsAssignableFrom<IStoreProbe>(store);
        await probe.ProbeAsync(Token);
        Assert.Empty(await ListAsync(bucket));
        Assert.Null(await probe.GetFreeSpaceAsync(Token));
        using S3UploadStore other = bucket.Open(configure: static options => options.Bucket = "no-such-bucket");
        await Assert.ThrowsAsync<UploadStoreException>(async () => await other.ProbeAsync(Token));
    }

    [Fact]
    public async Task Sweep_checkpoint_round_trips()
    {
        using TestBucket bucket = await endpoint.CreateBucketAsync();
        using S3UploadStore store = bucket.Open();
        Assert.Null(await store.GetSweepCheckpointAsync(Token));
        await store.PutSweepCheckpointAsync(TestUploads.Key, Token);
        Assert.Equal(TestUploads.Key, await store.GetSweepCheckpointAsync(Token));
        await store.PutSweepCheckpointAsync(null, Token);
        Assert.Null(await store.GetSweepCheckpointAsync(Token));
    }

    private static async Task<List<string>> ListAsync(TestBucket bucket)
    {
        List<string> keys = [];
        await foreach (S3Object found in bucket.Client.Paginators.ListObjectsV2(new ListObjectsV2Request { BucketName = bucket.Name }).S3Objects)
        {
            keys.Add(found.Key);
        }

        return keys;
    }
}
