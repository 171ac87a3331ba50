using ResumableUploads.Abstractions;
using ResumableUploads.S3;
using ResumableUploads.TestKit.Support;
using ResumableUploads.Testing.S3;

namespace ResumableUploads.FunctionalTests.Stores.S3.Fake;

/// <summary>A server that is paused before a write, while another server takes over the upload. The write of the first one never counts.</summary>
public sealed class PausedWriterTests(FakeS3Server server) : IClassFixture<FakeS3Server>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("segment", 0)]
    [InlineData("segment", 300_000)]
    [InlineData("end", 0)]
    [InlineData("end", 400)]
    [InlineData("end", 300_000)]
    public async Task Append_of_paused_writer_returns_TakenOver_and_changes_nothing(string pausedAt, int appendedByOther)
    {
        using TestBucket bucket = await server.CreateBucketAsync();
        using S3UploadStore first = bucket.Open();
        using S3UploadStore second = bucket.Open();
        await first.CreateAsync();
        using Pause pause = PauseAt(bucket, pausedAt);
        Task<AppendResult> append = first.AppendAsync(0, TestUploads.Bytes(200_000));
        await pause.Reached.WaitAsync(Token);

        Assert.Equal(AppendStatus.Busy, (await second.AppendAsync(0, TestUploads.Bytes(10, 2))).Status);
        Assert.Equal(TakeoverStatus.Released, await second.TakeOverAsync(TestUploads.Key, TimeSpan.FromSeconds(1), Token));
        if (appendedByOther > 0)
        {
            Assert.Equal(AppendStatus.Appended, (await second.AppendAsync(0, TestUploads.Bytes(appendedByOther, 2))).Status);
        }

        pause.Continue();
        AppendResult result = await append;
        Assert.Equal(new AppendResult(AppendStatus.TakenOver, appendedByOther, null), result);
        Assert.Equal(TestUploads.Bytes(appendedByOther, 2), await second.ReadAsync());
        Assert.Equal(appendedByOther + 5, (await first.AppendAsync(appendedByOther, TestUploads.Bytes(5, 3))).Offset);

        // Nothing of the first append is left.
        await second.CleanUpAsync(Token);
        int segments = ((appendedByOther + 65_535) / 65_536) + 1;
        Assert.Equal(segments + 1, server.GetKeys(bucket.Name).Count);
    }

    [Fact]
    public async Task Writer_that_is_paused_before_its_claim_does_not_read_the_content()
    {
        using TestBucket bucket = await server.CreateBucketAsync();
        using S3UploadStore first = bucket.Open();
        using S3UploadStore second = bucket.Open();
        await first.CreateAsync();
        using Pause pause = PauseAt(bucket, "claim");
        RecordingContent content = RecordingContent.FromBytes(TestUploads.Bytes(1000));
        Task<AppendResult> append = first.AppendAsync(TestUploads.Key, 0, content, AppendMode.KeepPartial, Token).AsTask();
        await pause.Reached.WaitAsync(Token);
        Assert.Equal(10, (await second.AppendAsync(0, TestUploads.Bytes(10, 2))).Offset);
        pause.Continue();
        Assert.Equal((AppendStatus.OffsetMismatch, 10L), ((await append).Status, (await append).Offset));
        Assert.Equal(0, content.ReadCount);
    }

    [Theory]
    [InlineData(AppendMode.KeepPartial)]
    [InlineData(AppendMode.AllOrNothing)]
    public async Task Paused_writer_does_not_touch_a_new_upload_with_the_key(AppendMode mode)
    {
        using TestBucket bucket = await server.CreateBucketAsync();
        using S3UploadStore first = bucket.Open();
        using S3UploadStore second = bucket.Open();
        await first.CreateAsync();
        using Pause pause = PauseAt(bucket, "end");
        Task<AppendResult> append = first.AppendAsync(0, TestUploads.Bytes(1000), mode: mode);
        await pause.Reached.WaitAsync(Token);
        await second.DeleteAsync(TestUploads.Key, null, Token);
        await second.CreateAsync();
        pause.Continue();
        Assert.Equal(new AppendResult(AppendStatus.NotFound, 0, null), await append);
        Assert.Empty(await second.ReadAsync());
        await second.CleanUpAsync(Token);
        Assert.Single(server.GetKeys(bucket.Name));
    }

    /// <summary>The client of a part has continued at another server, which has concatenated the part and deleted it.</summary>
    [Fact]
    public async Task Paused_writer_of_deleted_part_keeps_the_segments_of_its_concatenation()
    {
        var part = new UploadKey("owner", "part");
        using TestBucket bucket = await server.CreateBucketAsync();
        using S3UploadStore first = bucket.Open(configure: static options => options.SyncSize = 1);
        using S3UploadStore second = bucket.Open();
        await first.CreateAsync(part);
        var content = new RecordingContent();
        Task<AppendResult> append = first.AppendAsync(part, 0, content, AppendMode.KeepPartial, Token).AsTask();
        content.Send(TestUploads.Bytes(131_072));
        await Testing.Eventually.TrueAsync(() => content.ReportedOffsets is [.., 131_072], "two segments are durable");
        Assert.Equal(TakeoverStatus.Released, await second.TakeOverAsync(part, TimeSpan.FromSeconds(1), Token));
        await second.CreateAsync();
        await second.AppendUploadAsync(TestUploads.Key, 0, part);
        Assert.Equal(ChangeStatus.Succeeded, (await second.DeleteAsync(part, null, Token)).Status);

        content.Send(TestUploads.Bytes(100_000));
        content.Complete();
        Assert.Equal(AppendStatus.NotFound, (await append).Status);
        await second.CleanUpAsync(Token);
        Assert.Equal(TestUploads.Bytes(131_072), await second.ReadAsync());
    }

    [Fact]
    public async Task Completion_of_paused_server_is_refused_with_its_response()
    {
        using TestBucket bucket = await server.CreateBucketAsync();
        using S3UploadStore first = bucket.Open();
        using S3UploadStore second = bucket.Open();
        UploadInfo info = await first.CreateReceivedAsync(TestUploads.Bytes(100));
        var record = new UploadRecord { State = UploadState.Completed };
        using Pause pause = PauseAt(bucket, "end");
        Task<UpdateResult> completion = first.CompleteAsync(info.Key, info.Version, record, TestUploads.Bytes(10), Token).AsTask();
        await pause.Reached.WaitAsync(Token);
        Assert.Equal(ChangeStatus.Succeeded, (await second.CompleteAsync(info.Key, info.Version, record, TestUploads.Bytes(10, 2), Token)).Status);
        pause.Continue();
        Assert.Equal(ChangeStatus.VersionMismatch, (await completion).Status);
        Assert.Equal(TestUploads.Bytes(10, 2), (await second.GetResponseAsync(info.Key, Token))?.ToArray());
    }

    /// <summary>A server stops between the two writes of a replacement. Another one takes the replacement for abandoned, and continues with it.</summary>
    [Fact]
    public async Task Replacement_by_paused_server_is_refused_after_another_has_ended_it()
    {
        var other = new UploadKey("owner", "replacement");
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        using TestBucket bucket = await server.CreateBucketAsync();
        using S3UploadStore first = bucket.Open();
        using S3UploadStore second = bucket.Open(clock);
        await first.CreateAsync();
        UploadInfo old = await first.GetAsync();
        await first.CreateAsync(other);
        await first.AppendAsync(0, TestUploads.Bytes(300, 2), other);
        UploadInfo replacement = await first.GetAsync(other);
        using Pause pause = PauseAt(bucket, request => request is { Method: "PUT", IsState: true } && request.Key.EndsWith(TestUploads.Key.Id, StringComparison.Ordinal));
        Task<UpdateResult> replacing = first.ReplaceAsync(old.Key, old.Version, other, replacement.Version, Token).AsTask();
        await pause.Reached.WaitAsync(Token);

        Assert.Equal(AppendStatus.Busy, (await second.AppendAsync(300, TestUploads.Bytes(5, 3), other)).Status);
        clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(305, (await second.AppendAsync(300, TestUploads.Bytes(5, 3), other)).Offset);
        pause.Continue();
        Assert.Equal(ChangeStatus.VersionMismatch, (await replacing).Status);
        Assert.Equal(old.Version, (await second.GetAsync()).Version);
        byte[] expected = [.. TestUploads.Bytes(300, 2), .. TestUploads.Bytes(5, 3)];
        Assert.Equal(expected, await second.ReadAsync(other));
    }

    /// <summary>The process of the writer has died: nothing writes its state any more, and no request takes it over.</summary>
    [Fact]
    public async Task Claim_of_dead_writer_ends_by_the_clock_of_the_observer()
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        using TestBucket bucket = await server.CreateBucketAsync();
        using S3UploadStore dead = bucket.Open(new Microsoft.Extensions.Time.Testing.FakeTimeProvider());
        using S3UploadStore observer = bucket.Open(clock);
        UploadInfo created = await dead.CreateAsync();
        var content = new RecordingContent();
        Task<AppendResult> append = dead.AppendAsync(TestUploads.Key, 0, content, AppendMode.KeepPartial, Token).AsTask();
        await content.FirstReadTask.WaitAsync(Token);
        Assert.Equal(ChangeStatus.Busy, (await observer.DeleteAsync(created.Key, created.Version, Token)).Status);
        clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(ChangeStatus.Busy, (await observer.DeleteAsync(created.Key, created.Version, Token)).Status);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(ChangeStatus.Succeeded, (await observer.DeleteAsync(created.Key, created.Version, Token)).Status);
        content.Complete();
        Assert.Equal(AppendStatus.NotFound, (await append).Status);
    }

    private Pause PauseAt(TestBucket bucket, string write) => PauseAt(bucket, request => write == "segment"
        ? request is { Method: "PUT", IsData: true }
        : request is { Method: "PUT", IsState: true }
            && System.Text.Encoding.UTF8.GetString(request.Body).Contains("\"writer\":true", StringComparison.Ordinal) == (write == "claim"));

    private Pause PauseAt(TestBucket bucket, Func<FakeS3Request, bool> selects)
    {
        var pause = new Pause(server);
        server.BeforeAsync = request => request.Bucket == bucket.Name && selects(request) ? pause.WaitAsync() : Task.CompletedTask;
        return pause;
    }

    /// <summary>Holds the first request that it selects.</summary>
    private sealed class Pause(FakeS3Server server) : IDisposable
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _continued = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Reached => _reached.Task;

        public Task WaitAsync() => _reached.TrySetResult() ? _continued.Task : Task.CompletedTask;

        public void Continue() => _continued.TrySetResult();

        public void Dispose()
        {
            Continue();
            server.BeforeAsync = static _ => Task.CompletedTask;
        }
    }
}
