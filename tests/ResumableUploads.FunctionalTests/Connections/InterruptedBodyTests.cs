using System.IO.Pipelines;
using System.Security.Cryptography;
using ResumableUploads.Testing;
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

    [Theory]
    [InlineData(Wire.ContentLength, false)]
    [InlineData(Wire.ContentLength, true)]
    [InlineData(Wire.Chunked, false)]
    public async Task Bytes_received_during_OnCreating_are_kept_after_client_disconnects(Wire wire, bool replaces)
    {
        Departure? departure = null;
        await using WatchedApp app = await WatchedApp.StartAsync(wire, options =>
        {
            options.FileId.RestartOnZero = true;
            options.OnCreating = (upload, _) =>
            {
                departure = Departure.Of(upload.HttpContext);
                return departure.HasLeft;
            };
        });
        if (replaces)
        {
            await using LiveUpload first = await app.BeginAsync(Wire.ContentLength, "f", 0, File.Length, File.Length);
            await first.SendAsync(File.AsMemory(1, 100));
            first.Cut(Cut.Fin);
            await app.Store.UntilAsync("f", static sight => sight is { Stored: 100, Running: 0 });

            // The append may still hold the lock. A request of a disconnected client does not wait for it, but this status request does.
            Assert.Equal(100, await app.Client.StatusAsync("f"));
        }

        await using LiveUpload sender = await app.BeginAsync(wire, "f", 0, File.Length, File.Length);
        await sender.SendAsync(File.AsMemory(0, 40_000));
        sender.Cut(Cut.Fin);

        await app.Store.UntilAsync("f", static sight => sight is { Stored: > 100, Running: 0 });
        Assert.Equal(40_000, await app.Client.StatusAsync("f"));
        await app.FinishAsync("f", 40_000, File);
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

    [Theory]
    [InlineData(Wire.ContentLength, false)]
    [InlineData(Wire.ContentLength, true)]
    [InlineData(Wire.Chunked, false)]
    public async Task All_received_bytes_are_kept_after_client_closes_during_write(Wire wire, bool examinesOnly)
    {
        await using HeldWrite write = await HeldWrite.StartAsync(wire, examinesOnly);
        await using LiveUpload sender = await write.App.BeginAsync(wire, "f", 0, File.Length, File.Length);
        await sender.SendAsync(File.AsMemory(0, 40_000));
        await write.Started;
        await sender.SendAsync(File.AsMemory(40_000, 800_000));
        sender.Cut(Cut.Fin);

        await write.FinishedAsync();
        Assert.Equal(840_000, await write.App.Client.StatusAsync("f"));
        await write.App.FinishAsync("f", 840_000, File);
        AssertNoErrors(write.App);
    }

    [Fact]
    public async Task All_received_bytes_are_kept_after_client_that_expects_100_closes()
    {
        await using HeldWrite write = await HeldWrite.StartAsync(Wire.ContentLength);
        await using RawConnection connection = await RawConnection.OpenAsync(write.App.Address);
        await connection.SendHeadAsync(
            "POST /upload", "X-File-Id: f", "X-Start-Byte: 0", $"X-File-Size: {File.Length}", $"Content-Length: {File.Length}", "Expect: 100-continue");
        Assert.Equal(100, (await connection.ReadResponseAsync())?.Status);
        await connection.SendAsync(File.AsMemory(0, 40_000));
        await write.Started;
        await connection.SendAsync(File.AsMemory(40_000, 800_000));
        connection.Finish();

        await write.FinishedAsync();
        Assert.Equal(840_000, await write.App.Client.StatusAsync("f"));
    }

    [Fact]
    public async Task Body_that_client_sends_before_it_closes_completes_upload()
    {
        byte[] file = File[..840_000];
        await using HeldWrite write = await HeldWrite.StartAsync(Wire.ContentLength);
        await using LiveUpload sender = await write.App.BeginAsync(Wire.ContentLength, "f", 0, file.Length, file.Length);
        await sender.SendAsync(file.AsMemory(0, 40_000));
        await write.Started;
        await sender.SendAsync(file.AsMemory(40_000));

        // These bytes follow the body on the connection and are not part of it.
        await sender.SendAsync("GET / HTTP/1.1\r\n"u8.ToArray());
        sender.Cut(Cut.Fin);

        await write.FinishedAsync();
        Assert.Equal(file.Length, await write.App.Client.StatusAsync("f"));

        // The response to the status request does not wait for the handler.
        await Eventually.TrueAsync(() => write.App.App.Finished.Count > 0, "the handler received the file");
        write.App.AssertFinished(file);
        AssertNoErrors(write.App);
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

    /// <summary>An app whose store holds its first write until the server has noticed that the client is gone.</summary>
    private sealed class HeldWrite(WatchedApp app, Task started) : IAsyncDisposable
    {
        public WatchedApp App => app;

        /// <summary>Gets a task that completes when the store has read the first bytes.</summary>
        public Task Started => started.WaitAsync(TimeSpan.FromMinutes(2));

        /// <param name="wire">The transfer of the body.</param>
        /// <param name="examinesOnly">Whether the store has examined the first bytes, and waits for more before it consumes them.</param>
        public static async Task<HeldWrite> StartAsync(Wire wire, bool examinesOnly = false)
        {
            Departure? departure = null;
            var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            WatchedApp app = await WatchedApp.StartAsync(wire, options => options.OnCreating = (upload, _) =>
            {
                departure = Departure.Of(upload.HttpContext);
                return Task.CompletedTask;
            });
            Task HoldAsync()
            {
                started.TrySetResult();
                return departure!.HasLeft;
            }

            if (!examinesOnly)
            {
                app.Store.AfterRead = HoldAsync;
                return new HeldWrite(app, started.Task);
            }

            app.Store.Appending = content => app.Store.BeforeRead = async () =>
            {
                (app.Store.Appending, app.Store.BeforeRead) = (null, null);
                ReadResult result = await content.Reader.ReadAsync();
                content.Reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
                await HoldAsync();
            };
            return new HeldWrite(app, started.Task);
        }

        /// <summary>Waits for the end of the append.</summary>
        public async Task FinishedAsync()
        {
            await app.Store.UntilAsync("f", static sight => sight is { Stored: > 0, Running: 0 });
            app.Store.AfterRead = null;
        }

        public ValueTask DisposeAsync() => app.DisposeAsync();
    }
}
