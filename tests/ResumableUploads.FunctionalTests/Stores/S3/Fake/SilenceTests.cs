using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.S3;
using ResumableUploads.Testing.S3;
using ResumableUploads.Testing;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.FunctionalTests.Stores.S3.Fake;

/// <summary>Connections that stay open and say nothing: neither a client nor the service can hold memory or a call that way.</summary>
public sealed class SilenceTests(FakeS3Server server) : IClassFixture<FakeS3Server>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(AppendMode.KeepPartial)]
    [InlineData(AppendMode.AllOrNothing)]
    public async Task Bytes_of_silent_client_leave_the_memory_after_SyncInterval(AppendMode mode)
    {
        var clock = new FakeTimeProvider();
        using TestBucket bucket = await server.CreateBucketAsync();
        using S3UploadStore store = bucket.Open(clock);
        await store.CreateAsync();
        var content = new RecordingContent();
        Task<AppendResult> append = store.AppendAsync(TestUploads.Key, 0, content, mode, Token).AsTask();
        content.Send(TestUploads.Bytes(1000));
        await Eventually.TrueAsync(
            () => server.GetKeys(bucket.Name).Any(static key => key.Contains("/data/", StringComparison.Ordinal)),
            "the bytes are stored",
            () => clock.Advance(TimeSpan.FromSeconds(1)));
        content.Send(TestUploads.Bytes(500, 2));
        content.Complete();
        Assert.Equal(1500, (await append).Offset);
        byte[] expected = [.. TestUploads.Bytes(1000), .. TestUploads.Bytes(500, 2)];
        Assert.Equal(expected, await store.ReadAsync());
    }

    /// <summary>The SDK waits for the end of these responses without a limit.</summary>
    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    public async Task Response_of_list_or_deletion_that_stays_silent_is_repeated(string method)
    {
        var clock = new FakeTimeProvider();
        using TestBucket bucket = await server.CreateBucketAsync();
        using S3UploadStore store = bucket.Open(clock);
        await store.CreateReceivedAsync(TestUploads.Bytes(200_000));
        (DeleteResult deletion, int requests) = await RunWithSilentAnswerAsync(
            clock,
            request => request.Bucket == bucket.Name && request.Method == method && request.Key.Length == 0,
            () => store.DeleteAsync(TestUploads.Key, null, Token).AsTask());
        Assert.Equal(ChangeStatus.Succeeded, deletion.Status);
        Assert.InRange(requests, 2, 10);
        Assert.Empty(server.GetKeys(bucket.Name));
    }

    [Theory]
    [InlineData("content")]
    [InlineData("state")]
    public async Task Response_that_stays_silent_is_read_again(string body)
    {
        var clock = new FakeTimeProvider();
        using TestBucket bucket = await server.CreateBucketAsync();
        using S3UploadStore store = bucket.Open(clock);
        await store.CreateReceivedAsync(TestUploads.Bytes(60_000));
        (byte[] read, int reads) = await RunWithSilentAnswerAsync(
            clock,
            request => request.Bucket == bucket.Name && request.Method == "GET" && request.IsState == (body == "state"),
            () => store.ReadAsync());
        Assert.Equal(TestUploads.Bytes(60_000), read);
        Assert.Equal(2, reads);
    }

    /// <summary>Runs an operation while time passes. The answer to the first of some requests stays silent.</summary>
    /// <returns>The result, and the number of these requests.</returns>
    private async Task<(T Result, int Requests)> RunWithSilentAnswerAsync<T>(FakeTimeProvider clock, Func<FakeS3Request, bool> isAffected, Func<Task<T>> run)
    {
        int requests = 0;
        server.Fault = request => isAffected(request) && Interlocked.Increment(ref requests) == 1 ? FakeS3Fault.SilentBody : FakeS3Fault.None;
        Task<T> operation = run();
        await Eventually.TrueAsync(() => operation.IsCompleted, "the operation has ended", () => clock.Advance(TimeSpan.FromSeconds(1)));
        server.Fault = static _ => FakeS3Fault.None;
        return (await operation, requests);
    }
}
