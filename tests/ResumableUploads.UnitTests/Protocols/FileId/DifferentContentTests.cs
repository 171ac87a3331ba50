using System.Security.Cryptography;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.ProblemExpectations;

namespace ResumableUploads.UnitTests.Protocols.FileId;

/// <summary>A request whose size or digest differs from the finished upload is about another file (docs/protocols/file-id.md#repeated-requests).</summary>
public class DifferentContentTests
{
    private const string DifferentContent = Own + "different-content";
    private static readonly byte[] File = "abcdef"u8.ToArray();
    private static readonly byte[] OtherFile = "ABCDEF"u8.ToArray();

    public static readonly TheoryData<bool, bool> StoresAndDigests = new() { { false, false }, { false, true }, { true, false }, { true, true } };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Append_with_other_size_than_complete_upload_returns_409(bool inMemory)
    {
        await using TestApp app = await AppAsync(inMemory);
        await app.Client.AppendAsync("f", 0, File, 6).ShouldHaveOffsetAsync(6, complete: true);

        await app.Client.AppendAsync("f", 6, [], 7).ShouldBeProblemAsync(409, DifferentContent, 6);
        await app.Client.AppendAsync("f", 0, [], 7).ShouldBeProblemAsync(409, DifferentContent, 6);
        await app.Client.AppendAsync("f", 0, "abcdefg"u8.ToArray(), 7).ShouldBeProblemAsync(409, DifferentContent, 6);
        await app.Client.AppendAsync("f", 6, "g"u8.ToArray(), 7).ShouldBeProblemAsync(409, DifferentContent, 6);
        await app.Client.AppendAsync("f", 0, [], 5).ShouldBeProblemAsync(409, DifferentContent, 6);
        await app.Client.AppendAsync("f", 0, "abcde"u8.ToArray(), 5).ShouldBeProblemAsync(409, DifferentContent, 6);
        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    /// <param name="inMemory">Whether the store is in memory.</param>
    /// <param name="isKnown">Whether the first client sent a digest, so that the server does not compute it.</param>
    [Theory]
    [MemberData(nameof(StoresAndDigests))]
    public async Task Append_with_other_digest_than_complete_upload_returns_409(bool inMemory, bool isKnown)
    {
        await using TestApp app = await AppAsync(inMemory);
        (string, string)[] known = isKnown ? [("Repr-Digest", Sha256(File))] : [];
        await app.Client.AppendAsync("f", 0, File, 6, known).ShouldHaveOffsetAsync(6, complete: true);

        foreach (string digest in new[] { Sha256(OtherFile), Sha512(OtherFile) })
        {
            using HttpResponseMessage other = await app.Client.AppendAsync("f", 6, [], 6, ("Repr-Digest", digest));
            Assert.Null(other.Header("X-Upload-Replayed"));
            await other.ShouldBeProblemAsync(409, DifferentContent, 6);
        }

        foreach (string digest in new[] { Sha256(File), Sha512(File) })
        {
            using HttpResponseMessage same = await app.Client.AppendAsync("f", 6, [], 6, ("Repr-Digest", digest));
            Assert.Equal((200, "true"), ((int)same.StatusCode, same.Header("X-Upload-Replayed")));
        }
    }

    /// <summary>The content is gone, but the digest that was verified or computed before is in the record.</summary>
    [Fact]
    public async Task Digest_of_moved_content_is_compared()
    {
        string inbox = Directory.CreateTempSubdirectory("inbox-").FullName;
        await using TestApp app = await AppAsync(configure: options => options.OnCompleted = (upload, _) => upload.MoveToDirectoryAsync(inbox));
        await app.Client.AppendAsync("f", 0, File, 6, ("Repr-Digest", Sha256(File))).ShouldHaveOffsetAsync(6, complete: true);

        await app.Client.AppendAsync("f", 6, [], 6, ("Repr-Digest", Sha256(OtherFile))).ShouldBeProblemAsync(409, DifferentContent, 6);
        await app.Client.AppendAsync("f", 6, [], 6, ("Repr-Digest", Sha256(File))).ShouldHaveOffsetAsync(6, complete: true);
        Directory.Delete(inbox, recursive: true);
    }

    /// <summary>Neither the content nor a digest of this algorithm exists, so it cannot be shown that the files are equal.</summary>
    [Fact]
    public async Task Digest_that_cannot_be_compared_returns_409()
    {
        string inbox = Directory.CreateTempSubdirectory("inbox-").FullName;
        await using TestApp app = await AppAsync(configure: options => options.OnCompleted = (upload, _) => upload.MoveToDirectoryAsync(inbox));
        await app.Client.AppendAsync("f", 0, File, 6).ShouldHaveOffsetAsync(6, complete: true);

        await app.Client.AppendAsync("f", 6, [], 6, ("Repr-Digest", Sha256(File))).ShouldBeProblemAsync(409, DifferentContent, 6);
        await app.Client.AppendAsync("f", 6, [], 6).ShouldHaveOffsetAsync(6, complete: true);
        Directory.Delete(inbox, recursive: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Only_replayed_response_has_header(bool inMemory)
    {
        await using TestApp app = await AppAsync(inMemory);
        using HttpResponseMessage first = await app.Client.AppendAsync("f", 0, File, 6);
        Assert.Null(first.Header("X-Upload-Replayed"));
        using HttpResponseMessage repeated = await app.Client.AppendAsync("f", 6, [], 6);
        Assert.Equal(("true", "true"), (repeated.Header("X-Upload-Complete"), repeated.Header("X-Upload-Replayed")));
    }

    [Fact]
    public async Task Replayed_tus_response_has_header()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.Endpoint, answer: static _ => new HandlerResponse(200, "stored"));
        string url = await app.Client.CreateAsync(TusApp.Url, 6);
        using HttpResponseMessage first = await app.Client.AppendChunkAsync(url, 0, File);
        Assert.Null(first.Header("X-Upload-Replayed"));
        using HttpResponseMessage repeated = await app.Client.AppendChunkAsync(url, 6, []);
        Assert.Equal("true", repeated.Header("X-Upload-Replayed"));
        using HttpResponseMessage other = await app.Client.AppendChunkAsync(url, 6, [], ("Repr-Digest", Sha256(OtherFile)));
        Assert.Equal(409, (int)other.StatusCode);
        Assert.Contains(DifferentContent, await other.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replayed_ietf_response_has_header()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.Endpoint, answer: static _ => new HandlerResponse(200, "stored"));
        string url = await app.Client.BeginAsync();
        using HttpResponseMessage first = await app.Client.AppendAsync(url, 0, true, File);
        Assert.Null(first.Header("X-Upload-Replayed"));
        using HttpResponseMessage repeated = await app.Client.AppendAsync(url, 6, true, []);
        Assert.Equal((200, "true"), ((int)repeated.StatusCode, repeated.Header("X-Upload-Replayed")));
        using HttpResponseMessage other = await app.Client.AppendAsync(url, 6, true, [], headers: ("Repr-Digest", Sha256(OtherFile)));
        Assert.Equal(409, (int)other.StatusCode);
        Assert.Contains(DifferentContent, await other.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static string Sha256(byte[] content) => $"sha-256=:{Convert.ToBase64String(SHA256.HashData(content))}:";

    private static string Sha512(byte[] content) => $"sha-512=:{Convert.ToBase64String(SHA512.HashData(content))}:";
}
