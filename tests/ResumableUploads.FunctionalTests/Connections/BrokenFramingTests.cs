using System.Security.Cryptography;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Connections;

/// <summary>Bodies that break their own framing.</summary>
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
    public async Task A_chunk_that_makes_no_sense_ends_the_body_with_a_4xx_and_what_came_is_kept(string chunk)
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

        // The bytes of the broken chunk itself may count as far as they were inside its stated size.
        long status = await app.Client.StatusAsync("f");
        Assert.InRange(status, Sent, Sent + 5);
        Assert.Equal(File[..Sent], (await app.ContentAsync("f"))[..Sent]);
    }

    [Fact]
    public async Task A_chunked_body_that_ends_early_keeps_what_came()
    {
        await using WatchedApp app = await WatchedApp.StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", $"X-File-Size: {File.Length}", "Transfer-Encoding: chunked");
        await connection.SendChunkAsync(File.AsMemory(0, Sent));
        await app.Store.StoredAsync("f", Sent);
        await connection.SendAsync("3e8\r\nonly these");
        connection.Finish();

        await AssertToldWhereItCanBeAsync(connection);
        Assert.InRange(await app.Client.StatusAsync("f"), Sent, Sent + 10);
    }

    [Fact]
    public async Task A_body_shorter_than_its_content_length_keeps_what_came()
    {
        await using WatchedApp app = await WatchedApp.StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", $"X-File-Size: {File.Length}", $"Content-Length: {File.Length}");
        await connection.SendAsync(File.AsMemory(0, Sent));
        await app.Store.StoredAsync("f", Sent);
        connection.Finish();

        await AssertToldWhereItCanBeAsync(connection);
        Assert.Equal(Sent, await app.Client.StatusAsync("f"));
        await app.FinishAsync("f", Sent, File);
    }

    [Fact]
    public async Task A_body_that_never_states_a_size_and_ends_early_does_not_finish_the_upload()
    {
        await using WatchedApp app = await WatchedApp.StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", "Transfer-Encoding: chunked");
        await connection.SendChunkAsync(File.AsMemory(0, Sent));
        await app.Store.StoredAsync("f", Sent);
        connection.Finish();

        await AssertToldWhereItCanBeAsync(connection);
        Assert.Empty(app.App.Finished);
        Assert.Equal(Sent, await app.Client.StatusAsync("f"));
        await app.FinishAsync("f", Sent, File);
    }

    /// <summary>Kestrel takes a client that has said FIN for one that has left, and may close before an answer can be written.</summary>
    private static async Task AssertToldWhereItCanBeAsync(RawConnection connection)
    {
        RawResponse? response = await connection.ReadResponseAsync();
        Assert.True(response is null or { Status: 400 }, $"{response?.Status} {response?.Body}");
    }
}
