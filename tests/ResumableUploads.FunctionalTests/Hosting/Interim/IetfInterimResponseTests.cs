using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.FunctionalTests.Connections;
using ResumableUploads.FunctionalTests.Protocols.Ietf;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.Clients.IetfClient;

namespace ResumableUploads.FunctionalTests.Hosting.Interim;

/// <summary>Interim responses on HTTP/1.1 (draft-ietf-httpbis-resumable-upload-12, section 5; docs/protocols/ietf.md#interim-responses).</summary>
public class IetfInterimResponseTests
{
    private const int MiB = 1024 * 1024;
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(2 * MiB);

    public static TheoryData<int> Versions => IetfClient.Versions;

    [Theory]
    [InlineData(TusApp.ReadyMade)]
    [InlineData(TusApp.Mapped)]
    [InlineData(TusApp.Endpoint)]
    public async Task Creation_is_announced_before_its_content_with_the_final_url(string place)
    {
        await using ObservedIetfApp app = await ObservedIetfApp.StartAsync(place, static options => options.MaxUploadSize = 10 * MiB);
        await using RawConnection connection = await app.BeginAsync(null, 0, File.Length, isLast: false);

        // The content has not been sent yet.
        RawResponse announced = (await connection.ReadResponseAsync())!;
        Assert.Equal((104, "10"), (announced.Status, announced.Header("Upload-Draft-Interop-Version")));
        Assert.Matches($"^max-size={10 * MiB}, max-age=[0-9]+$", announced.Header("Upload-Limit"));
        string url = announced.Header("Location")!;

        await connection.SendAsync(File);
        RawResponse final = (await ReadFinalAsync(connection, out List<RawResponse> interim).WaitAsync(TimeSpan.FromMinutes(2)))!;
        Assert.Equal((201, url), (final.Status, final.Header("Location")));
        Assert.All(interim, static response => Assert.Null(response.Header("Location")));
        Assert.Equal((File.Length, false), await app.Client.StateAsync(url));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Announcement_uses_the_version_of_the_request(int version)
    {
        await using ObservedIetfApp app = await ObservedIetfApp.StartAsync(TusApp.Endpoint);
        await using RawConnection connection = await app.BeginAsync(null, 0, 5, isLast: true, version);
        RawResponse announced = (await connection.ReadResponseAsync())!;
        Assert.Equal((104, $"{version}"), (announced.Status, announced.Header("Upload-Draft-Interop-Version")));
        Assert.NotNull(announced.Header("Location"));
        Assert.Equal(version < 6 ? null : version == 6 ? "expires" : "max-age", announced.Header("Upload-Limit")?.Split(", ")[1].Split('=')[0]);
    }

    [Fact]
    public async Task Progress_is_rate_limited_and_reports_only_stored_bytes()
    {
        var time = new FakeTimeProvider();
        var store = new WatchedStore(new MemoryUploadStore());
        await using IetfApp app = await IetfApp.StartAsync(
            configure: options => options.Store = store, services: builder => builder.Services.AddSingleton<TimeProvider>(time));
        string url = await app.Client.BeginAsync();
        UploadKey key = UploadKeyFactory.FromIetfId("anonymous", UploadScopes.OfEndpoint(IetfApp.Url), url[^40..]);
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync(
            $"PATCH {url}", "Upload-Draft-Interop-Version: 10", "Upload-Complete: ?1", "Content-Type: application/partial-upload", "Upload-Offset: 0", "Transfer-Encoding: chunked");
        for (int sent = 0; sent < 5; sent++)
        {
            await connection.SendChunkAsync(new byte[1000]);
            await store.WaitingAsync(key, (sent + 1) * 1000);

            // The first report is sent at once, the next one only after the interval.
            if (sent is 0 or 3)
            {
                RawResponse progress = (await connection.ReadResponseAsync())!;
                Assert.Equal((104, $"{(sent + 1) * 1000}", "10"), (progress.Status, progress.Header("Upload-Offset"), progress.Header("Upload-Draft-Interop-Version")));
                Assert.Null(progress.Header("Location"));
            }

            if (sent == 2)
            {
                time.Advance(TimeSpan.FromSeconds(0.5));
            }
        }

        await connection.SendChunkAsync(default);
        Assert.Equal(204, (await connection.ReadResponseAsync())?.Status);
    }

    [Theory]
    [InlineData(3, false)]
    [InlineData(4, false)]
    [InlineData(5, true)]
    [InlineData(6, true)]
    [InlineData(10, true)]
    public async Task Progress_is_reported_from_version_5_on(int version, bool isReported)
    {
        await using ObservedIetfApp app = await ObservedIetfApp.StartAsync(TusApp.Endpoint);
        await using RawConnection connection = await app.BeginAsync(null, 0, File.Length, isLast: true, version);
        await connection.SendAsync(File);
        await ReadFinalAsync(connection, out List<RawResponse> interim);
        Assert.NotNull(interim[0].Header("Location"));
        Assert.Equal(isReported, interim.Skip(1).Any(static response => response.Header("Upload-Offset") is not null));
        Assert.Equal(isReported, interim.Count > 1);
    }

    [Fact]
    public async Task Expect_100_continue_is_answered_after_the_announcement()
    {
        await using ObservedIetfApp app = await ObservedIetfApp.StartAsync(TusApp.Endpoint);
        await using RawConnection connection = await app.BeginAsync(null, 0, File.Length, isLast: true, Newest, "Expect: 100-continue");
        Assert.Equal(104, (await connection.ReadResponseAsync())?.Status);
        Assert.Equal(100, (await connection.ReadResponseAsync())?.Status);
        await connection.SendAsync(File);
        RawResponse final = await ReadFinalAsync(connection, out _);
        Assert.Equal((204, "?1"), (final.Status, final.Header("Upload-Complete")));
        Assert.Equal(File, Assert.Single(app.App.Seen).Content);
    }

    [Fact]
    public async Task HTTP_1_0_request_gets_no_interim_response()
    {
        await using ObservedIetfApp app = await ObservedIetfApp.StartAsync(TusApp.ReadyMade);
        await using RawConnection connection = await RawConnection.OpenAsync(app.App.Address);
        await connection.SendAsync($"POST {IetfApp.Url} HTTP/1.0\r\nHost: 127.0.0.1\r\nUpload-Draft-Interop-Version: 10\r\nUpload-Complete: ?1\r\nContent-Length: 5\r\n\r\n12345");
        RawResponse response = (await connection.ReadResponseAsync())!;
        Assert.Equal((201, "?1"), (response.Status, response.Header("Upload-Complete")));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("2")]
    [InlineData("11")]
    [InlineData("ten")]
    [InlineData("\"10\"")]
    public async Task Request_without_supported_version_gets_no_interim_response(string? version)
    {
        await using ObservedIetfApp app = await ObservedIetfApp.StartAsync(TusApp.Endpoint);
        await using RawConnection connection = await app.BeginAsync(
            null, 0, File.Length, isLast: true, version: null, version is null ? [] : [$"Upload-Draft-Interop-Version: {version}"]);
        await connection.SendAsync(File);
        Assert.Equal(204, (await connection.ReadResponseAsync())?.Status);
    }

    [Theory]
    [InlineData(InterimResponses.Never, null, false)]
    [InlineData(InterimResponses.Auto, null, true)]
    [InlineData(InterimResponses.Auto, "Via: 1.1 proxy", false)]
    [InlineData(InterimResponses.Auto, "Forwarded: for=192.0.2.1", false)]
    [InlineData(InterimResponses.Auto, "X-Forwarded-For: 192.0.2.1", false)]
    [InlineData(InterimResponses.Auto, "x-forwarded-proto: https", false)]
    [InlineData(InterimResponses.Auto, "X-Original-For: 192.0.2.1", false)]
    [InlineData(InterimResponses.Auto, "X-Real-IP: 192.0.2.1", false)]
    [InlineData(InterimResponses.Auto, "X-Forward: no", true)]
    [InlineData(InterimResponses.Always, "X-Forwarded-For: 192.0.2.1", true)]
    public async Task InterimResponses_option_controls_sending_and_Auto_detects_proxies(InterimResponses option, string? header, bool isReported)
    {
        await using ObservedIetfApp app = await ObservedIetfApp.StartAsync(TusApp.Endpoint, options => options.Ietf.InterimResponses = option, IetfApp.Http1Tls);
        await using RawConnection connection = await app.BeginAsync(null, 0, File.Length, isLast: true, Newest, header is null ? [] : [header]);
        await connection.SendAsync(File);
        await ReadFinalAsync(connection, out List<RawResponse> interim);
        Assert.Equal(isReported, interim.Count > 0);
    }

    [Theory]
    [InlineData(IetfApp.Http1, true)]
    [InlineData(IetfApp.Http1Tls, false)]
    public async Task Auto_sends_nothing_on_a_connection_that_may_be_that_of_a_proxy(string wire, bool negotiatesProtocol)
    {
        await using IetfApp app = await IetfApp.StartAsync(wire: wire, configure: static options => options.Ietf.InterimResponses = InterimResponses.Auto);
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address, negotiatesProtocol);
        await connection.SendHeadAsync($"POST {IetfApp.Url}", "Upload-Draft-Interop-Version: 10", "Upload-Complete: ?1", $"Content-Length: {File.Length}");
        await connection.SendAsync(File);
        Assert.Equal(204, (await connection.ReadResponseAsync())?.Status);
    }

    [Fact]
    public async Task Unverified_bytes_are_never_reported()
    {
        await using ObservedIetfApp app = await ObservedIetfApp.StartAsync(TusApp.Endpoint);
        app.Store.Appending = static content => content.ReportDurable(1000);
        await using RawConnection connection = await app.BeginAsync(
            null, 0, File.Length, isLast: true, Newest, $"Content-Digest: sha-256=:{Convert.ToBase64String(SHA256.HashData(File))}:");
        await connection.SendAsync(File);
        RawResponse final = await ReadFinalAsync(connection, out List<RawResponse> interim);
        Assert.Equal((204, "?1"), (final.Status, final.Header("Upload-Complete")));
        Assert.NotNull(Assert.Single(interim).Header("Location"));
    }

    [Fact]
    public async Task Rejected_creation_is_not_announced()
    {
        await using ObservedIetfApp app = await ObservedIetfApp.StartAsync(TusApp.Endpoint, static options => options.MaxUploadSize = 10);
        await using RawConnection connection = await app.BeginAsync(null, 0, File.Length, isLast: true);
        Assert.Equal(413, (await connection.ReadResponseAsync())?.Status);
    }

    [Fact]
    public async Task Creation_below_MinUploadSize_is_not_announced()
    {
        await using ObservedIetfApp app = await ObservedIetfApp.StartAsync(TusApp.Endpoint, static options => options.Ietf.MinUploadSize = 10);
        foreach (int? length in new int?[] { 5, null, 15 })
        {
            await using RawConnection connection = await app.BeginAsync(null, 0, length, isLast: true);
            await (length is null ? connection.SendAsync("5\r\n12345\r\n0\r\n\r\n") : connection.SendAsync(new byte[length.Value]));
            await ReadFinalAsync(connection, out List<RawResponse> interim);
            Assert.Equal((length, length == 15), (length, interim.Any(static response => response.Header("Location") is not null)));
        }
    }

    [Fact]
    public async Task Subsequent_requests_on_the_connection_are_answered()
    {
        await using ObservedIetfApp app = await ObservedIetfApp.StartAsync(TusApp.Endpoint);
        await using RawConnection connection = await RawConnection.OpenAsync(app.App.Address);
        for (int i = 0; i < 50; i++)
        {
            await connection.SendHeadAsync($"POST {IetfApp.Url}", "Upload-Draft-Interop-Version: 6", "Upload-Complete: ?1", "Content-Length: 5");
            await connection.SendAsync("12345");
            RawResponse final = await ReadFinalAsync(connection, out List<RawResponse> interim);
            Assert.Equal((204, "?1"), (final.Status, final.Header("Upload-Complete")));
            Assert.NotNull(interim[0].Header("Location"));
        }

        Assert.Equal(50, app.App.Seen.Count);
    }

    /// <summary>Reads the interim responses and the final response.</summary>
    private static Task<RawResponse> ReadFinalAsync(RawConnection connection, out List<RawResponse> interim)
    {
        List<RawResponse> all = interim = [];
        return ReadAsync();

        async Task<RawResponse> ReadAsync()
        {
            for (int i = 0; i < 1000; i++)
            {
                RawResponse response = await connection.ReadResponseAsync() ?? throw new IOException("The connection ended before the final response.");
                if (response.Status >= 200)
                {
                    return response;
                }

                all.Add(response);
            }

            throw new IOException("There were interim responses without an end.");
        }
    }
}
