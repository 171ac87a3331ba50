using System.Security.Cryptography;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Connections;

/// <summary>Every way in which a body ends too early, over every kind of connection.</summary>
public class CutTests
{
    private const int Piece = 50_021;
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(3_000_017);

    public static TheoryData<Wire, Cut> Cells => new()
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
    [MemberData(nameof(Cells))]
    public async Task What_was_received_before_a_cut_is_kept_and_the_rest_completes_the_file(Wire wire, Cut cut)
    {
        await using WatchedApp app = await WatchedApp.StartAsync(wire);
        await using LiveUpload first = await app.BeginAsync(wire, "f", 0, File.Length, File.Length);
        int sent = await SendPiecesAsync(first, 0, 20);
        await app.Store.StoredAsync("f", sent);
        first.Cut(cut);

        Assert.Equal(sent, await app.Client.StatusAsync("f"));
        Assert.Equal(File[..sent], await app.ContentAsync("f"));

        // And once more: what follows a cut can be cut as well.
        await using LiveUpload second = await app.BeginAsync(wire, "f", sent, File.Length - sent, File.Length);
        int more = await SendPiecesAsync(second, sent, 7);
        await app.Store.StoredAsync("f", more);
        second.Cut(cut);

        Assert.Equal(more, await app.Client.StatusAsync("f"));
        await app.FinishAsync("f", more, File);
        AssertNoErrors(app);
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public async Task A_cut_at_any_moment_leaves_a_true_number_and_a_prefix(Wire wire, Cut cut)
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

                // The server knows of the upload, and has some of the bytes, all of them, or none.
                int sent = await SendPiecesAsync(sender, (int)offset, 1);
                await app.Store.StoredAsync("f", offset + 1);
                sent = await SendPiecesAsync(sender, sent, 3);
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
    public async Task Five_tries_of_40_kB_that_are_each_cut_leave_200_kB(Wire wire)
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
    public async Task Bytes_that_came_while_the_app_was_asked_are_kept_although_their_client_has_left()
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
    public async Task A_cut_while_the_disk_is_writing_loses_nothing_and_is_not_blamed_on_the_disk(Wire wire, Cut cut)
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

    private static async Task<int> SendPiecesAsync(LiveUpload sender, int from, int pieces)
    {
        for (int i = 0; i < pieces; i++)
        {
            int length = Math.Min(Piece, File.Length - from);
            await sender.SendAsync(File.AsMemory(from, length));
            from += length;
        }

        return from;
    }
}
