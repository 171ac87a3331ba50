using System.Globalization;
using System.Net;
using ResumableUploads.Abstractions;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Connections;

/// <summary>A client receives an error response even if it is sending a large body.</summary>
public class RejectionResponseTests
{
    /// <summary>The size of a body that is far above all buffers between the client and the server.</summary>
    private const int Size = 20_000_000;

    private const int MaxUploadSize = 200_000_000;

    /// <summary>Gets the headers of rejected requests and the expected status codes.</summary>
    public static TheoryData<string, int> RejectedRequests => new()
    {
        { "X-Start-Byte: 5", 409 },
        { "X-File-Size: 300000000", 413 },
        { "X-File-Size: 1000", 413 },
        { "X-File-Size: banana", 400 },
        { "Content-Digest: banana", 400 },
    };

    [Theory]
    [MemberData(nameof(RejectedRequests))]
    public async Task Client_that_reads_after_sending_20_MB_receives_rejection(string header, int status)
    {
        await using WatchedApp app = await StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", header, $"Content-Length: {Size}");
        await SendAsync(connection, Size);

        await AssertRejectedAsync(connection, status);
        await AssertUsableAsync(connection);
    }

    [Theory]
    [MemberData(nameof(RejectedRequests))]
    public async Task Client_that_reads_while_sending_receives_rejection(string header, int status)
    {
        await using WatchedApp app = await StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", header, $"Content-Length: {Size}");

        // The response arrives before the body is sent.
        await AssertRejectedAsync(connection, status);
        await SendAsync(connection, Size);
        await AssertUsableAsync(connection);
    }

    /// <summary>
    /// Kestrel drains a body for at most five seconds, or up to seven seconds by its timer, and then resets the connection, which discards an unread response.
    /// </summary>
    [Fact]
    public async Task Slow_client_receives_rejection_after_more_than_five_seconds()
    {
        await using WatchedApp app = await StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", "X-Start-Byte: 5", "Content-Length: 1000075");
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        for (int i = 0; i < 75; i++)
        {
            await connection.SendAsync("x");
            await tick.WaitForNextTickAsync();
        }

        await SendAsync(connection, 1_000_000);
        await AssertRejectedAsync(connection, 409);
        await AssertUsableAsync(connection);
    }

    [Fact]
    public async Task Chunked_body_beyond_file_size_is_rejected_and_bytes_within_size_are_kept()
    {
        await using WatchedApp app = await StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", "X-File-Size: 1000", "Transfer-Encoding: chunked");
        byte[] chunk = new byte[1_000_000];
        for (int sent = 0; sent < Size; sent += chunk.Length)
        {
            await connection.SendChunkAsync(chunk);
        }

        await connection.SendChunkAsync(default);
        await AssertRejectedAsync(connection, 413);
        await AssertUsableAsync(connection);
        Assert.Equal(1000, await app.Client.StatusAsync("f"));
    }

    [Fact]
    public async Task POST_of_20_MB_to_status_path_receives_405()
    {
        await using WatchedApp app = await StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /status", "X-File-Id: f", $"Content-Length: {Size}");
        await SendAsync(connection, Size);

        await AssertRejectedAsync(connection, 405);
        await AssertUsableAsync(connection);
    }

    [Fact]
    public async Task Append_of_20_MB_to_full_disk_receives_507()
    {
        await using WatchedApp app = await StartAsync();
        app.Store.AfterRead = static () => throw new UploadStoreException(StoreFailure.Full, "The disk is full.");
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", $"Content-Length: {Size}");
        await SendAsync(connection, Size);

        await AssertRejectedAsync(connection, 507);
        await AssertUsableAsync(connection);
    }

    [Fact]
    public async Task Client_that_keeps_sending_after_preemption_receives_409()
    {
        await using WatchedApp app = await StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", $"Content-Length: {Size}");
        await SendAsync(connection, 1_000_000);
        await app.Store.StoredAsync("f", 1_000_000);
        Assert.Equal(1_000_000, await app.Client.StatusAsync("f"));
        await SendAsync(connection, Size - 1_000_000);

        await AssertRejectedAsync(connection, 409);
        await AssertUsableAsync(connection);
    }

    /// <summary>A browser sends the whole body before it reads the response, and would slow down its other tab.</summary>
    [Fact]
    public async Task Body_of_preempted_client_is_drained_slowly_while_another_appends()
    {
        await using WatchedApp app = await StartAsync();
        await using RawConnection first = await RawConnection.OpenAsync(app.Address);
        await first.SendHeadAsync("POST /upload", "X-File-Id: f", $"Content-Length: {Size}");
        await SendAsync(first, 1_000_000);
        await app.Store.StoredAsync("f", 1_000_000);
        Assert.Equal(1_000_000, await app.Client.StatusAsync("f"));
        await using RawConnection second = await RawConnection.OpenAsync(app.Address);
        await second.SendHeadAsync("POST /upload", "X-File-Id: f", "X-Start-Byte: 1000000", "X-File-Size: 2000000", "Content-Length: 1000000");
        await SendAsync(second, 500_000);
        await app.Store.StoredAsync("f", 1_500_000);

        Task sending = SendAsync(first, Size - 1_000_000);
        await Assert.ThrowsAsync<TimeoutException>(() => sending.WaitAsync(TimeSpan.FromSeconds(1)));
        await SendAsync(second, 500_000);
        Assert.Equal(200, (await second.ReadResponseAsync())?.Status);

        await sending;
        await AssertRejectedAsync(first, 409);
        await AssertUsableAsync(first);
    }

    [Theory]
    [InlineData(Wire.ContentLength, "X-Start-Byte", "5", 409)]
    [InlineData(Wire.ContentLength, "X-File-Size", "300000000", 413)]
    [InlineData(Wire.ContentLength, "X-File-Size", "1000", 413)]
    [InlineData(Wire.Http2, "X-Start-Byte", "5", 409)]
    [InlineData(Wire.Http2, "X-File-Size", "300000000", 413)]
    [InlineData(Wire.Http2, "X-File-Size", "1000", 413)]
    public async Task HttpClient_receives_rejection_of_20_MB_and_can_send_next_request(Wire wire, string header, string value, int status)
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
    [MemberData(nameof(RejectedRequests))]
    public async Task Rejected_request_with_Expect_header_receives_no_100(string header, int status)
    {
        await using WatchedApp app = await StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", header, $"Content-Length: {Size}", "Expect: 100-continue");

        // The first response is the rejection, without a 100 before it.
        await AssertRejectedAsync(connection, status);
    }

    [Fact]
    public async Task Rejected_request_with_Expect_header_receives_Connection_close()
    {
        await using WatchedApp app = await StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", "X-Start-Byte: 5", $"Content-Length: {Size}", "Expect: 100-continue");
        RawResponse? rejected = await connection.ReadResponseAsync();
        Assert.Equal(409, rejected?.Status);

        // The client sends no body, and the server could read its next request on this connection as the body.
        Assert.Equal("close", rejected!.Header("Connection"));
        Assert.Null(await connection.ReadResponseAsync());
    }

    [Fact]
    public async Task Preempted_client_that_received_100_receives_409()
    {
        await using WatchedApp app = await StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", $"Content-Length: {Size}", "Expect: 100-continue");
        Assert.Equal(100, (await connection.ReadResponseAsync())?.Status);
        await SendAsync(connection, 1_000_000);
        await app.Store.StoredAsync("f", 1_000_000);
        Assert.Equal(1_000_000, await app.Client.StatusAsync("f"));

        // The middleware drains the rest of the body after the response, because Kestrel drains for at most five seconds.
        await AssertRejectedAsync(connection, 409);
        await SendAsync(connection, Size - 1_000_000);
        await AssertUsableAsync(connection);
    }

    [Fact]
    public async Task Accepted_request_with_Expect_header_receives_100()
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
    public async Task HttpClient_with_ExpectContinue_sends_body_only_of_accepted_request(long startByte, bool isAccepted)
    {
        await using WatchedApp app = await StartAsync();
        using var client = new HttpClient(new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromMinutes(1) }) { BaseAddress = app.Address };
        client.DefaultRequestHeaders.ExpectContinue = true;
        using var body = new PushedBody();
        body.End();
        using HttpResponseMessage response = await client.AppendAsync("f", startByte, body, 1000);
        Assert.Equal(isAccepted ? HttpStatusCode.OK : HttpStatusCode.Conflict, response.StatusCode);
        Assert.Equal(isAccepted, body.Stream.IsCompleted);
        Assert.Equal(0, await client.StatusAsync("f"));
    }

    private static Task<WatchedApp> StartAsync(Wire wire = Wire.ContentLength) =>
        WatchedApp.StartAsync(wire, static options => options.MaxUploadSize = MaxUploadSize);

    private static async Task SendAsync(RawConnection connection, int bytes)
    {
        byte[] chunk = new byte[1_000_000];
        for (int sent = 0; sent < bytes; sent += chunk.Length)
        {
            await connection.SendAsync(chunk.AsMemory(0, Math.Min(chunk.Length, bytes - sent)));
        }
    }

    private static async Task AssertRejectedAsync(RawConnection connection, int status)
    {
        RawResponse? response = await connection.ReadResponseAsync();
        Assert.NotNull(response);
        Assert.Equal(status, response.Status);
        Assert.Equal("application/problem+json", response.Header("Content-Type"));
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"\"status\":{status}"), response.Body, StringComparison.Ordinal);
    }

    /// <summary>Asserts that the body was drained, so that the server can read the next request on the connection.</summary>
    private static async Task AssertUsableAsync(RawConnection connection)
    {
        await connection.SendHeadAsync("GET /status", "X-File-Id: another");
        RawResponse? response = await connection.ReadResponseAsync();
        Assert.Equal(200, response?.Status);
        Assert.Equal("0", response!.Body);
    }
}
