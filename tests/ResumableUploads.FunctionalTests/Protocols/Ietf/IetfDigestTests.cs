using System.Security.Cryptography;
using System.Text;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.Clients.IetfClient;

namespace ResumableUploads.FunctionalTests.Protocols.Ietf;

/// <summary>Digests of RFC 9530 in all three protocols.</summary>
public class IetfDigestTests
{
    private static readonly byte[] File = Encoding.ASCII.GetBytes("0123456789");
    private static readonly byte[] Other = Encoding.ASCII.GetBytes("9876543210");

    public static TheoryData<string> Places => TusApp.Places;

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Content_Digest_mismatch_leaves_offset_unchanged(string place)
    {
        await using IetfApp app = await IetfApp.StartAsync(place);
        string url = await app.Client.BeginAsync();
        using HttpResponseMessage wrong = await app.Client.AppendAsync(url, 0, true, File, Newest, ("Content-Digest", DigestOf(Other)));
        await wrong.ProblemAsync(400, Own + "digest-mismatch");
        Assert.Equal((0, false), await app.Client.StateAsync(url));
        using HttpResponseMessage unknown = await app.Client.AppendAsync(url, 0, true, File, Newest, ("Content-Digest", "unixsum=:AAAA:"));
        await unknown.ProblemAsync(400, Own + "bad-digest");
        using HttpResponseMessage right = await app.Client.AppendAsync(url, 0, true, File, Newest, ("Content-Digest", DigestOf(File)));
        Assert.Equal("?1", right.Header("Upload-Complete"));
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Repr_Digest_is_verified_at_completion_and_allows_resumption(string place)
    {
        await using IetfApp app = await IetfApp.StartAsync(place);
        foreach (bool isValid in new[] { false, true })
        {
            using HttpResponseMessage created = await app.Client.CreateAsync(false, File[..4], Newest, ("Repr-Digest", DigestOf(isValid ? File : Other)));
            string url = created.Header("Location")!;
            using HttpResponseMessage part = await app.Client.AppendAsync(url, 4, false, File[4..7]);
            Assert.Equal((204, "7"), ((int)part.StatusCode, part.Header("Upload-Offset")));
            using HttpResponseMessage last = await app.Client.AppendAsync(url, 7, true, File[7..]);
            Assert.Equal((isValid, isValid ? "?1" : "?0"), (last.IsSuccessStatusCode, last.Header("Upload-Complete")));
            if (!isValid)
            {
                await last.ProblemAsync(400, Own + "digest-mismatch");
                Assert.Empty(app.Seen);
            }
        }

        Assert.Single(app.Seen);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Creation_with_Repr_Digest_mismatch_returns_Location_and_offset(string place)
    {
        await using IetfApp app = await IetfApp.StartAsync(place);
        using HttpResponseMessage wrong = await app.Client.CreateAsync(true, File, Newest, ("Repr-Digest", DigestOf(Other)));
        await wrong.ProblemAsync(400, Own + "digest-mismatch");
        string url = wrong.Header("Location")!;
        Assert.Equal((10, false), await app.Client.StateAsync(url));
        using HttpResponseMessage deleted = await app.Client.IetfAsync("DELETE", url, Newest);
        Assert.Equal(204, (int)deleted.StatusCode);
        Assert.Empty(app.Seen);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Repr_Digest_may_be_sent_with_last_append(string place)
    {
        await using IetfApp app = await IetfApp.StartAsync(place);
        using HttpResponseMessage created = await app.Client.CreateAsync(false, File[..4]);
        string url = created.Header("Location")!;
        using HttpResponseMessage wrong = await app.Client.AppendAsync(url, 4, true, File[4..], Newest, ("Repr-Digest", DigestOf(Other)));
        await wrong.ProblemAsync(400, Own + "digest-mismatch");
        Assert.Empty(app.Seen);
        using HttpResponseMessage right = await app.Client.AppendAsync(url, 10, true, [], Newest, ("Repr-Digest", DigestOf(File)));
        Assert.Equal("?1", right.Header("Upload-Complete"));
        Assert.Single(app.Seen);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Want_Repr_Digest_returns_digest_in_final_and_later_responses(string place)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, answer: static _ => new HandlerResponse(200, "Done."));
        using HttpResponseMessage created = await app.Client.CreateAsync(false, File[..4], Newest, ("Want-Repr-Digest", "sha-512=3, sha-256=10, md5=1"));
        Assert.Null(created.Header("Repr-Digest"));
        string url = created.Header("Location")!;
        using HttpResponseMessage last = await app.Client.AppendAsync(url, 4, true, File[4..]);
        using HttpResponseMessage head = await app.Client.HeadAsync(url);
        using HttpResponseMessage again = await app.Client.AppendAsync(url, 10, true, []);
        Assert.Equal((DigestOf(File), DigestOf(File), DigestOf(File)), (last.Header("Repr-Digest"), head.Header("Repr-Digest"), again.Header("Repr-Digest")));
        using HttpResponseMessage withoutRequest = await app.Client.CreateAsync(true, File);
        Assert.Null(withoutRequest.Header("Repr-Digest"));
    }

    [Theory]
    [InlineData("sha-256=0")]
    [InlineData("md5=5")]
    [InlineData("sha-256")]
    [InlineData("sha-256=x")]
    [InlineData("sha-256=11")]
    public async Task Invalid_Want_Repr_Digest_is_ignored(string wanted)
    {
        await using IetfApp app = await IetfApp.StartAsync();
        using HttpResponseMessage response = await app.Client.CreateAsync(true, File, Newest, ("Want-Repr-Digest", wanted));
        Assert.Equal((204, null), ((int)response.StatusCode, response.Header("Repr-Digest")));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Tus_clients_can_use_the_same_digests(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 10, ("Repr-Digest", DigestOf(File)), ("Want-Repr-Digest", "sha-256=1"));
        using HttpResponseMessage wrong = await app.Client.AppendChunkAsync(url, 0, File, ("Content-Digest", DigestOf(Other)));
        Assert.Equal(460, (int)wrong.StatusCode);
        using HttpResponseMessage both = await app.Client.AppendChunkAsync(url, 0, File, ("Content-Digest", DigestOf(File)), ("Upload-Checksum", "sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA="));
        Assert.Equal(400, (int)both.StatusCode);
        using HttpResponseMessage part = await app.Client.AppendChunkAsync(url, 0, File[..4], ("Content-Digest", DigestOf(File[..4])));
        Assert.Equal(204, (int)part.StatusCode);
        using HttpResponseMessage last = await app.Client.AppendChunkAsync(url, 4, File[4..]);
        Assert.Equal((204, DigestOf(File)), ((int)last.StatusCode, last.Header("Repr-Digest")));

        string other = await app.Client.CreateAsync(TusApp.Url, 10, ("Repr-Digest", DigestOf(Other)));
        using HttpResponseMessage mismatch = await app.Client.AppendChunkAsync(other, 0, File);
        Assert.Equal(460, (int)mismatch.StatusCode);
        Assert.Single(app.Seen);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task File_id_clients_can_request_a_digest(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        using var request = new HttpRequestMessage(HttpMethod.Post, TusApp.Url) { Content = new ByteArrayContent(File) };
        request.Headers.Add("X-File-Id", "f");
        request.Headers.Add("Want-Repr-Digest", "sha-512=1, sha-256=2");
        using HttpResponseMessage response = await app.Client.SendAsync(request);
        Assert.Equal((true, DigestOf(File)), (response.IsSuccessStatusCode, response.Header("Repr-Digest")));
    }

    private static string DigestOf(byte[] content) => $"sha-256=:{Convert.ToBase64String(SHA256.HashData(content))}:";
}
