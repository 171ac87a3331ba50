using System.Globalization;
using System.Security.Cryptography;
using ResumableUploads.FunctionalTests.Connections;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Engine.Locking;

/// <summary>Several connected clients that send the same upload.</summary>
public class ConcurrentSendersTests
{
    private const int Piece = 64 * 1024;
    private const int ChunksBefore = 6;
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(100 * Piece + 11);

    [Theory]
    [InlineData(Wire.ContentLength)]
    [InlineData(Wire.Chunked)]
    [InlineData(Wire.Http2)]
    public async Task Second_sender_completes_upload_and_first_receives_409(Wire wire)
    {
        await using WatchedApp app = await WatchedApp.StartAsync(wire);
        await using LiveUpload first = await app.BeginAsync(wire, "f", 0, File.Length, File.Length);
        var takenOver = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task firstSends = SendFromAsync(first, 0, takenOver.Task);
        await app.Store.StoredAsync("f", 2 * Piece);

        // The status request of the second sender preempts the first sender, which keeps sending.
        int offset = (int)await app.Client.StatusAsync("f");
        Assert.InRange(offset, 2 * Piece, ChunksBefore * Piece);
        takenOver.SetResult();
        await using LiveUpload second = await app.BeginAsync(wire, "f", offset, File.Length - offset, File.Length);
        await SendFromAsync(second, offset, Task.CompletedTask);
        await firstSends;

        UploadReply? reply = await second.ReadResponseAsync();
        Assert.Equal(200, reply?.Status);
        UploadReply? rejected = await first.ReadResponseAsync();
        Assert.Equal(409, rejected?.Status);
        Assert.Contains("taken-over", rejected!.Body, StringComparison.Ordinal);
        Assert.Equal(offset.ToString(CultureInfo.InvariantCulture), rejected.StartByte);
        app.AssertFinished(File);
    }

    [Theory]
    [InlineData(Wire.Chunked)]
    [InlineData(Wire.Http2)]
    public async Task Alternating_senders_leave_prefix_of_file(Wire wire)
    {
        await using WatchedApp app = await WatchedApp.StartAsync(wire);
        var senders = new List<(LiveUpload Upload, Task Sending)>();
        try
        {
            long offset = 0;
            for (int i = 0; i < 10; i++)
            {
                LiveUpload sender = await app.BeginAsync(wire, "f", offset, File.Length - offset, File.Length);
                var takenOver = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                senders.Add((sender, SendFromAsync(sender, (int)offset, takenOver.Task)));
                await app.Store.StoredAsync("f", offset + (2 * Piece));
                offset = await app.Client.StatusAsync("f");
                takenOver.SetResult();
                Assert.Equal(File[..(int)offset], await app.ContentAsync("f"));
            }

            await app.FinishAsync("f", offset, File);
            foreach ((LiveUpload upload, Task sending) in senders)
            {
                await sending;
                Assert.Equal(409, (await upload.ReadResponseAsync())?.Status);
            }
        }
        finally
        {
            foreach ((LiveUpload upload, _) in senders)
            {
                await upload.DisposeAsync();
            }
        }
    }

    [Theory]
    [InlineData(Wire.ContentLength)]
    [InlineData(Wire.Chunked)]
    [InlineData(Wire.Http2)]
    public async Task At_most_one_of_four_concurrent_appends_succeeds_without_mixed_content(Wire wire)
    {
        for (int round = 0; round < 10; round++)
        {
            await using WatchedApp app = await WatchedApp.StartAsync(wire);
            byte[][] bodies = [.. Enumerable.Range(0, 4).Select(static _ => RandomNumberGenerator.GetBytes(5 * Piece))];
            UploadReply?[] replies = await Task.WhenAll(bodies.Select(async body =>
            {
                await using LiveUpload sender = await app.BeginAsync(wire, "f", 0, body.Length, File.Length);
                await SendAsync(sender, body);
                return await sender.ReadResponseAsync();
            }));

            // 503 is for an append that finds another one at its own offset and must not stop it.
            Assert.All(replies, static reply => Assert.Contains(reply?.Status, (int?[])[200, 409, 503]));
            Assert.True(replies.Count(static reply => reply?.Status == 200) <= 1);
            long status = await app.Client.StatusAsync("f");
            byte[] content = await app.ContentAsync("f");
            Assert.Equal(content.Length, status);
            Assert.Contains(bodies, body => content.AsSpan().SequenceEqual(body.AsSpan(0, content.Length)));
            if (Array.FindIndex(replies, static reply => reply?.Status == 200) is >= 0 and var succeeded)
            {
                Assert.Equal(bodies[succeeded], content);
            }
        }
    }

    private static async Task SendAsync(LiveUpload sender, byte[] body)
    {
        if (await SendChunksAsync(sender, body))
        {
            await sender.EndAsync();
        }
    }

    /// <summary>Returns false if the server stops reading. On HTTP/2, it resets the stream of a sender after the response.</summary>
    private static async Task<bool> SendChunksAsync(LiveUpload sender, byte[] body)
    {
        try
        {
            foreach (byte[] chunk in body.Chunk(Piece))
            {
                await sender.SendAsync(chunk);
            }

            return true;
        }
        catch (Exception e) when (LiveUpload.IsSendFailure(e))
        {
            return false;
        }
    }

    /// <summary>Sends the file from an offset: the first chunks at once, and the rest after a task completes.</summary>
    private static async Task SendFromAsync(LiveUpload sender, int offset, Task resume)
    {
        int half = Math.Min(File.Length, offset + (ChunksBefore * Piece));
        await SendChunksAsync(sender, File[offset..half]);
        await resume;
        await SendAsync(sender, File[half..]);
    }
}
