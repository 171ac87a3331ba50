using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Protocols.Tus;

/// <summary>Versions, OPTIONS and number headers (tus 1.0.0, Core).</summary>
public class TusVersionTests
{
    private const string Unknown = "/0123456789abcdef0123456789abcdef01234567";

    public static TheoryData<string> Places => TusApp.Places;

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Every_response_carries_Tus_Resumable(string place)
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
            ("GET", url, null, [], 200),
            ("GET", gone, null, [], 404),
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
    public async Task Unsupported_version_returns_412_and_processes_nothing(string place, string version)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        foreach ((string method, byte[]? body) in new[] { ("PATCH", new byte[10]), ("HEAD", null), ("DELETE", null), ("POST", new byte[10]) })
        {
            using HttpResponseMessage rejected = await app.Client.TusAsync(
                method, method == "POST" ? TusApp.Url : url, body, ("Tus-Resumable", version), ("Upload-Offset", "0"), ("Upload-Length", "10"));
            Assert.Equal((412, "1.0.0"), ((int)rejected.StatusCode, rejected.Header("Tus-Version")));
        }

        Assert.Equal(0, await app.Client.OffsetAsync(url));
        Assert.Empty(app.Seen);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Request_to_upload_without_version_returns_412(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        using var request = new HttpRequestMessage(HttpMethod.Head, url);
        using HttpResponseMessage rejected = await app.Client.SendAsync(request);
        Assert.Equal((412, "1.0.0"), ((int)rejected.StatusCode, rejected.Header("Tus-Version")));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task OPTIONS_ignores_version_and_is_the_same_at_every_url(string place)
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

                // Without Tus-Resumable, the response is the one for all protocols.
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
    public async Task OPTIONS_headers_are_single_lines()
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
    public async Task Number_that_is_not_decimal_digits_returns_400(string number)
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        Assert.Equal(400, await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Length", number)).StatusOfAsync());
        Assert.Equal(400, await app.Client.TusAsync("PATCH", url, new byte[1], ("Upload-Offset", number)).StatusOfAsync());
        Assert.Equal(400, await app.Client.AppendChunkAsync(url, 0, new byte[1], ("Upload-Length", number)).StatusOfAsync());
        Assert.Equal(0, await app.Client.OffsetAsync(url));
    }

    [Fact]
    public async Task Repeated_or_empty_number_returns_400()
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
    public async Task Header_names_ignore_case_and_lists_may_span_lines()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade, onKestrel: true);
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync(
            $"POST {TusApp.Url}", "tus-resumable: 1.0.0", "UPLOAD-LENGTH: 3", "upload-metadata: filename YS50eHQ=", "Upload-Metadata: filetype dGV4dC9wbGFpbg==", "Content-Length: 0");
        RawResponse? created = await connection.ReadResponseAsync();
        Assert.Equal(201, created?.Status);
        using HttpResponseMessage head = await app.Client.TusAsync("HEAD", created!.Header("Location")!);
        Assert.Equal("filename YS50eHQ=,filetype dGV4dC9wbGFpbg==", head.Header("Upload-Metadata"));
        Assert.Equal(204, await app.Client.AppendChunkAsync(created.Header("Location")!, 0, new byte[3]).StatusOfAsync());
        Assert.Equal(("a.txt", "text/plain"), (Assert.Single(app.Seen).FileName, app.Seen.Single().ContentType));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Upload_over_http2_completes(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place, onKestrel: true, protocols: HttpProtocols.Http2);
        app.Client.DefaultRequestVersion = HttpVersion.Version20;
        app.Client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 0, new byte[4]).StatusOfAsync());
        Assert.Equal(4, await app.Client.OffsetAsync(url));
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 4, new byte[6]).StatusOfAsync());
        Assert.Equal(new byte[10], Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Headers_of_two_protocols_return_400(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        Assert.Equal(400, await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Length", "5"), ("X-File-Id", "f")).StatusOfAsync());
    }
}
