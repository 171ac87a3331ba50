using System.Security.Cryptography;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Protocols.Tus;

/// <summary>Uploads that are joined from parts (T-60 to T-65).</summary>
public class ConcatenationRuleTests
{
    private static readonly (string, string) Partial = ("Upload-Concat", "partial");

    public static TheoryData<string> Places => TusApp.Places;

    [Theory]
    [MemberData(nameof(Places))]
    public async Task T60_parts_are_joined_in_the_order_given_and_only_the_whole_is_handled(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        byte[] a = RandomNumberGenerator.GetBytes(70_000);
        byte[] b = RandomNumberGenerator.GetBytes(50_000);
        string first = await PartAsync(app, a);
        string second = await PartAsync(app, b);
        Assert.Empty(app.Seen);

        using HttpResponseMessage final = await JoinAsync(app, $"{second} {first}", ("Upload-Metadata", "filename YWxsLmJpbg=="));
        Assert.Equal((201, "120000"), ((int)final.StatusCode, final.Header("Upload-Offset")));
        Seen seen = Assert.Single(app.Seen);
        Assert.Equal([.. b, .. a], seen.Content);
        Assert.Equal("all.bin", seen.FileName);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task T61_urls_may_be_absolute_a_part_may_come_twice_and_parts_are_cleared_afterwards(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        byte[] a = RandomNumberGenerator.GetBytes(1000);
        string part = await PartAsync(app, a, ("Upload-Metadata", "filename cGFydA=="));
        using HttpResponseMessage final = await JoinAsync(app, $"{new Uri(app.Client.BaseAddress!, part)} {part}");
        Assert.Equal(201, (int)final.StatusCode);
        Seen seen = Assert.Single(app.Seen);
        Assert.Equal([.. a, .. a], seen.Content);

        // The metadata of a part is not that of the whole.
        Assert.NotEqual("part", seen.FileName);
        using HttpResponseMessage gone = await app.Client.TusAsync("HEAD", part);
        Assert.Equal(404, (int)gone.StatusCode);
    }

    [Theory]
    [InlineData("Upload-Length", "5", 400)]
    [InlineData("Upload-Defer-Length", "1", 400)]
    public async Task T60_a_final_upload_states_no_length(string name, string value, int status)
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.Mapped);
        string part = await PartAsync(app, [1, 2, 3]);
        using HttpResponseMessage final = await JoinAsync(app, part, (name, value));
        Assert.Equal(status, (int)final.StatusCode);
        Assert.Empty(app.Seen);
    }

    [Theory]
    [InlineData("Partial")]
    [InlineData("final")]
    [InlineData("final;")]
    [InlineData("final; ")]
    [InlineData("both")]
    public async Task T60_anything_else_is_a_400(string concat)
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.Mapped);
        using HttpResponseMessage created = await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Concat", concat), ("Upload-Length", "3"));
        Assert.Equal(400, (int)created.StatusCode);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task T62_a_final_upload_takes_no_bytes(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string part = await PartAsync(app, [1, 2, 3]);
        string open = await app.Client.CreateAsync(TusApp.Url, 3, Partial);
        using HttpResponseMessage joined = await JoinAsync(app, part);
        using HttpResponseMessage waiting = await JoinAsync(app, open);
        foreach (HttpResponseMessage final in (HttpResponseMessage[])[joined, waiting])
        {
            using HttpResponseMessage refused = await app.Client.PieceAsync(final.Header("Location")!, 0, [9]);
            using HttpResponseMessage empty = await app.Client.PieceAsync(final.Header("Location")!, 3, []);
            Assert.Equal((403, 403), ((int)refused.StatusCode, (int)empty.StatusCode));
        }

        Assert.Equal([1, 2, 3], Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task T63_T64_a_final_upload_waits_for_its_parts_and_is_joined_once_when_the_last_is_done(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string first = await app.Client.CreateAsync(TusApp.Url, 3, Partial);
        string second = await app.Client.CreateAsync(TusApp.Url, 2, Partial);
        using HttpResponseMessage created = await JoinAsync(app, $"{first} {second}");
        string final = created.Header("Location")!;
        Assert.Equal((201, null), ((int)created.StatusCode, created.Header("Upload-Offset")));
        using (HttpResponseMessage waiting = await app.Client.TusAsync("HEAD", final))
        {
            Assert.Equal((200, null, "5"), ((int)waiting.StatusCode, waiting.Header("Upload-Offset"), waiting.Header("Upload-Length")));
            Assert.Equal($"final;{first} {second}", waiting.Header("Upload-Concat"));
        }

        using (HttpResponseMessage head = await app.Client.TusAsync("HEAD", first))
        {
            Assert.Equal(("0", "partial"), (head.Header("Upload-Offset"), head.Header("Upload-Concat")));
        }

        using HttpResponseMessage one = await app.Client.PieceAsync(second, 0, [4, 5]);
        Assert.Empty(app.Seen);
        using HttpResponseMessage two = await app.Client.PieceAsync(first, 0, [1, 2, 3]);
        Assert.Equal((204, "3"), ((int)two.StatusCode, two.Header("Upload-Offset")));
        Assert.Equal([1, 2, 3, 4, 5], Assert.Single(app.Seen).Content);
        using HttpResponseMessage joined = await app.Client.TusAsync("HEAD", final);
        Assert.Equal(("5", "5"), (joined.Header("Upload-Offset"), joined.Header("Upload-Length")));
        Assert.Single(app.Seen);
    }

    [Theory]
    [InlineData("/files/0123456789012345678901234567890123456789")]
    [InlineData("https://elsewhere.example/files/0123456789012345678901234567890123456789")]
    [InlineData("/files/../../etc/passwd")]
    [InlineData("http://169.254.169.254/latest/meta-data")]
    [InlineData("nothing")]
    public async Task T65_a_part_that_is_none_of_ours_makes_nothing(string url)
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.Mapped);
        string part = await PartAsync(app, [1, 2, 3]);
        using HttpResponseMessage final = await JoinAsync(app, $"{part} {url}");
        Assert.Equal((400, null), ((int)final.StatusCode, final.Header("Location")));
        using HttpResponseMessage head = await app.Client.TusAsync("HEAD", part);
        Assert.Equal("3", head.Header("Upload-Offset"));
        Assert.Empty(app.Seen);
    }

    [Fact]
    public async Task T65_an_upload_that_is_no_part_cannot_be_joined_and_neither_can_more_than_the_server_takes()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade, static options => options.MaxUploadSize = 5);
        string plain = await app.Client.CreateAsync(TusApp.Url, 3);
        string part = await PartAsync(app, [1, 2, 3]);
        using HttpResponseMessage wrong = await JoinAsync(app, plain);
        using HttpResponseMessage large = await JoinAsync(app, $"{part} {part}");
        using HttpResponseMessage body = await app.Client.TusAsync("POST", TusApp.Url, [1], ("Upload-Concat", "final;" + part));
        Assert.Equal((400, 413, 400), ((int)wrong.StatusCode, (int)large.StatusCode, (int)body.StatusCode));
        Assert.Empty(app.Seen);
    }

    [Fact]
    public async Task T64_a_final_upload_that_waited_when_the_server_was_restarted_is_joined_when_it_is_asked_for()
    {
        string directory = Directory.CreateTempSubdirectory("uploads-test-").FullName;
        try
        {
            string first, second, final;
            await using (TusApp app = await TusApp.StartAsync(TusApp.Mapped, InFiles))
            {
                first = await PartAsync(app, [1, 2, 3]);
                second = await app.Client.CreateAsync(TusApp.Url, 2, Partial);
                using HttpResponseMessage created = await JoinAsync(app, $"{first} {second}");
                final = created.Header("Location")!;
            }

            await using TusApp next = await TusApp.StartAsync(TusApp.Mapped, InFiles);
            using HttpResponseMessage rest = await next.Client.PieceAsync(second, 0, [4, 5]);
            using HttpResponseMessage head = await next.Client.TusAsync("HEAD", final);
            Assert.Equal((200, "5"), ((int)head.StatusCode, head.Header("Upload-Offset")));
            await Eventually.TrueAsync(() => !next.Seen.IsEmpty, "the handler has run");
            Assert.Equal([1, 2, 3, 4, 5], Assert.Single(next.Seen).Content);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }

        void InFiles(ResumableUploadOptions options) => (options.Store, options.Directory) = (null, directory);
    }

    [Fact]
    public async Task T65_parts_that_tell_their_length_later_are_not_joined_to_more_than_the_server_takes()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.Endpoint, static options => options.MaxUploadSize = 5);
        string first = await PartAsync(app, [1, 2, 3]);
        using HttpResponseMessage open = await app.Client.TusAsync("POST", TusApp.Url, null, Partial, ("Upload-Defer-Length", "1"));
        string second = open.Header("Location")!;
        using HttpResponseMessage created = await JoinAsync(app, $"{first} {second}");
        Assert.Equal(201, (int)created.StatusCode);
        using HttpResponseMessage piece = await app.Client.PieceAsync(second, 0, [4, 5, 6], ("Upload-Length", "3"));
        Assert.Equal(204, (int)piece.StatusCode);
        using HttpResponseMessage head = await app.Client.TusAsync("HEAD", created.Header("Location")!);
        Assert.Equal((200, null), ((int)head.StatusCode, head.Header("Upload-Offset")));
        Assert.Empty(app.Seen);
    }

    private static async Task<string> PartAsync(TusApp app, byte[] content, params (string, string)[] headers)
    {
        string url = await app.Client.CreateAsync(TusApp.Url, content.Length, [Partial, .. headers]);
        using HttpResponseMessage piece = await app.Client.PieceAsync(url, 0, content);
        Assert.Equal((204, content.Length.ToString()), ((int)piece.StatusCode, piece.Header("Upload-Offset")));
        return url;
    }

    private static Task<HttpResponseMessage> JoinAsync(TusApp app, string urls, params (string, string)[] headers) =>
        app.Client.TusAsync("POST", TusApp.Url, null, [("Upload-Concat", "final;" + urls), .. headers]);
}
