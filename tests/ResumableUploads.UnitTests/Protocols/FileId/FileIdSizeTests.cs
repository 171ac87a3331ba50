using System.Security.Cryptography;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.ProblemExpectations;

namespace ResumableUploads.UnitTests.Protocols.FileId;

/// <summary>The size of the file, and completion (docs/protocols/file-id.md#file-size and #completion).</summary>
public class FileIdSizeTests
{
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(1000);

    [Fact]
    public async Task Size_may_be_sent_late_and_is_fixed_afterwards()
    {
        await using TestApp app = await AppAsync(configure: static options => options.FileId.CompleteOnFullBody = false);
        await app.Client.AppendAsync("f", 0, File[..300]).ShouldHaveOffsetAsync(300);
        await app.Client.AppendAsync("f", 300, File[300..600], 1000).ShouldHaveOffsetAsync(600);
        await app.Client.AppendAsync("f", 600, File[600..], 1001).ShouldBeProblemAsync(400, LengthConflict, 600);
        await app.Client.AppendAsync("f", 600, File[600..900]).ShouldHaveOffsetAsync(900);
        await app.Client.AppendAsync("f", 900, File[900..]).ShouldHaveOffsetAsync(1000, complete: true);
        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    [Fact]
    public async Task Late_size_below_offset_returns_400()
    {
        await using TestApp app = await AppAsync(configure: static options => options.FileId.CompleteOnFullBody = false);
        await app.Client.AppendAsync("f", 0, File[..300]).ShouldHaveOffsetAsync(300);
        await app.Client.AppendAsync("f", 0, [], 299).ShouldBeProblemAsync(400, LengthConflict, 300);
        await app.Client.AppendAsync("f", 300, [], 300).ShouldHaveOffsetAsync(300, complete: true);
    }

    [Theory]
    [InlineData(999)]
    [InlineData(1001)]
    [InlineData(400)]
    public async Task Changed_size_returns_400_and_changes_nothing(long size)
    {
        await using TestApp app = await AppAsync();
        await app.Client.AppendAsync("f", 0, File[..400], 1000).ShouldHaveOffsetAsync(400);
        await app.Client.AppendAsync("f", 400, [], size).ShouldBeProblemAsync(400, LengthConflict, 400);
        await app.Client.AppendAsync("f", 400, File[400..], 1000).ShouldHaveOffsetAsync(1000, complete: true);
    }

    [Fact]
    public async Task Changed_size_of_complete_upload_returns_400()
    {
        await using TestApp app = await AppAsync();
        await app.Client.AppendAsync("f", 0, File, 1000).ShouldHaveOffsetAsync(1000, complete: true);
        await app.Client.AppendAsync("f", 1000, [], 1001).ShouldBeProblemAsync(409, Own + "different-content", 1000);
        await app.Client.AppendAsync("f", 1000, [], 1000).ShouldHaveOffsetAsync(1000, complete: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Content_Length_beyond_size_returns_413_before_body_is_read(bool inMemory)
    {
        await using TestApp app = await AppAsync(inMemory);
        await app.Client.AppendAsync("new", 0, new byte[1001], 1000).ShouldBeProblemAsync(413, Own + "upload-length-exceeded");
        Assert.Empty(app.StoredFiles);
        await app.Client.AppendAsync("f", 0, File[..400], 1000).ShouldHaveOffsetAsync(400);
        await app.Client.AppendAsync("f", 400, new byte[601]).ShouldBeProblemAsync(413, Own + "upload-length-exceeded", 400);
        await app.Client.AppendAsync("f", 400, new byte[601], 1000).ShouldBeProblemAsync(413, Own + "upload-length-exceeded");
        await app.Client.AppendAsync("f", 400, File[400..], 1000).ShouldHaveOffsetAsync(1000, complete: true);
        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Chunked_body_beyond_size_keeps_what_fits_and_does_not_complete(bool inMemory)
    {
        await using TestApp app = await AppAsync(inMemory);
        await app.Client.AppendAsync("f", 0, Chunked([.. File, 1, 2, 3]), 1000).ShouldBeProblemAsync(413, Own + "upload-length-exceeded", 1000);
        Assert.Equal(1000, await app.Client.StatusAsync("f"));
        Assert.Empty(app.Finished);
        await app.Client.AppendAsync("f", 1000, Chunked([1])).ShouldBeProblemAsync(413, Own + "upload-length-exceeded", 1000);
        Assert.Empty(app.Finished);
        await app.Client.AppendAsync("f", 1000, [], 1000).ShouldHaveOffsetAsync(1000, complete: true);
        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Full_body_without_size_completes_upload(bool chunked)
    {
        await using TestApp app = await AppAsync();
        await app.Client.AppendAsync("f", 0, chunked ? Chunked(File) : new ByteArrayContent(File)).ShouldHaveOffsetAsync(1000, complete: true);
        Assert.Equal(File, Assert.Single(app.Finished).Content);
        Assert.Equal(1000, Assert.Single(app.Finished).Upload.Length);
    }

    [Fact]
    public async Task Full_body_without_CompleteOnFullBody_is_a_chunk()
    {
        await using TestApp app = await AppAsync(configure: static options => options.FileId.CompleteOnFullBody = false);
        await app.Client.AppendAsync("f", 0, File[..500]).ShouldHaveOffsetAsync(500);
        await app.Client.AppendAsync("f", 500, File[500..]).ShouldHaveOffsetAsync(1000);
        await app.Client.AppendAsync("f", 1000, []).ShouldHaveOffsetAsync(1000);
        Assert.Empty(app.Finished);
        await app.Client.AppendAsync("f", 1000, [], 1000).ShouldHaveOffsetAsync(1000, complete: true);
    }

    [Theory]
    [InlineData(false, false, true)]
    [InlineData(false, true, true)]
    [InlineData(true, false, false)]
    [InlineData(true, true, true)]
    public async Task Empty_file_completes_upload(bool inMemory, bool chunked, bool withSize)
    {
        await using TestApp app = await AppAsync(inMemory);
        await app.Client.AppendAsync("f", 0, chunked ? Chunked([]) : new ByteArrayContent([]), withSize ? 0 : null).ShouldHaveOffsetAsync(0, complete: true);
        Assert.Empty(Assert.Single(app.Finished).Content);
        await app.Client.AppendAsync("f", 0, [], 0).ShouldHaveOffsetAsync(0, complete: true);
        Assert.Single(app.Finished);
    }

    [Fact]
    public async Task Upload_above_MaxUploadSize_returns_413()
    {
        await using TestApp app = await AppAsync(configure: static options => options.MaxUploadSize = 500);
        await app.Client.AppendAsync("f", 0, [1], 501).ShouldBeProblemAsync(413, Own + "too-large");
        await app.Client.AppendAsync("f", 0, new byte[501]).ShouldBeProblemAsync(413, Own + "too-large");
        await app.Client.AppendAsync("f", 0, Chunked(File)).ShouldBeProblemAsync(413, Own + "too-large", 500);
        Assert.Equal(500, await app.Client.StatusAsync("f"));
        Assert.Empty(app.Finished);
        await app.Client.AppendAsync("g", 0, File[..500]).ShouldHaveOffsetAsync(500, complete: true);
    }
}
