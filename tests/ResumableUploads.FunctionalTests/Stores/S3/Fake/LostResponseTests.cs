using System.Buffers;
using ResumableUploads.Abstractions;
using ResumableUploads.S3;
using ResumableUploads.TestKit.Support;
using ResumableUploads.Testing.S3;

namespace ResumableUploads.FunctionalTests.Stores.S3.Fake;

/// <summary>Answers that are lost or unclear, for each kind of write, and failures that last.</summary>
public sealed class LostResponseTests(FakeS3Server server) : IClassFixture<FakeS3Server>
{
    private static readonly FakeS3Fault[] PassingFaults =
        [FakeS3Fault.DropBefore, FakeS3Fault.DropAfter, FakeS3Fault.ErrorBefore, FakeS3Fault.ErrorAfter, FakeS3Fault.Conflict];

    private static readonly UploadKey Other = new("owner", "replacement");

    private static readonly Dictionary<string, (Func<FakeS3Request, bool> IsFaulty, Func<S3UploadStore, Task> PrepareAsync, Func<S3UploadStore, Task> ActAsync)> Writes = new()
    {
        ["create"] = (IsStateWrite, static _ => Task.CompletedTask, static async store =>
        {
            await store.CreateAsync();
            Assert.Equal(CreateStatus.AlreadyExists, (await store.CreateAsync(TestUploads.Key, new UploadRecord(), Token)).Status);
        }),
        ["claim"] = (static request => IsStateWrite(request) && HasWriter(request), PrepareAsync, AppendAsync),
        ["segment"] = (static request => request is { Method: "PUT", IsData: true }, PrepareAsync, AppendAsync),
        ["end of append"] = (static request => IsStateWrite(request) && !HasWriter(request), PrepareAsync, AppendAsync),
        ["update"] = (IsStateWrite, PrepareAsync, static async store =>
        {
            UploadInfo before = await store.GetAsync();
            UploadInfo after = await store.SetStateAsync(UploadState.Received);
            Assert.NotEqual(before.Version, after.Version);
            Assert.Equal(after.Version, (await store.GetAsync()).Version);
        }),
        ["completion"] = (IsStateWrite, PrepareAsync, CompleteAsync),
        ["response"] = (static request => request is { Method: "PUT", IsData: true }, PrepareAsync, CompleteAsync),
        ["tombstone"] = (IsStateWrite, PrepareAsync, DeleteAsync),
        ["removal of segments"] = (static request => request is { Method: "POST" } or { Method: "DELETE", IsData: true }, PrepareAsync, DeleteAsync),
        ["removal of state"] = (static request => request is { Method: "DELETE", IsState: true }, PrepareAsync, DeleteAsync),
        ["mark of replacement"] = (IsWriteOfOther, PrepareOtherAsync, ReplaceAsync),
        ["replacement"] = (static request => IsStateWrite(request) && !IsWriteOfOther(request), PrepareOtherAsync, ReplaceAsync),
        ["single request"] = (IsStateWrite, static _ => Task.CompletedTask, CreateCompletedAsync),
        ["single request content"] = (static request => request is { Method: "PUT", IsData: true }, static _ => Task.CompletedTask, CreateCompletedAsync),
    };

    public static TheoryData<string, FakeS3Fault> Cases =>
        [.. Writes.Keys.SelectMany(static write => PassingFaults.Where(fault => fault != FakeS3Fault.Conflict || !IsPlain(write)).Select(fault => (write, fault)))];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Write_with_unclear_answer_takes_effect_once(string write, FakeS3Fault fault)
    {
        using TestBucket bucket = await server.CreateBucketAsync();
        using S3UploadStore store = bucket.Open();
        await Writes[write].PrepareAsync(store);
        int faults = 0;
        server.Fault = request => request.Bucket == bucket.Name && Writes[write].IsFaulty(request) && Interlocked.Increment(ref faults) == 1 ? fault : FakeS3Fault.None;
        await Writes[write].ActAsync(store);
        server.Fault = static _ => FakeS3Fault.None;
        Assert.NotEqual(0, faults);
    }

    [Theory]
    [InlineData(FakeS3Fault.ErrorBefore, StoreFailure.Unavailable)]
    [InlineData(FakeS3Fault.DropBefore, StoreFailure.Unavailable)]
    [InlineData(FakeS3Fault.Full, StoreFailure.Full)]
    [InlineData(FakeS3Fault.Denied, StoreFailure.ReadOnly)]
    public async Task Append_to_failing_service_keeps_stored_segments_and_reports_offset(FakeS3Fault fault, StoreFailure expected)
    {
        using TestBucket bucket = await server.CreateBucketAsync();
        using S3UploadStore store = bucket.Open();
        await store.CreateAsync();
        server.Fault = request => request.Bucket == bucket.Name && request is { Method: "PUT", IsData: true } && string.CompareOrdinal(request.Key[^8..], "00000002") >= 0
            ? fault
            : FakeS3Fault.None;
        UploadStoreException failure = await Assert.ThrowsAsync<UploadStoreException>(() => store.AppendAsync(0, TestUploads.Bytes(400_000)));
        server.Fault = static _ => FakeS3Fault.None;
        Assert.Equal(expected, failure.Failure);
        UploadInfo info = await store.GetAsync();
        Assert.Equal(info.Offset, failure.DurableOffset);
        Assert.Equal(2 * 65_536, info.Offset);

        // The claim has ended with the append.
        Assert.Equal(400_000, (await store.AppendAsync(info.Offset, TestUploads.Bytes(400_000)[(int)info.Offset..])).Offset);
        Assert.Equal(TestUploads.Bytes(400_000), await store.ReadAsync());
    }

    [Fact]
    public async Task Append_whose_last_state_write_fails_for_long_can_be_taken_over()
    {
        using TestBucket bucket = await server.CreateBucketAsync();
        using S3UploadStore store = bucket.Open();
        await store.CreateAsync();
        server.Fault = request => request.Bucket == bucket.Name && IsStateWrite(request) && !HasWriter(request) ? FakeS3Fault.DropBefore : FakeS3Fault.None;
        UploadStoreException failure = await Assert.ThrowsAsync<UploadStoreException>(() => store.AppendAsync(0, TestUploads.Bytes(100)));
        server.Fault = static _ => FakeS3Fault.None;
        Assert.Equal((StoreFailure.Unavailable, 0L), (failure.Failure, failure.DurableOffset));
        Assert.Equal(AppendStatus.Busy, (await store.AppendAsync(0, TestUploads.Bytes(100))).Status);
        Assert.Equal(TakeoverStatus.Released, await store.TakeOverAsync(TestUploads.Key, TimeSpan.FromSeconds(1), Token));
        Assert.Equal(100, (await store.AppendAsync(0, TestUploads.Bytes(100))).Offset);
    }

    private static bool IsStateWrite(FakeS3Request request) => request is { Method: "PUT", IsState: true };

    private static bool IsWriteOfOther(FakeS3Request request) => IsStateWrite(request) && request.Key.EndsWith(Other.Id, StringComparison.Ordinal);

    private static bool HasWriter(FakeS3Request request) => System.Text.Encoding.UTF8.GetString(request.Body).Contains("\"writer\":true", StringComparison.Ordinal);

    private static bool IsPlain(string write) => write is "segment" or "response" or "removal of segments" or "single request content";

    private static async Task PrepareAsync(S3UploadStore store)
    {
        await store.CreateAsync();
        Assert.Equal(200_000, (await store.AppendAsync(0, TestUploads.Bytes(200_000))).Offset);
    }

    private static async Task PrepareOtherAsync(S3UploadStore store)
    {
        await PrepareAsync(store);
        await store.CreateAsync(Other);
        await store.AppendAsync(0, TestUploads.Bytes(300, 2), Other);
    }

    private static async Task AppendAsync(S3UploadStore store)
    {
        AppendResult result = await store.AppendAsync(200_000, TestUploads.Bytes(100_000, 2));
        Assert.Equal((AppendStatus.Appended, 300_000L), (result.Status, result.Offset));
        byte[] expected = [.. TestUploads.Bytes(200_000), .. TestUploads.Bytes(100_000, 2)];
        Assert.Equal(expected, await store.ReadAsync());
        Assert.Equal(300_001, (await store.AppendAsync(300_000, [1])).Offset);
    }

    private static async Task CompleteAsync(S3UploadStore store)
    {
        UploadInfo info = await store.GetAsync();
        UpdateResult result = await store.CompleteAsync(info.Key, info.Version, new UploadRecord { State = UploadState.Completed }, TestUploads.Bytes(20_000), Token);
        Assert.Equal(ChangeStatus.Succeeded, result.Status);
        Assert.Equal(TestUploads.Bytes(20_000), (await store.GetResponseAsync(info.Key, Token))?.ToArray());
        Assert.Equal(result.Info!.Version, (await store.GetAsync()).Version);
    }

    private static async Task DeleteAsync(S3UploadStore store)
    {
        UploadInfo info = await store.GetAsync();
        Assert.Equal(ChangeStatus.Succeeded, (await store.DeleteAsync(info.Key, info.Version, Token)).Status);
        Assert.Null(await store.GetAsync(info.Key, Token));
    }

    private static async Task ReplaceAsync(S3UploadStore store)
    {
        string version = (await store.GetAsync()).Version;
        UpdateResult result = await store.ReplaceAsync(TestUploads.Key, version, Other, (await store.GetAsync(Other)).Version, Token);
        Assert.Equal(ChangeStatus.Succeeded, result.Status);
        Assert.Equal(TestUploads.Bytes(300, 2), await store.ReadAsync());
        Assert.Null(await store.GetAsync(Other, Token));
    }

    private static async Task CreateCompletedAsync(S3UploadStore store)
    {
        CreateResult result = await store.CreateCompletedAsync(
            TestUploads.Key, new UploadRecord { State = UploadState.Received }, new ReadOnlySequence<byte>(TestUploads.Bytes(5000)), Token);
        Assert.Equal(CreateStatus.Created, result.Status);
        Assert.Equal(TestUploads.Bytes(5000), await store.ReadAsync());
    }
}
