using System.Security.Cryptography;
using ResumableUploads.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Protocols.Tus;

/// <summary>Concatenation of partial uploads (tus 1.0.0, Concatenation).</summary>
public class TusConcatenationTests
{
    private static readonly (string, string) Partial = ("Upload-Concat", "partial");

    public static TheoryData<string> Places => TusApp.Places;

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Parts_are_concatenated_in_order_and_handler_sees_only_the_whole(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        byte[] a = RandomNumberGenerator.GetBytes(70_000);
        byte[] b = RandomNumberGenerator.GetBytes(50_000);
        string first = await CreatePartAsync(app, a);
        string second = await CreatePartAsync(app, b);
        Assert.Empty(app.Seen);

        using HttpResponseMessage final = await CreateFinalAsync(app, $"{second} {first}", ("Upload-Metadata", "filename YWxsLmJpbg=="));
        Assert.Equal((201, "120000"), ((int)final.StatusCode, final.Header("Upload-Offset")));
        ReceivedFile file = Assert.Single(app.Seen);
        Assert.Equal([.. b, .. a], file.Content);
        Assert.Equal("all.bin", file.FileName);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Part_urls_may_be_absolute_and_repeated_and_parts_are_removed(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        byte[] a = RandomNumberGenerator.GetBytes(1000);
        string part = await CreatePartAsync(app, a, ("Upload-Metadata", "filename cGFydA=="));
        using HttpResponseMessage final = await CreateFinalAsync(app, $"{new Uri(app.Client.BaseAddress!, part)} {part}");
        Assert.Equal(201, (int)final.StatusCode);
        ReceivedFile file = Assert.Single(app.Seen);
        Assert.Equal([.. a, .. a], file.Content);

        // The metadata of a part does not become metadata of the final upload.
        Assert.NotEqual("part", file.FileName);
        using HttpResponseMessage gone = await app.Client.TusAsync("HEAD", part);
        Assert.Equal(404, (int)gone.StatusCode);
    }

    [Theory]
    [InlineData("Upload-Length", "5", 400)]
    [InlineData("Upload-Defer-Length", "1", 400)]
    public async Task Final_upload_with_length_returns_400(string name, string value, int status)
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.Mapped);
        string part = await CreatePartAsync(app, [1, 2, 3]);
        using HttpResponseMessage final = await CreateFinalAsync(app, part, (name, value));
        Assert.Equal(status, (int)final.StatusCode);
        Assert.Empty(app.Seen);
    }

    [Theory]
    [InlineData("Partial")]
    [InlineData("final")]
    [InlineData("final;")]
    [InlineData("final; ")]
    [InlineData("both")]
    public async Task Invalid_Upload_Concat_returns_400(string concat)
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.Mapped);
        using HttpResponseMessage created = await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Concat", concat), ("Upload-Length", "3"));
        Assert.Equal(400, (int)created.StatusCode);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task PATCH_of_final_upload_returns_403(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string part = await CreatePartAsync(app, [1, 2, 3]);
        string open = await app.Client.CreateAsync(TusApp.Url, 3, Partial);
        using HttpResponseMessage joined = await CreateFinalAsync(app, part);
        using HttpResponseMessage waiting = await CreateFinalAsync(app, open);
        foreach (HttpResponseMessage final in (HttpResponseMessage[])[joined, waiting])
        {
            using HttpResponseMessage rejected = await app.Client.AppendChunkAsync(final.Header("Location")!, 0, [9]);
            using HttpResponseMessage empty = await app.Client.AppendChunkAsync(final.Header("Location")!, 3, []);
            Assert.Equal((403, 403), ((int)rejected.StatusCode, (int)empty.StatusCode));
        }

        Assert.Equal([1, 2, 3], Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Final_upload_waits_for_unfinished_parts_and_is_concatenated_once(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string first = await app.Client.CreateAsync(TusApp.Url, 3, Partial);
        string second = await app.Client.CreateAsync(TusApp.Url, 2, Partial);
        using HttpResponseMessage created = await CreateFinalAsync(app, $"{first} {second}");
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

        using HttpResponseMessage one = await app.Client.AppendChunkAsync(second, 0, [4, 5]);
        Assert.Empty(app.Seen);
        using HttpResponseMessage two = await app.Client.AppendChunkAsync(first, 0, [1, 2, 3]);
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
    [InlineData("/fil%00es/0123456789012345678901234567890123456789")]
    public async Task Final_upload_with_unknown_part_returns_400_and_creates_nothing(string url)
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.Mapped);
        string part = await CreatePartAsync(app, [1, 2, 3]);
        using HttpResponseMessage final = await CreateFinalAsync(app, $"{part} {url}");
        Assert.Equal((400, null), ((int)final.StatusCode, final.Header("Location")));
        using HttpResponseMessage head = await app.Client.TusAsync("HEAD", part);
        Assert.Equal("3", head.Header("Upload-Offset"));
        Assert.Empty(app.Seen);
    }

    /// <summary>How clients may name the parts: <c>{0}</c> is the URL of the part as the server has returned it, <c>{1}</c> its last segment or its query.</summary>
    [Theory]
    [InlineData(TusApp.ReadyMade, "{0}")]
    [InlineData(TusApp.ReadyMade, "https://elsewhere.example:8080{0}")]
    [InlineData(TusApp.ReadyMade, "HTTP://elsewhere.example{0}/")]
    [InlineData(TusApp.ReadyMade, "//elsewhere.example{0}")]
    [InlineData(TusApp.ReadyMade, "files/{1}")]
    [InlineData(TusApp.ReadyMade, "/fil%65s/{1}")]
    [InlineData(TusApp.ReadyMade, "{0}?token=b")]
    [InlineData(TusApp.Mapped, "{0}")]
    [InlineData(TusApp.Mapped, "files/{1}")]
    [InlineData(TusApp.Endpoint, "{0}")]
    [InlineData(TusApp.Endpoint, "https://elsewhere.example{0}")]
    [InlineData(TusApp.Endpoint, "files?{1}")]
    [InlineData(TusApp.Endpoint, "?{1}")]
    [InlineData(TusApp.Endpoint, "/files/?token=b&{1}")]
    public async Task Part_is_named_by_an_absolute_or_relative_url(string place, string format)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string part = await CreatePartAsync(app, [1, 2, 3]);
        string url = NamePart(part, format);
        using HttpResponseMessage final = await CreateFinalAsync(app, $"{url}  {part}");
        Assert.Equal((201, "6"), ((int)final.StatusCode, final.Header("Upload-Offset")));
        using HttpResponseMessage head = await app.Client.TusAsync("HEAD", final.Header("Location")!);
        Assert.Equal($"final;{url}  {part}", head.Header("Upload-Concat"));
    }

    [Theory]
    [InlineData(TusApp.ReadyMade, "{1}")]
    [InlineData(TusApp.ReadyMade, "/{1}")]
    [InlineData(TusApp.ReadyMade, "/other/{1}")]
    [InlineData(TusApp.ReadyMade, "/prefix{0}")]
    [InlineData(TusApp.ReadyMade, "/other/..{0}")]
    [InlineData(TusApp.ReadyMade, "{0}/x")]
    [InlineData(TusApp.ReadyMade, "{0}#x")]
    [InlineData(TusApp.ReadyMade, "/files//{1}")]
    [InlineData(TusApp.ReadyMade, "ftp://elsewhere.example{0}")]
    [InlineData(TusApp.ReadyMade, "https://elsewhere.example")]
    [InlineData(TusApp.ReadyMade, "https://")]
    [InlineData(TusApp.ReadyMade, "{0},{0}")]
    [InlineData(TusApp.ReadyMade, "{0};{0}")]
    [InlineData(TusApp.ReadyMade, "/files/x\t{0}")]
    [InlineData(TusApp.ReadyMade, "{0}\t{0}")]
    [InlineData(TusApp.Mapped, "/other/{1}")]
    [InlineData(TusApp.Endpoint, "/other?{1}")]
    [InlineData(TusApp.Endpoint, "/files/x?{1}")]
    [InlineData(TusApp.Endpoint, "{0}&{1}")]
    [InlineData(TusApp.Endpoint, "{0},{0}")]
    [InlineData(TusApp.Endpoint, "/files?resumable-upload=00000000.{2}")]
    [InlineData(TusApp.Endpoint, "/files?resumable-upload={2}")]
    [InlineData(TusApp.Endpoint, "/files/{2}")]
    [InlineData(TusApp.Endpoint, "/files")]
    public async Task Url_that_is_not_as_a_whole_that_of_a_part_returns_400(string place, string format)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string part = await CreatePartAsync(app, [1, 2, 3]);
        using HttpResponseMessage final = await CreateFinalAsync(app, NamePart(part, format));
        Assert.Equal((400, null), ((int)final.StatusCode, final.Header("Location")));
        Assert.Empty(app.Seen);
    }

    [Fact]
    public async Task Path_of_a_part_includes_the_path_base_and_escapes()
    {
        await using TestApp app = await EndpointApp.StartAsync(
            static app =>
            {
                app.UsePathBase("/a b");
                app.UseRouting();
                app.MapPost("/{name}", static (Stream body) => Results.NoContent()).WithResumableUploads();
            },
            static options => options.UseMemoryStore(),
            onTestHost: true);
        string part = await app.Client.CreateAsync("/a%20b/c%25d%2Fe", 3, Partial);
        Assert.StartsWith("/a%20b/c%25d%2Fe?", part, StringComparison.Ordinal);
        Assert.Equal(204, await app.Client.AppendChunkAsync(part, 0, [1, 2, 3]).StatusOfAsync());
        Assert.Equal(400, await app.Client.TusAsync("POST", "/a%20b/c%25d%2Fe", null, ("Upload-Concat", $"final;{part["/a%20b".Length..]}")).StatusOfAsync());
        Assert.Equal(201, await app.Client.TusAsync("POST", "/a%20b/c%25d%2Fe", null, ("Upload-Concat", $"final;{part}")).StatusOfAsync());
    }

    [Fact]
    public async Task Final_upload_of_other_uploads_or_above_maximum_is_rejected()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade, static options => options.MaxUploadSize = 5);
        string plain = await app.Client.CreateAsync(TusApp.Url, 3);
        string part = await CreatePartAsync(app, [1, 2, 3]);
        using HttpResponseMessage wrong = await CreateFinalAsync(app, plain);
        using HttpResponseMessage large = await CreateFinalAsync(app, $"{part} {part}");
        using HttpResponseMessage body = await app.Client.TusAsync("POST", TusApp.Url, [1], ("Upload-Concat", "final;" + part));
        Assert.Equal((400, 413, 400), ((int)wrong.StatusCode, (int)large.StatusCode, (int)body.StatusCode));
        Assert.Empty(app.Seen);
    }

    [Fact]
    public async Task Pending_final_upload_is_concatenated_after_restart()
    {
        string directory = Directory.CreateTempSubdirectory("uploads-test-").FullName;
        try
        {
            string first, second, final;
            await using (TusApp app = await TusApp.StartAsync(TusApp.Mapped, InFiles))
            {
                first = await CreatePartAsync(app, [1, 2, 3]);
                second = await app.Client.CreateAsync(TusApp.Url, 2, Partial);
                using HttpResponseMessage created = await CreateFinalAsync(app, $"{first} {second}");
                final = created.Header("Location")!;
            }

            await using TusApp next = await TusApp.StartAsync(TusApp.Mapped, InFiles);
            using HttpResponseMessage rest = await next.Client.AppendChunkAsync(second, 0, [4, 5]);

            // While the sweep at start concatenates the parts, a status request reports the final upload as pending.
            await Eventually.TrueAsync(
                async () =>
                {
                    using HttpResponseMessage head = await next.Client.TusAsync("HEAD", final);
                    Assert.Equal(200, (int)head.StatusCode);
                    return head.Header("Upload-Offset") == "5";
                },
                "the parts are concatenated");
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
    public async Task Parts_with_deferred_length_cannot_exceed_maximum()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.Endpoint, static options => options.MaxUploadSize = 5);
        string first = await CreatePartAsync(app, [1, 2, 3]);
        using HttpResponseMessage open = await app.Client.TusAsync("POST", TusApp.Url, null, Partial, ("Upload-Defer-Length", "1"));
        string second = open.Header("Location")!;
        using HttpResponseMessage created = await CreateFinalAsync(app, $"{first} {second}");
        Assert.Equal(201, (int)created.StatusCode);
        using HttpResponseMessage chunk = await app.Client.AppendChunkAsync(second, 0, [4, 5, 6], ("Upload-Length", "3"));
        Assert.Equal(204, (int)chunk.StatusCode);
        using HttpResponseMessage head = await app.Client.TusAsync("HEAD", created.Header("Location")!);
        Assert.Equal(404, (int)head.StatusCode);
        Assert.Empty(app.Seen);
    }

    private static async Task<string> CreatePartAsync(TusApp app, byte[] content, params (string, string)[] headers)
    {
        string url = await app.Client.CreateAsync(TusApp.Url, content.Length, [Partial, .. headers]);
        using HttpResponseMessage chunk = await app.Client.AppendChunkAsync(url, 0, content);
        Assert.Equal((204, content.Length.ToString()), ((int)chunk.StatusCode, chunk.Header("Upload-Offset")));
        return url;
    }

    private static Task<HttpResponseMessage> CreateFinalAsync(TusApp app, string urls, params (string, string)[] headers) =>
        app.Client.TusAsync("POST", TusApp.Url, null, [("Upload-Concat", "final;" + urls), .. headers]);

    /// <summary>Replaces <c>{0}</c> by a URL, <c>{1}</c> by its last segment or its query, and <c>{2}</c> by its id.</summary>
    private static string NamePart(string url, string format) =>
        string.Format(System.Globalization.CultureInfo.InvariantCulture, format, url, url[(url.LastIndexOfAny(['/', '?']) + 1)..], url[^40..]);
}
