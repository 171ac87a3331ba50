using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Client;

namespace ResumableUploads.FunctionalTests.Clients.DotNet;

/// <summary>Uploads that are interrupted, and continued by the same call or by another process.</summary>
public class DotNetClientResumeTests
{
    private const int Size = 8_000_000;
    private const int Cut = 1_500_000;

    public static TheoryData<UploadProtocol> Protocols => ClientApp.Protocols;

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Upload_over_connections_that_are_cut_continues(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync();
        byte[] content = ClientApp.RandomBytes(Size);
        int cuts = 3;
        await using var line = new PlannedLine(app.App.Address, Cut, () => cuts-- > 0 ? LineFault.Cut : LineFault.None);
        var retries = new List<UploadRetry>();
        var options = ClientApp.Options(protocol, options =>
        {
            options.Digest = UploadDigest.Sha256;
            options.Retry.OnRetry = retries.Add;
        });

        using var httpClient = new HttpClient();
        await new ResumableUploadClient(httpClient).UploadAsync(new Uri(line.Address, "upload"), app.CreateFile(content), options, null, TestContext.Current.CancellationToken);

        app.AssertReceived(content);
        Assert.Equal(3, line.Faults);
        Assert.True(retries.Count >= 3);
        Assert.All(retries, static retry => Assert.True(retry.Exception is not null || retry.StatusCode is not null));

        // Each request has what the earlier ones have not brought: about 1.5 MB less each time. The last 64 KiB are a request of their own.
        long[] lengths = [.. app.Requests.Select(static request => request.Length)];
        Assert.Equal(5, lengths.Length);
        Assert.All(lengths.Zip(lengths.Skip(1)).Take(3), static pair => Assert.InRange(pair.First - pair.Second, Cut - 10_000, Cut));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Stream_that_cannot_seek_is_buffered_until_acknowledged(UploadProtocol protocol)
    {
        long acknowledged = 0;
        long largest = 0;
        await using ClientApp app = await ClientApp.StartAsync(middleware: async (context, next) =>
        {
            // Before the client can receive the response.
            context.Response.OnStarting(() =>
            {
                string offset = context.Response.Headers[protocol == UploadProtocol.FileId ? "X-Start-Byte" : "Upload-Offset"].ToString();
                acknowledged = long.TryParse(offset, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : acknowledged;
                return Task.CompletedTask;
            });
            await next(context);
        });
        byte[] content = ClientApp.RandomBytes(3_000_000);
        int cuts = 4;
        await using var line = new PlannedLine(app.App.Address, 700_000, () => cuts-- > 0 ? LineFault.Cut : LineFault.None);
        var source = new PipeStream(content, maxRead: 50_000, read => largest = Math.Max(largest, read - Volatile.Read(ref acknowledged)));
        using var httpClient = new HttpClient();
        await new ResumableUploadClient(httpClient).UploadAsync(
            new Uri(line.Address, "upload"), source, ClientApp.Options(protocol, static options => options.ChunkSize = 1_000_000), null, TestContext.Current.CancellationToken);

        app.AssertReceived(content);
        Assert.Equal(4, line.Faults);
        Assert.InRange(largest, 1_000_000 - 50_000, 1_000_000);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Upload_continues_after_restart_with_the_missing_bytes_only(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync();
        byte[] content = ClientApp.RandomBytes(Size);
        string path = app.CreateFile(content);
        UploadOptions options = ClientApp.Options(protocol, static options => (options.ChunkSize, options.Digest) = (1_000_000, UploadDigest.Sha256));
        using (var stop = new CancellationTokenSource())
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => app.CreateClient(options: app.WithStateStore()).UploadAsync(
                app.Endpoint, path, options, new InlineProgress(report => CancelAt(stop, report, 5_000_000)), stop.Token));
        }

        var reference = await app.CreateClient(options: app.WithStateStore()).FindUploadAsync(app.Endpoint, path, options, TestContext.Current.CancellationToken);
        Assert.NotNull(reference);
        var status = await app.CreateClient().GetStatusAsync(reference, options, TestContext.Current.CancellationToken);
        Assert.InRange(status!.Offset, 5_000_000, 6_000_000);
        ClientApp.SetRun(options, "second");

        UploadResponseMessage response = await app.CreateClient(options: app.WithStateStore()).UploadAsync(app.Endpoint, path, options, null, TestContext.Current.CancellationToken);

        app.AssertReceived(content);
        Assert.Equal(Size - status.Offset, app.LengthsOf("second").Sum());
        Assert.Equal(reference, response.Upload);
        Assert.Empty(Directory.GetFiles(Path.Combine(app.Files, "state")));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Stream_with_id_continues_after_restart_with_the_missing_bytes_only(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync();
        byte[] content = ClientApp.RandomBytes(3_500_000);
        UploadOptions options = ClientApp.Options(protocol, static options => (options.ChunkSize, options.Digest, options.Id) = (1_000_000, UploadDigest.Sha256, "café 1"));
        using (var stop = new CancellationTokenSource())
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => app.CreateClient(options: app.WithStateStore()).UploadAsync(
                app.Endpoint, new PipeStream(content), options, new InlineProgress(report => CancelAt(stop, report, 2_000_000)), stop.Token));
        }

        ClientApp.SetRun(options, "second");
        await app.CreateClient(options: app.WithStateStore()).UploadAsync(app.Endpoint, new PipeStream(content), options, null, TestContext.Current.CancellationToken);
        app.AssertReceived(content);
        Assert.InRange(app.LengthsOf("second").Sum(), 1, 1_500_000);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task File_that_changed_since_the_restart_is_sent_from_its_start(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync();
        byte[] content = ClientApp.RandomBytes(2_500_000);
        string path = app.CreateFile(content);
        UploadOptions options = ClientApp.Options(protocol, static options => (options.ChunkSize, options.Id) = (1_000_000, "fixed"));
        using (var stop = new CancellationTokenSource())
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => app.CreateClient(options: app.WithStateStore()).UploadAsync(
                app.Endpoint, path, options, new InlineProgress(report => CancelAt(stop, report, 2_000_000)), stop.Token));
        }

        byte[] changed = ClientApp.RandomBytes(2_500_000);
        File.WriteAllBytes(path, changed);
        await app.CreateClient(options: app.WithStateStore()).UploadAsync(app.Endpoint, path, options, null, TestContext.Current.CancellationToken);
        app.AssertReceived(changed);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Server_that_stops_reading_is_asked_for_the_offset(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync();

        // More than the socket buffers of both sides hold.
        byte[] content = ClientApp.RandomBytes(32_000_000);
        int stalls = 1;
        await using var line = new PlannedLine(app.App.Address, Cut, () => stalls-- > 0 ? LineFault.Stall : LineFault.None);
        var retries = new List<UploadRetry>();
        var options = ClientApp.Options(protocol, options =>
        {
            options.Retry.StallTimeout = TimeSpan.FromSeconds(3);
            options.Retry.OnRetry = retries.Add;
        });
        using var httpClient = new HttpClient();
        await new ResumableUploadClient(httpClient).UploadAsync(new Uri(line.Address, "upload"), app.CreateFile(content), options, null, TestContext.Current.CancellationToken);
        app.AssertReceived(content);
        Assert.Contains(retries, static retry => retry.Exception is TimeoutException);
        Assert.True(app.Requests.Last().Length <= content.Length - 1_000_000);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Lost_final_response_is_requested_again(UploadProtocol protocol)
    {
        int runs = 0;
        await using ClientApp app = await ClientApp.StartAsync(after: web => web.MapPost("/upload", async (HttpContext context) =>
        {
            Interlocked.Increment(ref runs);
            await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
            context.Response.StatusCode = StatusCodes.Status201Created;
            context.Response.Headers["X-Answer"] = "42";
            await context.Response.WriteAsync("thanks");
        }).WithResumableUploads());
        int losses = 1;
        await using var line = new PlannedLine(app.App.Address, Cut, () => losses-- > 0 ? LineFault.LoseResponse : LineFault.None);
        using var httpClient = new HttpClient();
        UploadResponseMessage response = await new ResumableUploadClient(httpClient).UploadAsync(
            new Uri(line.Address, "upload"), app.CreateFile(ClientApp.RandomBytes(2_000_000)), ClientApp.Options(protocol), null, TestContext.Current.CancellationToken);
        Assert.Equal(1, line.Faults);
        Assert.Equal(1, runs);
        Assert.Equal("thanks", response.GetBodyText());
        Assert.Equal(["true"], response.Headers["x-upload-replayed"]);
        Assert.False(response.WasAlreadyComplete);
        if (protocol != UploadProtocol.Tus)
        {
            Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        }
    }

    [Fact]
    public async Task Complete_upload_is_not_sent_again()
    {
        await using ClientApp app = await ClientApp.StartAsync();
        byte[] content = ClientApp.RandomBytes(1_000_000);
        string path = app.CreateFile(content);
        await app.CreateClient().UploadAsync(app.Endpoint, path, null, null, TestContext.Current.CancellationToken);
        var options = new UploadOptions();
        ClientApp.SetRun(options, "second");
        UploadResponseMessage response = await app.CreateClient().UploadAsync(app.Endpoint, path, options, null, TestContext.Current.CancellationToken);
        Assert.True(response.WasAlreadyComplete);
        Assert.Empty(app.LengthsOf("second"));
        app.AssertReceived(content);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Restarted_server_receives_the_rest(UploadProtocol protocol)
    {
        // 503 as during a deployment, also to status requests, with a Retry-After that is honored.
        int failures = 0;
        await using ClientApp app = await ClientApp.StartAsync(middleware: (context, next) =>
        {
            if (context.Request.Method is "OPTIONS" || Interlocked.Increment(ref failures) % 3 != 0)
            {
                return next(context);
            }

            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            context.Response.Headers.RetryAfter = "1";
            return Task.CompletedTask;
        });
        byte[] content = ClientApp.RandomBytes(700_000);
        var retries = new List<UploadRetry>();
        await app.CreateClient().UploadAsync(app.Endpoint, app.CreateFile(content), ClientApp.Options(protocol, options =>
        {
            options.ChunkSize = 200_000;
            options.Retry.OnRetry = retries.Add;
        }), new InlineProgress(static (TransferProgress _) => { }), TestContext.Current.CancellationToken);
        app.AssertReceived(content);
        Assert.NotEmpty(retries);
        Assert.All(retries, static retry => Assert.Equal(TimeSpan.FromSeconds(1), retry.Delay));
    }

    private static void CancelAt(CancellationTokenSource stop, TransferProgress report, long offset)
    {
        if (report.Offset > offset)
        {
            stop.Cancel();
        }
    }
}
