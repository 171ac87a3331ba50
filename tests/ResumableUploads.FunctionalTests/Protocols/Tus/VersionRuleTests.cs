using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Protocols.Tus;

/// <summary>Versions and what a server says of itself: T-1 to T-7, T-9, T-30.</summary>
public class VersionRuleTests
{
    private const string Unknown = "/0123456789abcdef0123456789abcdef01234567";

    public static TheoryData<string> Places => TusApp.Places;

    [Theory]
    [MemberData(nameof(Places))]
    public async Task T1_every_answer_names_the_version_and_errors_do_too(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place, static options => options.MaxUploadSize = 100);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        string gone = url[..^40] + Unknown[1..];
        (string Method, string Url, byte[]? Body, (string, string)[] Headers, int Status)[] requests =
        [
            ("POST", TusApp.Url, null, [("Upload-Length", "5")], 201),
            ("POST", TusApp.Url, null, [], 400),
            ("POST", TusApp.Url, null, [("Upload-Length", "101")], 413),
            ("POST", TusApp.Url, null, [("Upload-Length", "5"), ("Tus-Resumable", "0.2.2")], 412),
            ("PUT", TusApp.Url, null, [], 405),
            ("HEAD", url, null, [], 200),
            ("HEAD", gone, null, [], 404),
            ("PATCH", url, null, [("Upload-Offset", "0")], 415),
            ("PATCH", url, new byte[3], [("Upload-Offset", "5")], 409),
            ("PATCH", url, new byte[3], [("Upload-Offset", "0"), ("Upload-Checksum", "sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=")], 460),
            ("PATCH", url, new byte[3], [("Upload-Offset", "0")], 204),
            ("PATCH", gone, new byte[3], [("Upload-Offset", "0")], 404),
            ("POST", url, null, [("Upload-Length", "5")], 405),
            ("DELETE", url, null, [], 204),
            ("DELETE", url, null, [], 404),
        ];
        foreach ((string method, string to, byte[]? body, (string, string)[] headers, int status) in requests)
        {
            using HttpResponseMessage response = await app.Client.TusAsync(method, to, body, headers);
            Assert.Equal((method, status, "1.0.0"), (method, (int)response.StatusCode, response.Header("Tus-Resumable")));
        }
    }

    [Theory]
    [InlineData("ready-made", "0.2.2")]
    [InlineData("ready-made", "1.0.0,1.0.0")]
    [InlineData("mapped", "2.0.0")]
    [InlineData("endpoint", "1.0")]
    public async Task T2_another_version_is_a_412_that_names_ours_and_nothing_is_done(string place, string version)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        foreach ((string method, byte[]? body) in new[] { ("PATCH", new byte[10]), ("HEAD", null), ("DELETE", null), ("POST", new byte[10]) })
        {
            using HttpResponseMessage refused = await app.Client.TusAsync(
                method, method == "POST" ? TusApp.Url : url, body, ("Tus-Resumable", version), ("Upload-Offset", "0"), ("Upload-Length", "10"));
            Assert.Equal((412, "1.0.0"), ((int)refused.StatusCode, refused.Header("Tus-Version")));
        }

        Assert.Equal(0, await app.Client.OffsetAsync(url));
        Assert.Empty(app.Seen);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task T2_a_request_to_an_upload_without_a_version_is_a_412(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        using var request = new HttpRequestMessage(HttpMethod.Head, url);
        using HttpResponseMessage refused = await app.Client.SendAsync(request);
        Assert.Equal((412, "1.0.0"), ((int)refused.StatusCode, refused.Header("Tus-Version")));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task T3_and_T30_discovery_looks_at_no_version_and_is_the_same_at_every_url(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place, static options => options.MaxUploadSize = 1234);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        string slash = place == TusApp.Endpoint ? url.Replace("?", "/?", StringComparison.Ordinal) : url + "/";
        foreach (string at in new[] { TusApp.Url, TusApp.Url + "/", url, slash })
        {
            foreach (string? version in new[] { "1.0.0", "9.9.9", null })
            {
                using var request = new HttpRequestMessage(HttpMethod.Options, at);
                if (version is not null)
                {
                    request.Headers.Add("Tus-Resumable", version);
                }

                // Without a header of tus, the answer is for the clients of every protocol.
                using HttpResponseMessage response = await app.Client.SendAsync(request);
                Assert.Equal((at, version is null ? 200 : 204, "1.0.0"), (at, (int)response.StatusCode, response.Header("Tus-Version")));
                Assert.Equal("1234", response.Header("Tus-Max-Size"));
                Assert.Contains("sha1", response.Header("Tus-Checksum-Algorithm")!.Split(','));
                Assert.Superset(
                    new HashSet<string> { "creation", "creation-with-upload", "creation-defer-length", "expiration", "termination", "checksum", "checksum-trailer" },
                    response.Header("Tus-Extension")!.Split(',').ToHashSet());
            }
        }
    }

    [Fact]
    public async Task T4_T5_T6_what_is_said_is_said_in_one_line_each()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade);
        using HttpResponseMessage response = await app.Client.TusAsync("OPTIONS", TusApp.Url);
        Assert.Equal("1.0.0", response.Header("Tus-Version"));
        Assert.Matches("^[a-z-]+(,[a-z-]+)*$", response.Header("Tus-Extension"));
        Assert.Matches("^[0-9]+$", response.Header("Tus-Max-Size"));
        Assert.Matches("^[a-z0-9]+(,[a-z0-9]+)*$", response.Header("Tus-Checksum-Algorithm"));
    }

    [Theory]
    [InlineData("+5")]
    [InlineData("-1")]
    [InlineData("1e3")]
    [InlineData("0x5")]
    [InlineData("5,5")]
    [InlineData("9223372036854775808")]
    [InlineData("99999999999999999999999999999999999999")]
    public async Task T7_a_number_is_digits_and_fits_or_the_request_is_a_400(string number)
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        Assert.Equal(400, await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Length", number)).StatusOfAsync());
        Assert.Equal(400, await app.Client.TusAsync("PATCH", url, new byte[1], ("Upload-Offset", number)).StatusOfAsync());
        Assert.Equal(400, await app.Client.PieceAsync(url, 0, new byte[1], ("Upload-Length", number)).StatusOfAsync());
        Assert.Equal(0, await app.Client.OffsetAsync(url));
    }

    [Fact]
    public async Task T7_two_headers_of_one_number_or_an_empty_one_are_a_400()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade, onKestrel: true);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync(
            $"PATCH {url}", "Tus-Resumable: 1.0.0", "Content-Type: application/offset+octet-stream", "Upload-Offset: 0", "Upload-Offset: 0", "Content-Length: 0");
        Assert.Equal(400, (await connection.ReadResponseAsync())?.Status);
        foreach (string[] lengths in new string[][] { ["Upload-Length: 5", "Upload-Length: 5"], ["Upload-Length:"], ["Upload-Length: "] })
        {
            await connection.SendHeadAsync($"POST {TusApp.Url}", ["Tus-Resumable: 1.0.0", .. lengths, "Content-Length: 0"]);
            Assert.Equal(400, (await connection.ReadResponseAsync())?.Status);
        }

        await connection.SendHeadAsync($"POST {TusApp.Url}", "Tus-Resumable:", "Upload-Length: 5", "Content-Length: 0");
        Assert.Equal(412, (await connection.ReadResponseAsync())?.Status);
    }

    [Fact]
    public async Task T9_names_of_headers_are_read_in_any_case_and_lists_in_two_lines()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade, onKestrel: true);
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync(
            $"POST {TusApp.Url}", "tus-resumable: 1.0.0", "UPLOAD-LENGTH: 3", "upload-metadata: filename YS50eHQ=", "Upload-Metadata: filetype dGV4dC9wbGFpbg==", "Content-Length: 0");
        RawResponse? created = await connection.ReadResponseAsync();
        Assert.Equal(201, created?.Status);
        using HttpResponseMessage head = await app.Client.TusAsync("HEAD", created!.Header("Location")!);
        Assert.Equal("filename YS50eHQ=,filetype dGV4dC9wbGFpbg==", head.Header("Upload-Metadata"));
        Assert.Equal(204, await app.Client.PieceAsync(created.Header("Location")!, 0, new byte[3]).StatusOfAsync());
        Assert.Equal(("a.txt", "text/plain"), (Assert.Single(app.Seen).FileName, app.Seen.Single().ContentType));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task T9_over_http2_an_upload_is_the_same(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place, onKestrel: true, protocols: HttpProtocols.Http2);
        app.Client.DefaultRequestVersion = HttpVersion.Version20;
        app.Client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        Assert.Equal(204, await app.Client.PieceAsync(url, 0, new byte[4]).StatusOfAsync());
        Assert.Equal(4, await app.Client.OffsetAsync(url));
        Assert.Equal(204, await app.Client.PieceAsync(url, 4, new byte[6]).StatusOfAsync());
        Assert.Equal(new byte[10], Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Headers_of_two_protocols_in_one_request_are_a_400(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        Assert.Equal(400, await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Length", "5"), ("X-File-Id", "f")).StatusOfAsync());
        Assert.Equal(400, await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Length", "5"), ("Upload-Complete", "?1")).StatusOfAsync());
    }
}
