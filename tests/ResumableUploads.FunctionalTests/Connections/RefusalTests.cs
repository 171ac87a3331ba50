using System.Globalization;
using System.Net;
using ResumableUploads.Abstractions;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Connections;

/// <summary>A refusal is read by the client, also while it is sending a lot.</summary>
public class RefusalTests
{
    private const int Size = 100_000_000;
    private const int MaxUploadSize = 200_000_000;

    /// <summary>What is refused: the headers, and the status that says so.</summary>
    public static TheoryData<string, int> Refused => new()
    {
        { "X-Start-Byte: 5", 409 },
        { "X-File-Size: 300000000", 413 },
        { "X-File-Size: 1000", 413 },
        { "X-File-Size: banana", 400 },
        { "Content-Digest: banana", 400 },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_client_that_sends_all_of_100_MB_and_then_reads_gets_the_refusal(string header, int status)
    {
        await using WatchedApp app = await StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", header, $"Content-Length: {Size}");
        await SendAsync(connection, Size);

        await AssertRefusedAsync(connection, status);
        await AssertUsableAsync(connection);
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_client_that_reads_while_it_sends_gets_the_refusal(string header, int status)
    {
        await using WatchedApp app = await StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", header, $"Content-Length: {Size}");

        // The answer is there before the body has gone out.
        await AssertRefusedAsync(connection, status);
        await SendAsync(connection, Size);
        await AssertUsableAsync(connection);
    }

    /// <summary>The server by itself gives up after five seconds, and what it does then destroys an answer that was not read yet.</summary>
    [Fact]
    public async Task A_client_on_a_slow_line_reads_its_refusal_after_more_than_five_seconds_of_sending()
    {
        await using WatchedApp app = await StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", "X-Start-Byte: 5", "Content-Length: 1000070");
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        for (int i = 0; i < 70; i++)
        {
            await connection.SendAsync("x");
            await tick.WaitForNextTickAsync();
        }

        await SendAsync(connection, 1_000_000);
        await AssertRefusedAsync(connection, 409);
        await AssertUsableAsync(connection);
    }

    [Fact]
    public async Task A_chunked_body_that_goes_on_past_the_size_is_refused_while_it_is_sent_and_what_fits_is_kept()
    {
        await using WatchedApp app = await StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", "X-File-Size: 1000", "Transfer-Encoding: chunked");
        byte[] piece = new byte[1_000_000];
        for (int sent = 0; sent < Size; sent += piece.Length)
        {
            await connection.SendChunkAsync(piece);
        }

        await connection.SendChunkAsync(default);
        await AssertRefusedAsync(connection, 413);
        await AssertUsableAsync(connection);
        Assert.Equal(1000, await app.Client.StatusAsync("f"));
    }

    [Fact]
    public async Task A_path_that_takes_no_bodies_says_so_to_a_client_that_sends_100_MB()
    {
        await using WatchedApp app = await StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /status", "X-File-Id: f", $"Content-Length: {Size}");
        await SendAsync(connection, Size);

        await AssertRefusedAsync(connection, 405);
        await AssertUsableAsync(connection);
    }

    [Fact]
    public async Task A_client_that_sends_100_MB_to_a_full_disk_is_told()
    {
        await using WatchedApp app = await StartAsync();
        app.Store.AfterRead = static () => throw new UploadStoreException(StoreFailure.Full, "No room.");
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", $"Content-Length: {Size}");
        await SendAsync(connection, Size);

        await AssertRefusedAsync(connection, 507);
        await AssertUsableAsync(connection);
    }

    [Fact]
    public async Task A_sender_that_was_taken_over_and_goes_on_sending_is_told()
    {
        await using WatchedApp app = await StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", $"Content-Length: {Size}");
        await SendAsync(connection, 1_000_000);
        await app.Store.StoredAsync("f", 1_000_000);
        Assert.Equal(1_000_000, await app.Client.StatusAsync("f"));
        await SendAsync(connection, Size - 1_000_000);

        await AssertRefusedAsync(connection, 409);
        await AssertUsableAsync(connection);
    }

    [Theory]
    [InlineData(Wire.ContentLength, "X-Start-Byte", "5", 409)]
    [InlineData(Wire.ContentLength, "X-File-Size", "300000000", 413)]
    [InlineData(Wire.ContentLength, "X-File-Size", "1000", 413)]
    [InlineData(Wire.Http2, "X-Start-Byte", "5", 409)]
    [InlineData(Wire.Http2, "X-File-Size", "300000000", 413)]
    [InlineData(Wire.Http2, "X-File-Size", "1000", 413)]
    public async Task HttpClient_reads_the_refusal_of_100_MB_and_can_go_on(Wire wire, string header, string value, int status)
    {
        await using WatchedApp app = await StartAsync(wire);
        byte[] body = new byte[Size];
        for (int i = 0; i < 2; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/upload")
            {
                Content = new ByteArrayContent(body),
                Version = app.Client.DefaultRequestVersion,
                VersionPolicy = app.Client.DefaultVersionPolicy,
            };
            request.Headers.Add("X-File-Id", "f");
            request.Headers.Add(header, value);
            using HttpResponseMessage response = await app.Client.SendAsync(request);
            Assert.Equal(status, (int)response.StatusCode);
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
            Assert.Contains($"\"status\":{status}", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            Assert.Equal(0, await app.Client.StatusAsync("f"));
        }
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_client_that_asks_first_is_refused_without_being_asked_for_the_body(string header, int status)
    {
        await using WatchedApp app = await StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", header, $"Content-Length: {Size}", "Expect: 100-continue");

        // The first response is the refusal: there was no 100 before it.
        await AssertRefusedAsync(connection, status);
    }

    [Fact]
    public async Task A_client_that_asks_first_and_is_refused_is_told_that_the_connection_ends()
    {
        await using WatchedApp app = await StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", "X-Start-Byte: 5", $"Content-Length: {Size}", "Expect: 100-continue");
        RawResponse? refused = await connection.ReadResponseAsync();
        Assert.Equal(409, refused?.Status);

        // It sends no body, and could not know whether a next request on this connection would be taken for one.
        Assert.Equal("close", refused!.Header("Connection"));
        Assert.Null(await connection.ReadResponseAsync());
    }

    [Fact]
    public async Task A_client_that_asked_first_and_was_taken_over_while_it_sends_is_told()
    {
        await using WatchedApp app = await StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", $"Content-Length: {Size}", "Expect: 100-continue");
        Assert.Equal(100, (await connection.ReadResponseAsync())?.Status);
        await SendAsync(connection, 1_000_000);
        await app.Store.StoredAsync("f", 1_000_000);
        Assert.Equal(1_000_000, await app.Client.StatusAsync("f"));

        // The answer is there; the rest is still taken off the connection, by us and not by the server in its five seconds.
        await AssertRefusedAsync(connection, 409);
        await SendAsync(connection, Size - 1_000_000);
        await AssertUsableAsync(connection);
    }

    [Fact]
    public async Task A_client_that_asks_first_is_told_to_go_on_when_nothing_is_against_it()
    {
        await using WatchedApp app = await StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", "X-File-Size: 5000", "Content-Length: 1000", "Expect: 100-continue");
        Assert.Equal(100, (await connection.ReadResponseAsync())?.Status);
        await SendAsync(connection, 1000);
        RawResponse? response = await connection.ReadResponseAsync();
        Assert.Equal(200, response?.Status);
        Assert.Equal("1000", response!.Body);
        await AssertUsableAsync(connection);
    }

    [Theory]
    [InlineData(5, false)]
    [InlineData(0, true)]
    public async Task HttpClient_with_ExpectContinue_sends_the_body_only_where_it_is_wanted(long startByte, bool wanted)
    {
        await using WatchedApp app = await StartAsync();
        using var client = new HttpClient(new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromMinutes(1) }) { BaseAddress = app.Address };
        client.DefaultRequestHeaders.ExpectContinue = true;
        using var body = new PushedBody();
        body.End();
        using HttpResponseMessage response = await client.AppendAsync("f", startByte, body, 1000);
        Assert.Equal(wanted ? HttpStatusCode.OK : HttpStatusCode.Conflict, response.StatusCode);
        Assert.Equal(wanted, body.Stream.IsCompleted);
        Assert.Equal(0, await client.StatusAsync("f"));
    }

    private static Task<WatchedApp> StartAsync(Wire wire = Wire.ContentLength) =>
        WatchedApp.StartAsync(wire, static options => options.MaxUploadSize = MaxUploadSize);

    private static async Task SendAsync(RawConnection connection, int bytes)
    {
        byte[] piece = new byte[1_000_000];
        for (int sent = 0; sent < bytes; sent += piece.Length)
        {
            await connection.SendAsync(piece.AsMemory(0, Math.Min(piece.Length, bytes - sent)));
        }
    }

    private static async Task AssertRefusedAsync(RawConnection connection, int status)
    {
        RawResponse? response = await connection.ReadResponseAsync();
        Assert.NotNull(response);
        Assert.Equal(status, response.Status);
        Assert.Equal("application/problem+json", response.Header("Content-Type"));
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"\"status\":{status}"), response.Body, StringComparison.Ordinal);
    }

    /// <summary>All of the body was taken off the connection: the next request on it is understood.</summary>
    private static async Task AssertUsableAsync(RawConnection connection)
    {
        await connection.SendHeadAsync("GET /status", "X-File-Id: another");
        RawResponse? response = await connection.ReadResponseAsync();
        Assert.Equal(200, response?.Status);
        Assert.Equal("0", response!.Body);
    }
}
