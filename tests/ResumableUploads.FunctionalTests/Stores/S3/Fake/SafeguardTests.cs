using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.S3;
using ResumableUploads.TestKit.Support;
using ResumableUploads.Testing.S3;

namespace ResumableUploads.FunctionalTests.Stores.S3.Fake;

/// <summary>Each write that protects an upload from another server is needed: the endpoint leaves it out, and the upload is damaged.</summary>
public sealed partial class SafeguardTests : IAsyncLifetime
{
    private static readonly UploadKey Part = new("owner", "part");

    private readonly FakeS3Server _server = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _server.InitializeAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    /// <summary>The first server continues while the second one, which has taken the upload over, still receives bytes.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Taken_over_append_is_refused_only_if_the_epoch_is_raised(bool isRaised)
    {
        if (!isRaised)
        {
            _server.Change = KeepEpoch;
        }

        using TestBucket bucket = await _server.CreateBucketAsync();
        using S3UploadStore first = bucket.Open();
        using S3UploadStore second = bucket.Open();
        await first.CreateAsync();
        var late = new RecordingContent();
        Task<AppendResult> lateAppend = first.AppendAsync(TestUploads.Key, 0, late, AppendMode.KeepPartial, Token).AsTask();
        await late.FirstReadTask.WaitAsync(Token);
        Assert.Equal(TakeoverStatus.Released, await second.TakeOverAsync(TestUploads.Key, TimeSpan.FromSeconds(1), Token));
        var content = new RecordingContent();
        Task<AppendResult> append = second.AppendAsync(TestUploads.Key, 0, content, AppendMode.KeepPartial, Token).AsTask();
        await content.FirstReadTask.WaitAsync(Token);

        late.Send(TestUploads.Bytes(1000));
        late.Complete();
        Assert.Equal(isRaised ? AppendStatus.TakenOver : AppendStatus.Appended, (await lateAppend).Status);
        content.Send(TestUploads.Bytes(500, 2));
        content.Complete();
        Assert.Equal(isRaised ? AppendStatus.Appended : AppendStatus.TakenOver, (await append).Status);
        Assert.Equal(isRaised ? TestUploads.Bytes(500, 2) : TestUploads.Bytes(1000), await second.ReadAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Segments_of_deleted_part_are_kept_only_if_their_use_is_announced(bool isAnnounced)
    {
        _server.Fault = request => !isAnnounced && request is { Method: "PUT" } && request.Key.Contains("/use/", StringComparison.Ordinal) ? FakeS3Fault.Ignored : FakeS3Fault.None;
        using TestBucket bucket = await _server.CreateBucketAsync();
        using S3UploadStore store = bucket.Open();
        await store.CreateReceivedAsync(TestUploads.Bytes(200_000), Part);
        await store.CreateAsync();
        await using (Stream source = (await store.OpenReadAsync(Part, Token))!)
        {
            Assert.Equal(200_000, (await store.AppendAsync(TestUploads.Key, 0, new PartContent(source), AppendMode.KeepPartial, Token)).Offset);
        }

        await store.DeleteAsync(Part, null, Token);
        if (isAnnounced)
        {
            Assert.Equal(TestUploads.Bytes(200_000), await store.ReadAsync());
        }
        else
        {
            await Assert.ThrowsAsync<UploadStoreException>(async () => await store.ReadAsync());
        }
    }

    /// <summary>The service checks the condition of the deletion, and deletes later. Meanwhile, another server creates an upload with the key.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Upload_survives_a_late_deletion_only_if_the_deletion_is_marked(bool isMarked)
    {
        _server.Fault = request => !isMarked && request is { Method: "PUT", IsState: true } && IsMark(request) ? FakeS3Fault.Ignored : FakeS3Fault.None;
        var checkedCondition = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var deleted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _server.BeforeDeleteAsync = _ =>
        {
            checkedCondition.TrySetResult();
            return deleted.Task;
        };
        using TestBucket bucket = await _server.CreateBucketAsync();
        using S3UploadStore first = bucket.Open();
        var clock = new FakeTimeProvider();
        using S3UploadStore second = bucket.Open(clock);
        await first.CreateAsync();
        Task<DeleteResult> deletion = first.DeleteAsync(TestUploads.Key, null, Token).AsTask();
        await checkedCondition.Task.WaitAsync(Token);

        _server.ClearRequests();
        Task<UploadInfo> creation = second.CreateAsync();
        await Testing.Eventually.TrueAsync(() => isMarked ? _server.Requests.Any(static request => request is { Method: "GET", IsState: true }) : creation.IsCompleted, "the creation waits or has ended");
        deleted.SetResult();
        Assert.Equal(ChangeStatus.Succeeded, (await deletion).Status);
        await Testing.Eventually.TrueAsync(() => creation.IsCompleted, "the creation has ended", () => clock.Advance(TimeSpan.FromMilliseconds(100)));
        Assert.Equal(!isMarked, _server.Requests.Any(static request => request is { Method: "PUT", IsState: true, IfMatch: not null }));
        UploadInfo created = await creation;
        Assert.Equal(isMarked ? created.Version : null, (await second.GetAsync(TestUploads.Key, Token))?.Version);
    }

    private static bool IsMark(FakeS3Request request) => Encoding.UTF8.GetString(request.Body).Contains("\"phase\":3", StringComparison.Ordinal);

    private static FakeS3Request KeepEpoch(FakeS3Request request) => request is { Method: "PUT", IsState: true }
        ? request with { Body = Encoding.UTF8.GetBytes(Epoch.Replace(Encoding.UTF8.GetString(request.Body), "\"epoch\":1")) }
        : request;

    [GeneratedRegex("\"epoch\":[0-9]+")]
    private static partial Regex Epoch { get; }
}
