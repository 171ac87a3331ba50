using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Endpoints.Execution;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Execution;

public class EndpointContentStreamTests
{
    public static TheoryData<bool, int> Positions => new() { { false, 0 }, { false, 2 }, { false, 3 }, { true, 0 }, { true, 2 }, { true, 3 } };

    [Theory]
    [MemberData(nameof(Positions))]
    public async Task Content_ends_normally_from_any_position(bool seeks, int position)
    {
        await using var content = new EndpointContentStream(new MemoryStream([1, 2, 3]), 3);
        for (int i = 0; i < 2; i++)
        {
            Move(content, seeks, position);
            using var copy = new MemoryStream();
            await content.CopyToAsync(copy);
            Assert.Equal(new byte[] { 1, 2, 3 }[position..], copy.ToArray());
        }

        content.ThrowIfReadFailed();
    }

    [Theory]
    [MemberData(nameof(Positions))]
    public async Task Content_that_ends_early_throws_from_any_position(bool seeks, int position)
    {
        await using var content = new EndpointContentStream(new MemoryStream([1, 2, 3]), 4);
        for (int i = 0; i < 2; i++)
        {
            Move(content, seeks, position);
            await Assert.ThrowsAsync<UploadStoreException>(() => content.CopyToAsync(Stream.Null));
        }
    }

    private static void Move(EndpointContentStream content, bool seeks, int position)
    {
        if (seeks)
        {
            content.Seek(position, SeekOrigin.Begin);
        }
        else
        {
            content.Position = position;
        }
    }
}
