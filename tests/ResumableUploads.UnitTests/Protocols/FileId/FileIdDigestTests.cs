using System.Security.Cryptography;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.ProblemExpectations;

namespace ResumableUploads.UnitTests.Protocols.FileId;

/// <summary>Request bodies with digests (docs/protocols/file-id.md#digests).</summary>
public class FileIdDigestTests
{
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(1000);

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task Chunk_with_matching_digest_is_stored(bool inMemory, bool sha512)
    {
        await using TestApp app = await AppAsync(inMemory);
        await app.Client.AppendAsync("f", 0, File[..400], 1000, ("Content-Digest", DigestOf(File[..400], sha512))).ShouldHaveOffsetAsync(400);
        await app.Client.AppendAsync("f", 400, File[400..], 1000, ("Content-Digest", DigestOf(File[400..], sha512))).ShouldHaveOffsetAsync(1000, complete: true);
        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    [Theory]
    [InlineData(false, "Content-Digest", false)]
    [InlineData(false, "Content-Digest", true)]
    [InlineData(true, "Content-Digest", false)]
    [InlineData(false, "Repr-Digest", false)]
    [InlineData(false, "Repr-Digest", true)]
    [InlineData(true, "Repr-Digest", false)]
    public async Task Last_chunk_with_wrong_digest_leaves_offset_unchanged(bool inMemory, string header, bool chunked)
    {
        await using TestApp app = await AppAsync(inMemory);
        await app.Client.AppendAsync("f", 0, File[..400], 1000).ShouldHaveOffsetAsync(400);
        HttpContent Rest() => chunked ? Chunked(File[400..]) : new ByteArrayContent(File[400..]);
        await app.Client.AppendAsync("f", 400, Rest(), 1000, "/upload", (header, DigestOf([1], false))).ShouldBeProblemAsync(400, Own + "digest-mismatch", 400);
        Assert.Equal(400, await app.Client.StatusAsync("f"));
        await app.Client.AppendAsync("f", 400, Rest(), 1000, "/upload", (header, DigestOf(header[0] == 'C' ? File[400..] : File, false))).ShouldHaveOffsetAsync(1000, complete: true);
        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    [Fact]
    public async Task Repr_Digest_is_verified_only_with_last_chunk()
    {
        await using TestApp app = await AppAsync();
        await app.Client.AppendAsync("f", 0, File[..400], 1000, ("Repr-Digest", DigestOf(File, false))).ShouldHaveOffsetAsync(400);
        await app.Client.AppendAsync("f", 400, File[400..600], 1000, ("Repr-Digest", DigestOf(File, false))).ShouldHaveOffsetAsync(600);
        await app.Client.AppendAsync("f", 600, File[600..], 1000, ("Repr-Digest", DigestOf(File, false))).ShouldHaveOffsetAsync(1000, complete: true);
        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Repr_Digest_of_first_chunk_is_verified_at_completion(bool inMemory)
    {
        await using TestApp app = await AppAsync(inMemory);
        await app.Client.AppendAsync("f", 0, File[..400], 1000, ("Repr-Digest", DigestOf(File, false))).ShouldHaveOffsetAsync(400);
        await app.Client.AppendAsync("f", 400, File[400..], 1000).ShouldHaveOffsetAsync(1000, complete: true);
        Assert.Equal(DigestOf(File, false), Assert.Single(app.Finished).Upload.Digest);
    }

    [Fact]
    public async Task Repr_Digest_mismatch_never_completes_and_detail_says_delete()
    {
        await using TestApp app = await AppAsync();
        await app.Client.AppendAsync("f", 0, File[..400], 1000, ("Repr-Digest", DigestOf([1], false))).ShouldHaveOffsetAsync(400);
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage response = await app.Client.AppendAsync("f", i == 0 ? 400 : 1000, i == 0 ? File[400..] : [], 1000);
            Assert.Contains("Delete the upload", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            await response.ShouldBeProblemAsync(400, Own + "digest-mismatch", 1000);
        }

        Assert.Empty(app.Finished);
        (await app.Client.DeleteUploadAsync("f")).Dispose();
        await app.Client.AppendAsync("f", 0, File, 1000, ("Repr-Digest", DigestOf(File, false))).ShouldHaveOffsetAsync(1000, complete: true);
    }

    [Fact]
    public async Task First_chunk_with_wrong_digest_creates_nothing()
    {
        await using TestApp app = await AppAsync();
        await app.Client.AppendAsync("f", 0, File, 1000, ("Repr-Digest", DigestOf([1], false))).ShouldBeProblemAsync(400, Own + "digest-mismatch", 0);
        Assert.Empty(app.StoredFiles);
        await app.Client.AppendAsync("f", 0, File, 1000).ShouldHaveOffsetAsync(1000, complete: true);
        Assert.Null(Assert.Single(app.Finished).Upload.Digest);
    }

    [Fact]
    public async Task Handler_sees_digest_of_last_chunk()
    {
        await using TestApp app = await AppAsync();
        await app.Client.AppendAsync("f", 0, File[..400], 1000).ShouldHaveOffsetAsync(400);
        await app.Client.AppendAsync("f", 400, File[400..], 1000, ("Repr-Digest", DigestOf(File, true))).ShouldHaveOffsetAsync(1000, complete: true);
        Assert.Equal(DigestOf(File, true), Assert.Single(app.Finished).Upload.Digest);
    }

    [Fact]
    public async Task Repr_Digest_that_differs_from_the_announced_one_is_rejected()
    {
        await using TestApp app = await AppAsync();
        await app.Client.AppendAsync("f", 0, File[..400], 1000, ("Repr-Digest", DigestOf([1], false))).ShouldHaveOffsetAsync(400);
        await app.Client.AppendAsync("f", 400, File[400..], 1000, ("Repr-Digest", DigestOf(File, false))).ShouldBeProblemAsync(400, Own + "digest-mismatch", 400);
        await app.Client.AppendAsync("f", 400, File[400..], 1000, ("Repr-Digest", DigestOf(File, true))).ShouldBeProblemAsync(400, Own + "digest-mismatch", 400);
        Assert.Equal(400, await app.Client.StatusAsync("f"));
    }

    [Fact]
    public async Task First_supported_algorithm_is_verified()
    {
        await using TestApp app = await AppAsync();
        string right = DigestOf(File, false);
        string wrong = DigestOf([1], true);
        await app.Client.AppendAsync("f", 0, File, 1000, ("Content-Digest", $"{wrong}, {right}")).ShouldBeProblemAsync(400, Own + "digest-mismatch", 0);
        await app.Client.AppendAsync("f", 0, File, 1000, ("Content-Digest", $"md5=:AAAA:, {right}, {wrong}")).ShouldHaveOffsetAsync(1000, complete: true);
    }

    [Fact]
    public async Task Unsupported_algorithm_returns_400()
    {
        await using TestApp app = await AppAsync();
        await app.Client.AppendAsync("f", 0, File, 1000, ("Content-Digest", "md5=:1B2M2Y8AsgTpgAmY7PhCfg==:")).ShouldBeProblemAsync(400, Own + "bad-digest");
        await app.Client.AppendAsync("f", 0, File, 1000, ("Repr-Digest", "unixsum=:aQ==:")).ShouldBeProblemAsync(400, Own + "bad-digest");
        Assert.Equal(0, await app.Client.StatusAsync("f"));
    }

    [Fact]
    public async Task Content_beyond_size_with_digest_returns_413_and_keeps_nothing()
    {
        await using TestApp app = await AppAsync();
        byte[] tooMuch = [.. File, 1];
        await app.Client.AppendAsync("f", 0, Chunked(tooMuch), 1000, "/upload", ("Content-Digest", DigestOf(tooMuch, false)))
            .ShouldBeProblemAsync(413, Own + "upload-length-exceeded", 0);
        Assert.Equal(0, await app.Client.StatusAsync("f"));
    }

    [Fact]
    public async Task Content_too_large_to_stage_returns_413_and_keeps_nothing()
    {
        var store = new MemoryUploadStore(64 * 1024);
        await using TestApp app = await AppAsync(configure: options => options.Store = store);
        await app.Client.AppendAsync("f", 0, new byte[70_000], null, ("Content-Digest", DigestOf(File, false))).ShouldBeProblemAsync(413, Own + "digest-too-large", 0);
        Assert.Equal(0, store.UsedSize);
    }

    [Fact]
    public async Task Digest_of_empty_file_is_verified()
    {
        await using TestApp app = await AppAsync();
        await app.Client.AppendAsync("f", 0, [], 0, ("Repr-Digest", DigestOf([1], false))).ShouldBeProblemAsync(400, Own + "digest-mismatch", 0);
        await app.Client.AppendAsync("f", 0, [], 0, ("Repr-Digest", DigestOf([], false)), ("Content-Digest", DigestOf([], true))).ShouldHaveOffsetAsync(0, complete: true);
    }

    private static string DigestOf(byte[] bytes, bool sha512) => sha512
        ? $"sha-512=:{Convert.ToBase64String(SHA512.HashData(bytes))}:"
        : $"sha-256=:{Convert.ToBase64String(SHA256.HashData(bytes))}:";
}
