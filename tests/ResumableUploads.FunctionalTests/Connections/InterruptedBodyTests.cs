using System.Security.Cryptography;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Connections;

/// <summary>Every kind of interruption of a request body, over every kind of connection.</summary>
public class InterruptedBodyTests
{
    private const int Chunk = 50_021;
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(3_000_017);

    public static TheoryData<Wire, Cut> Interruptions => new()
    {
        { Wire.ContentLength, Cut.Fin },
        { Wire.ContentLength, Cut.Reset },
        { Wire.ContentLength, Cut.Silent },
        { Wire.Chunked, Cut.Fin },
        { Wire.Chunked, Cut.Reset },
        { Wire.Chunked, Cut.Silent },
        { Wire.Http2, Cut.Fin },
        { Wire.Http2, Cut.Reset },
        { Wire.Http2, Cut.Silent },
        { Wire.Http2, Cut.ResetStream },
    };

    [Theory]
    [MemberData(nameof(Interruptions))]
    public async Task Interruption_keeps_received_bytes_and_remainder_completes_upload(Wire wire, Cut cut)
    {
        await using WatchedApp app = await WatchedApp.StartAsync(wire);
        await using LiveUpload first = await app.BeginAsync(wire, "f", 0, File.Length, File.Length);
        int sent = await SendChunksAsync(first, 0, 20);
        await app.Store.StoredAsync("f", sent);
        first.Cut(cut);

        Assert.Equal(sent, await app.Client.StatusAsync("f"));
        Assert.Equal(File[..sent], await app.ContentAsync("f"));

        // The resumed request is interrupted as well.
        await using LiveUpload second = await app.BeginAsync(wire, "f", sent, File.Length - sent, File.Length);
        int more = await SendChunksAsync(second, sent, 7);
        await app.Store.StoredAsync("f", more);
        second.Cut(cut);

        Assert.Equal(more, await app.Client.StatusAsync("f"));
        await app.FinishAsync("f", more, File);
        AssertNoErrors(app);
    }

    [Theory]
    [MemberData(nameof(Interruptions))]
    public async Task Interruption_at_any_time_leaves_exact_offset_and_prefix_of_file(Wire wire, Cut cut)
    {
        await using WatchedApp app = await WatchedApp.StartAsync(wire);
        var senders = new List<LiveUpload>();
        try
        {
            long offset = 0;
            for (int i = 0; i < 5; i++)
            {
                LiveUpload sender = await app.BeginAsync(wire, "f", offset, File.Length - offset, File.Length);
                senders.Add(sender);

                // The server has created the upload and has received some, all or none of the following bytes.
                int sent = await SendChunksAsync(sender, (int)offset, 1);
                await app.Store.StoredAsync("f", offset + 1);
                sent = await SendChunksAsync(sender, sent, 3);
                sender.Cut(cut);

                long status = await app.Client.StatusAsync("f");
                Assert.InRange(status, offset + 1, sent);
                Assert.Equal(File[..(int)status], await app.ContentAsync("f"));
                offset = status;
            }

            await app.FinishAsync("f", offset, File);
            AssertNoErrors(app);
        }
        finally
        {
            foreach (LiveUpload sender in senders)
            {
                await sender.DisposeAsync();
            }
        }
    }

    [Theory]
    [InlineData(Wire.ContentLength)]
    [InlineData(Wire.Chunked)]
    [InlineData(Wire.Http2)]
    public async Task Five_interrupted_appends_of_40_kB_store_200_kB(Wire wire)
    {
        await using WatchedApp app = await WatchedApp.StartAsync(wire);
        for (int offset = 0; offset < 200_000; offset += 40_000)
        {
            Assert.Equal(offset, await app.Client.StatusAsync("f"));
            await using LiveUpload sender = await app.BeginAsync(wire, "f", offset, File.Length - offset, File.Length);
            await sender.SendAsync(File.AsMemory(offset, 40_000));
            await app.Store.StoredAsync("f", offset + 40_000);
            sender.Cut(Cut.Reset);
        }

        Assert.Equal(200_000, await app.Client.StatusAsync("f"));
        await app.FinishAsync("f", 200_000, File);
    }

    [Fact]
    public async Task Bytes_received_during_OnCreating_are_kept_after_client_disconnects()
    {
        Departure? departure = null;
        await using WatchedApp app = await WatchedApp.StartAsync(configure: options => options.OnCreating = (upload, _) =>
        {
            departure = Departure.Of(upload.HttpContext);
            return departure.HasLeft;
        });
        await using LiveUpload sender = await app.BeginAsync(Wire.Chunked, "f", 0, File.Length, File.Length);
        await sender.SendAsync(File.AsMemory(0, 40_000));
        sender.Cut(Cut.Fin);

        await app.Store.StoredAsync("f", 1);
        long status = await app.Client.StatusAsync("f");
        Assert.InRange(status, 1, 40_000);
        await app.FinishAsync("f", status, File);
        AssertNoErrors(app);
    }

    [Theory]
    [InlineData(Wire.ContentLength, Cut.Reset)]
    [InlineData(Wire.ContentLength, Cut.Fin)]
    [InlineData(Wire.Chunked, Cut.Reset)]
    [InlineData(Wire.Http2, Cut.Reset)]
    [InlineData(Wire.Http2, Cut.ResetStream)]
    public async Task Interruption_during_write_keeps_bytes_and_logs_no_error(Wire wire, Cut cut)
    {
        Departure? departure = null;
        await using WatchedApp app = await WatchedApp.StartAsync(wire, options => options.OnCreating = (upload, _) =>
        {
            departure = Departure.Of(upload.HttpContext);
            return Task.CompletedTask;
        });
        var reading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        app.Store.AfterRead = () =>
        {
            reading.TrySetResult();
            return departure!.HasLeft;
        };
        await using LiveUpload sender = await app.BeginAsync(wire, "f", 0, File.Length, File.Length);
        await sender.SendAsync(File.AsMemory(0, 40_000));
        await reading.Task;
        sender.Cut(cut);
        await app.Store.StoredAsync("f", 1);
        app.Store.AfterRead = null;

        long status = await app.Client.StatusAsync("f");
        Assert.InRange(status, 1, 40_000);
        await app.FinishAsync("f", status, File);
        AssertNoErrors(app);
    }

    private static void AssertNoErrors(WatchedApp app) =>
        Assert.DoesNotContain(app.App.Log.Lines, static line => line.StartsWith("Error", StringComparison.Ordinal));

    private static async Task<int> SendChunksAsync(LiveUpload sender, int offset, int chunks)
    {
        for (int i = 0; i < chunks; i++)
        {
            int length = Math.Min(Chunk, File.Length - offset);
            await sender.SendAsync(File.AsMemory(offset, length));
            offset += length;
        }

        return offset;
    }
}
