using System.Buffers;
using ResumableUploads.Abstractions;
using ResumableUploads.S3;
using ResumableUploads.TestKit.Support;
using ResumableUploads.Testing.S3;

namespace ResumableUploads.FunctionalTests.Stores.S3.Fake;

/// <summary>Objects that crashes leave are removed, and only after no writer can name them any more.</summary>
public sealed class OrphanTests(FakeS3Server server) : IClassFixture<FakeS3Server>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Segments_of_running_append_are_kept_until_its_claim_has_ended()
    {
        using TestBucket bucket = await server.CreateBucketAsync();
        using S3UploadStore writer = bucket.Open();
        using S3UploadStore other = bucket.Open();
        await writer.CreateAsync();
        var content = new RecordingContent { CommitDecision = static () => ValueTask.FromResult(true) };
        Task<AppendResult> append = writer.AppendAsync(TestUploads.Key, 0, content, AppendMode.AllOrNothing, Token).AsTask();
        content.Send(TestUploads.Bytes(200_000));
        await Testing.Eventually.TrueAsync(() => CountData(bucket) == 3, "three segments are stored");
        await other.CleanUpAsync(Token);
        Assert.Equal(3, CountData(bucket));
        content.Complete();
        Assert.Equal(200_000, (await append).Offset);
        await other.CleanUpAsync(Token);
        Assert.Equal(TestUploads.Bytes(200_000), await other.ReadAsync());
    }

    [Fact]
    public async Task Segments_of_taken_over_append_are_removed()
    {
        using TestBucket bucket = await server.CreateBucketAsync();
        using S3UploadStore dead = bucket.Open(new Microsoft.Extensions.Time.Testing.FakeTimeProvider());
        using S3UploadStore other = bucket.Open();
        await dead.CreateAsync();
        var content = new RecordingContent();
        Task<AppendResult> append = dead.AppendAsync(TestUploads.Key, 0, content, AppendMode.AllOrNothing, Token).AsTask();
        content.Send(TestUploads.Bytes(200_000));
        await Testing.Eventually.TrueAsync(() => CountData(bucket) == 3, "three segments are stored");
        Assert.Equal(TakeoverStatus.Released, await other.TakeOverAsync(TestUploads.Key, TimeSpan.FromSeconds(1), Token));
        await other.CleanUpAsync(Token);
        Assert.Equal(0, CountData(bucket));
        content.Complete();
        Assert.Equal(AppendStatus.TakenOver, (await append).Status);
    }

    [Fact]
    public async Task Interrupted_deletion_is_completed()
    {
        using TestBucket bucket = await server.CreateBucketAsync();
        using S3UploadStore store = bucket.Open();
        await store.CreateReceivedAsync(TestUploads.Bytes(200_000));
        server.Fault = request => request.Bucket == bucket.Name && request.Method is "DELETE" or "POST" ? FakeS3Fault.Denied : FakeS3Fault.None;
        Assert.Equal(ChangeStatus.Succeeded, (await store.DeleteAsync(TestUploads.Key, null, Token)).Status);
        server.Fault = static _ => FakeS3Fault.None;
        Assert.NotEmpty(server.GetKeys(bucket.Name));
        Assert.Null(await store.GetAsync(TestUploads.Key, Token));
        await store.CleanUpAsync(Token);
        Assert.Empty(server.GetKeys(bucket.Name));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Interrupted_creation_does_not_block_the_key_and_is_removed(bool isCreatedAgain)
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        using TestBucket bucket = await server.CreateBucketAsync();
        using S3UploadStore store = bucket.Open();
        using S3UploadStore other = bucket.Open(clock);
        int writes = 0;
        server.Fault = request => request.Bucket == bucket.Name && request is { Method: "PUT", IsState: true } && ++writes > 1 ? FakeS3Fault.Denied : FakeS3Fault.None;
        await Assert.ThrowsAsync<UploadStoreException>(async () => await store.CreateCompletedAsync(
            TestUploads.Key, new UploadRecord { State = UploadState.Received }, new ReadOnlySequence<byte>(TestUploads.Bytes(5000)), Token));
        server.Fault = static _ => FakeS3Fault.None;
        Assert.Null(await other.GetAsync(TestUploads.Key, Token));
        await other.CleanUpAsync(Token);
        Assert.Equal(1, CountData(bucket));
        if (isCreatedAgain)
        {
            await other.CreateAsync();
        }
        else
        {
            clock.Advance(TimeSpan.FromMinutes(2));
        }

        await other.CleanUpAsync(Token);
        Assert.Equal(isCreatedAgain ? 1 : 0, server.GetKeys(bucket.Name).Count);
    }

    [Fact]
    public async Task Replaced_upload_keeps_its_segments_under_the_other_key()
    {
        var other = new UploadKey("owner", "replacement");
        using TestBucket bucket = await server.CreateBucketAsync();
        using S3UploadStore store = bucket.Open();
        await store.CreateReceivedAsync(TestUploads.Bytes(100_000));
        await store.CreateAsync(other);
        await store.AppendAsync(0, TestUploads.Bytes(200_000, 2), other);
        string version = (await store.GetAsync()).Version;
        await store.ReplaceAsync(TestUploads.Key, version, other, (await store.GetAsync(other)).Version, Token);
        await store.CleanUpAsync(Token);
        Assert.Equal(TestUploads.Bytes(200_000, 2), await store.ReadAsync());
        await store.DeleteAsync(TestUploads.Key, null, Token);
        Assert.Empty(server.GetKeys(bucket.Name));
    }

    private int CountData(TestBucket bucket) => server.GetKeys(bucket.Name).Count(static key => key.Contains("/data/", StringComparison.Ordinal));
}
