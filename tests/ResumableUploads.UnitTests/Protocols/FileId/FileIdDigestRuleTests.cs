using System.Security.Cryptography;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.ProblemExpectations;

namespace ResumableUploads.UnitTests.Protocols.FileId;

/// <summary>Rule F-10: bytes under a digest count when it matches.</summary>
public class FileIdDigestRuleTests
{
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(1000);

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task F10_pieces_under_the_right_digest_are_kept(bool inMemory, bool sha512)
    {
        await using TestApp app = await AppAsync(inMemory);
        await app.Client.AppendAsync("f", 0, File[..400], 1000, ("Content-Digest", Of(File[..400], sha512))).ShouldHoldAsync(400);
        await app.Client.AppendAsync("f", 400, File[400..], 1000, ("Content-Digest", Of(File[400..], sha512))).ShouldHoldAsync(1000, complete: true);
        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    [Theory]
    [InlineData(false, "Content-Digest", false)]
    [InlineData(false, "Content-Digest", true)]
    [InlineData(true, "Content-Digest", false)]
    [InlineData(false, "Repr-Digest", false)]
    [InlineData(false, "Repr-Digest", true)]
    [InlineData(true, "Repr-Digest", false)]
    public async Task F10_a_last_piece_under_a_wrong_digest_leaves_the_number_where_it_was(bool inMemory, string header, bool chunked)
    {
        await using TestApp app = await AppAsync(inMemory);
        await app.Client.AppendAsync("f", 0, File[..400], 1000).ShouldHoldAsync(400);
        HttpContent Rest() => chunked ? Chunked(File[400..]) : new ByteArrayContent(File[400..]);
        await app.Client.AppendAsync("f", 400, Rest(), 1000, "/upload", (header, Of([1], false))).ShouldBeProblemAsync(400, Own + "digest-mismatch", 400);
        Assert.Equal(400, await app.Client.StatusAsync("f"));
        await app.Client.AppendAsync("f", 400, Rest(), 1000, "/upload", (header, Of(header[0] == 'C' ? File[400..] : File, false))).ShouldHoldAsync(1000, complete: true);
        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    [Fact]
    public async Task F10_a_digest_of_the_whole_is_looked_at_with_the_last_piece_only()
    {
        await using TestApp app = await AppAsync();
        await app.Client.AppendAsync("f", 0, File[..400], 1000, ("Repr-Digest", Of(File, false))).ShouldHoldAsync(400);
        await app.Client.AppendAsync("f", 400, File[400..600], 1000, ("Repr-Digest", Of(File, false))).ShouldHoldAsync(600);
        await app.Client.AppendAsync("f", 600, File[600..], 1000, ("Repr-Digest", Of(File, false))).ShouldHoldAsync(1000, complete: true);
        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task F10_a_digest_announced_at_the_first_piece_is_verified_at_the_end(bool inMemory)
    {
        await using TestApp app = await AppAsync(inMemory);
        await app.Client.AppendAsync("f", 0, File[..400], 1000, ("Repr-Digest", Of(File, false))).ShouldHoldAsync(400);
        await app.Client.AppendAsync("f", 400, File[400..], 1000).ShouldHoldAsync(1000, complete: true);
        Assert.Equal(Of(File, false), Assert.Single(app.Finished).Upload.Digest);
    }

    [Fact]
    public async Task F10_a_file_that_is_not_what_was_announced_never_finishes_and_the_answer_says_to_delete_it()
    {
        await using TestApp app = await AppAsync();
        await app.Client.AppendAsync("f", 0, File[..400], 1000, ("Repr-Digest", Of([1], false))).ShouldHoldAsync(400);
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage response = await app.Client.AppendAsync("f", i == 0 ? 400 : 1000, i == 0 ? File[400..] : [], 1000);
            Assert.Contains("Delete the upload", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            await response.ShouldBeProblemAsync(400, Own + "digest-mismatch", 1000);
        }

        Assert.Empty(app.Finished);
        (await app.Client.DeleteUploadAsync("f")).Dispose();
        await app.Client.AppendAsync("f", 0, File, 1000, ("Repr-Digest", Of(File, false))).ShouldHoldAsync(1000, complete: true);
    }

    [Fact]
    public async Task F10_a_first_piece_under_a_wrong_digest_does_not_bind_the_next_try()
    {
        await using TestApp app = await AppAsync();
        await app.Client.AppendAsync("f", 0, File, 1000, ("Repr-Digest", Of([1], false))).ShouldBeProblemAsync(400, Own + "digest-mismatch", 0);
        Assert.Empty(Directory.EnumerateFiles(app.Directory, "*", SearchOption.AllDirectories));
        await app.Client.AppendAsync("f", 0, File, 1000).ShouldHoldAsync(1000, complete: true);
        Assert.Null(Assert.Single(app.Finished).Upload.Digest);
    }

    [Fact]
    public async Task F10_the_digest_of_the_last_piece_is_what_the_handler_is_told()
    {
        await using TestApp app = await AppAsync();
        await app.Client.AppendAsync("f", 0, File[..400], 1000).ShouldHoldAsync(400);
        await app.Client.AppendAsync("f", 400, File[400..], 1000, ("Repr-Digest", Of(File, true))).ShouldHoldAsync(1000, complete: true);
        await app.Client.AppendAsync("g", 0, File[..400], 1000, ("Repr-Digest", Of([1], false))).ShouldHoldAsync(400);
        await app.Client.AppendAsync("g", 400, File[400..], 1000, ("Repr-Digest", Of(File, true))).ShouldHoldAsync(1000, complete: true);
        Assert.All(app.Finished, static finished => Assert.Equal(Of(File, true), finished.Upload.Digest));
    }

    [Fact]
    public async Task F10_of_two_algorithms_the_first_that_is_known_counts()
    {
        await using TestApp app = await AppAsync();
        string right = Of(File, false);
        string wrong = Of([1], true);
        await app.Client.AppendAsync("f", 0, File, 1000, ("Content-Digest", $"{wrong}, {right}")).ShouldBeProblemAsync(400, Own + "digest-mismatch", 0);
        await app.Client.AppendAsync("f", 0, File, 1000, ("Content-Digest", $"md5=:AAAA:, {right}, {wrong}")).ShouldHoldAsync(1000, complete: true);
    }

    [Fact]
    public async Task F10_an_algorithm_that_is_not_known_here_is_400()
    {
        await using TestApp app = await AppAsync();
        await app.Client.AppendAsync("f", 0, File, 1000, ("Content-Digest", "md5=:1B2M2Y8AsgTpgAmY7PhCfg==:")).ShouldBeProblemAsync(400, Own + "bad-digest");
        await app.Client.AppendAsync("f", 0, File, 1000, ("Repr-Digest", "unixsum=:aQ==:")).ShouldBeProblemAsync(400, Own + "bad-digest");
        Assert.Equal(0, await app.Client.StatusAsync("f"));
    }

    [Fact]
    public async Task F10_more_than_fits_is_413_and_nothing_of_it_counts_under_a_digest()
    {
        await using TestApp app = await AppAsync();
        byte[] tooMuch = [.. File, 1];
        await app.Client.AppendAsync("f", 0, Chunked(tooMuch), 1000, "/upload", ("Content-Digest", Of(tooMuch, false)))
            .ShouldBeProblemAsync(413, Own + "upload-length-exceeded", 0);
        Assert.Equal(0, await app.Client.StatusAsync("f"));
    }

    [Fact]
    public async Task F10_more_than_can_be_held_back_is_413_and_leaves_nothing()
    {
        var store = new MemoryUploadStore(64 * 1024);
        await using TestApp app = await AppAsync(configure: options => options.Store = store);
        await app.Client.AppendAsync("f", 0, new byte[70_000], null, ("Content-Digest", Of(File, false))).ShouldBeProblemAsync(413, Own + "digest-too-large", 0);
        Assert.Equal(0, store.UsedSize);
    }

    [Fact]
    public async Task F10_an_empty_file_has_a_digest_too()
    {
        await using TestApp app = await AppAsync();
        await app.Client.AppendAsync("f", 0, [], 0, ("Repr-Digest", Of([1], false))).ShouldBeProblemAsync(400, Own + "digest-mismatch", 0);
        await app.Client.AppendAsync("f", 0, [], 0, ("Repr-Digest", Of([], false)), ("Content-Digest", Of([], true))).ShouldHoldAsync(0, complete: true);
    }

    private static string Of(byte[] bytes, bool sha512) => sha512
        ? $"sha-512=:{Convert.ToBase64String(SHA512.HashData(bytes))}:"
        : $"sha-256=:{Convert.ToBase64String(SHA256.HashData(bytes))}:";
}
