using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.S3;
using ResumableUploads.Testing.S3;

namespace ResumableUploads.FunctionalTests.Stores.S3.Fake;

/// <summary>A store remembers the states that it has written. Another server has changed one since.</summary>
public sealed class RememberedStateTests(FakeS3Server server) : IClassFixture<FakeS3Server>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Append_to_a_record_that_another_server_has_changed_succeeds()
    {
        using TestBucket bucket = await server.CreateBucketAsync();
        using S3UploadStore first = bucket.Open();
        using S3UploadStore second = bucket.Open();
        UploadInfo created = await first.CreateAsync();
        UploadInfo changed = (await second.UpdateAsync(created.Key, created.Version, created.Record with { Data = TestUploads.Bytes(5) }, Token)).Info!;
        AppendResult result = await first.AppendAsync(created.Key, 0, new ContentFor(changed.Record), AppendMode.KeepPartial, Token);
        Assert.Equal((AppendStatus.Appended, 3L), (result.Status, result.Offset));
    }

    [Fact]
    public async Task Append_to_another_record_is_busy()
    {
        using TestBucket bucket = await server.CreateBucketAsync();
        using S3UploadStore store = bucket.Open();
        UploadInfo created = await store.CreateAsync();
        var content = new ContentFor(created.Record with { Data = TestUploads.Bytes(5) });
        Assert.Equal(AppendStatus.Busy, (await store.AppendAsync(created.Key, 0, content, AppendMode.KeepPartial, Token)).Status);
    }

    /// <summary>Content of three bytes that was sent for one record, as the engine sends it.</summary>
    private sealed class ContentFor(UploadRecord expected) : UploadContent
    {
        public override PipeReader Reader { get; } = PipeReader.Create(new System.Buffers.ReadOnlySequence<byte>(TestUploads.Bytes(3)));

        public override bool CanAppendTo(UploadRecord record) => record.Data.Span.SequenceEqual(expected.Data.Span);

        public override void ReportDurable(long durableOffset)
        {
        }

        public override ValueTask<bool> ShouldCommitAsync(CancellationToken cancellationToken) => ValueTask.FromResult(true);
    }
}
