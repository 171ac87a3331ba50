using System.Text;
using ResumableUploads.Abstractions;
using ResumableUploads.S3.Content;
using ResumableUploads.S3.State;

namespace ResumableUploads.UnitTests.Stores.S3;

public class UploadDocumentTests
{
    private const int MiB = 1 << 20;
    private static readonly DateTimeOffset Now = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly UploadKey Key = new("owner", "upload");

    [Fact]
    public void Segments_of_equal_length_are_one_run()
    {
        UploadDocument document = Create().WithSegments(Enumerable.Range(0, 1000).Select(static i => new SegmentRun(1, i, 1, 100)), 0, Now);
        Assert.Equal([new SegmentRun(1, 0, 1000, 100)], document.Segments);
        document = document.WithSegments([new SegmentRun(1, 1000, 1, 99), new SegmentRun(2, 0, 1, 99)], 100_000, Now);
        Assert.Equal((100_198L, 3), (document.Offset, document.Segments.Count));
        Assert.InRange(DocumentJsonContext.Serialize(document).Length, 1, 500);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Segments_that_a_lost_write_has_named_are_not_added_again(int named)
    {
        SegmentRun[] segments = [new(1, 0, 1, 100), new(1, 1, 1, 100), new(1, 2, 1, 50)];
        UploadDocument known = Create().WithSegments([new SegmentRun(9, 0, 1, 7)], 0, Now);
        UploadDocument document = known.WithSegments(segments.Take(named), 7, Now).WithSegments(segments, 7, Now);
        Assert.Equal(known.WithSegments(segments, 7, Now).Segments, document.Segments);
        Assert.Equal(257, document.Offset);
    }

    [Fact]
    public void Same_segments_of_another_upload_can_be_named_twice()
    {
        SegmentRun part = new(1, 0, 2, 100, "owner/part/nonce");
        UploadDocument document = Create().WithSegments([part], 0, Now).WithSegments([part], 200, Now);
        Assert.Equal((400L, 2), (document.Offset, document.Segments.Count));
    }

    [Fact]
    public void Document_round_trips()
    {
        UploadDocument document = Create().WithSegments([new SegmentRun(1, 0, 1, 5)], 0, Now).WithEpoch(hasWriter: true).WithWrite("id") with { Response = [1, 2] };
        UploadDocument read = DocumentJsonContext.Deserialize(DocumentJsonContext.Serialize(document), "name");
        Assert.Equal(document.Version, read.Version);
        Assert.Equal((document.Epoch, document.HasWriter), (read.Epoch, read.HasWriter));
        Assert.Equal(document.Writes, read.Writes);
        Assert.Equal(document.Segments, read.Segments);
        Assert.Equal(document.Data, read.Data);
        Assert.Equal([1, 2], read.Response);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("{\"format\":2,\"nonce\":\"n\",\"folder\":\"f\"}")]
    [InlineData("{\"format\":1,\"folder\":\"f\"}")]
    [InlineData("{\"format\":1,\"nonce\":\"n\",\"folder\":\"f\",\"offset\":1}")]
    public void Damaged_document_is_corrupt(string text)
    {
        UploadStoreException failure = Assert.Throws<UploadStoreException>(() => DocumentJsonContext.Deserialize(Encoding.UTF8.GetBytes(text), "name"));
        Assert.Equal(StoreFailure.Corrupt, failure.Failure);
    }

    [Theory]
    [InlineData(5 * MiB, 1)]
    [InlineData(64 * 1024, 400)]
    [InlineData(6 * MiB, 3)]
    [InlineData((5 * MiB) - 1, 7)]
    [InlineData(16 * MiB, 20_000)]
    public void Parts_cover_the_content_and_all_but_the_last_have_5_MiB(int segmentLength, int count)
    {
        UploadDocument document = Create().WithSegments(
            Enumerable.Range(0, count).Select(i => new SegmentRun(1, i, 1, segmentLength)).Append(new SegmentRun(2, 0, 1, 3)), 0, Now);
        ContentPart[] parts = [.. PartPlan.Create(document)];
        Assert.InRange(parts.Length, 1, 10_000);
        long position = 0;
        foreach (ContentPart part in parts)
        {
            Assert.Equal(position, part.Start);
            Assert.True(part.Source is not { } source || (source.Start <= part.Start && part.Start + part.Length <= source.End));
            position += part.Length;
        }

        Assert.Equal(document.Offset, position);
        Assert.All(parts.SkipLast(1), static part => Assert.InRange(part.Length, PartPlan.MinPartLength, 5L << 30));
    }

    private static UploadDocument Create() => UploadDocument.Create(Key, new UploadRecord { Length = 5, Data = new byte[] { 1, 2, 3 } }, Now);
}
