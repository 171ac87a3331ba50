using System.Security.Cryptography;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Connections;

/// <summary>Request bodies with invalid or incomplete framing.</summary>
public class BrokenFramingTests
{
    private const int Sent = 123_457;
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(400_009);

    [Theory]
    [InlineData("zz\r\nwhatever\r\n")]
    [InlineData("-5\r\nabcde\r\n")]
    [InlineData("5\r\nabcdefgh\r\n")]
    [InlineData("fffffffffffffffff\r\n")]
    [InlineData("5\nabcde\r\n")]
    public async Task Malformed_chunk_returns_4xx_and_keeps_received_bytes(string chunk)
    {
        await using WatchedApp app = await WatchedApp.StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", $"X-File-Size: {File.Length}", "Transfer-Encoding: chunked");
        await connection.SendChunkAsync(File.AsMemory(0, Sent));
        await app.Store.StoredAsync("f", Sent);
        await connection.SendAsync(chunk);

        RawResponse? response = await connection.ReadResponseAsync();
        Assert.NotNull(response);
        Assert.InRange(response.Status, 400, 499);

        // Bytes of the malformed chunk may be stored up to its stated size.
        long status = await app.Client.StatusAsync("f");
        Assert.InRange(status, Sent, Sent + 5);
        Assert.Equal(File[..Sent], (await app.ContentAsync("f"))[..Sent]);
    }

    [Fact]
    public async Task Chunked_body_that_ends_early_keeps_received_bytes()
    {
        await using WatchedApp app = await WatchedApp.StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", $"X-File-Size: {File.Length}", "Transfer-Encoding: chunked");
        await connection.SendChunkAsync(File.AsMemory(0, Sent));
        await app.Store.StoredAsync("f", Sent);
        await connection.SendAsync("3e8\r\nonly these");
        connection.Finish();

        await AssertBadRequestOrClosedAsync(connection);
        Assert.InRange(await app.Client.StatusAsync("f"), Sent, Sent + 10);
    }

    [Fact]
    public async Task Body_shorter_than_Content_Length_keeps_received_bytes()
    {
        await using WatchedApp app = await WatchedApp.StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", $"X-File-Size: {File.Length}", $"Content-Length: {File.Length}");
        await connection.SendAsync(File.AsMemory(0, Sent));
        await app.Store.StoredAsync("f", Sent);
        connection.Finish();

        await AssertBadRequestOrClosedAsync(connection);
        Assert.Equal(Sent, await app.Client.StatusAsync("f"));
        await app.FinishAsync("f", Sent, File);
    }

    [Fact]
    public async Task Body_of_unknown_size_that_ends_early_does_not_complete_upload()
    {
        await using WatchedApp app = await WatchedApp.StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", "Transfer-Encoding: chunked");
        await connection.SendChunkAsync(File.AsMemory(0, Sent));
        await app.Store.StoredAsync("f", Sent);
        connection.Finish();

        await AssertBadRequestOrClosedAsync(connection);
        Assert.Empty(app.App.Finished);
        Assert.Equal(Sent, await app.Client.StatusAsync("f"));
        await app.FinishAsync("f", Sent, File);
    }

    /// <summary>
    /// Asserts a 400 or no response. Kestrel regards a client that sent FIN as disconnected, and may close the connection before the response is
    /// written.
    /// </summary>
    private static async Task AssertBadRequestOrClosedAsync(RawConnection connection)
    {
        RawResponse? response = await connection.ReadResponseAsync();
        Assert.True(response is null or { Status: 400 }, $"{response?.Status} {response?.Body}");
    }
}
