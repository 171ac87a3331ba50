using System.Diagnostics;
using System.Text.Json;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Interim.Http2;

/// <summary>Interim responses on one HTTP/2 connection with many streams, with the client of Node.js.</summary>
[Collection<Alone>]
public class Http2InterimLoadTests(ITestOutputHelper output)
{
    private const int Uploads = 60;
    private const int UploadSize = 1_500_000;
    private const int Downloads = 40;
    private const int DownloadSize = 2_000_000;

    [Theory]
    [InlineData(IetfApp.Http2)]
    [InlineData(IetfApp.Http2Tls)]
    public async Task Sixty_uploads_and_forty_downloads_get_interim_responses_in_order(string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(TusApp.ReadyMade, wire, static options =>
        {
            options.UseMemoryStore(1L << 30);
            options.AllowDownload = true;
            options.Timeouts.ProgressInterval = TimeSpan.FromMilliseconds(1);

            // On a busy machine, a stream may wait a long time for its share of the connection.
            options.Timeouts.IdleTimeout = TimeSpan.FromMinutes(30);
            options.Limits.MinDataRate = 0;
        });
        using HttpResponseMessage stored = await app.Client.CreateAsync(true, new byte[DownloadSize]);
        using JsonDocument result = await RunAsync(app.Address, stored.Header("Location")!, Uploads, UploadSize, Downloads, tableSize: 4096);
        Assert.Empty(result.RootElement.GetProperty("failures").EnumerateArray());
        Assert.All(result.RootElement.GetProperty("received").EnumerateArray(), static received => Assert.Equal(DownloadSize, received.GetInt32()));

        JsonElement[] uploads = [.. result.RootElement.GetProperty("uploads").EnumerateArray()];
        int progress = 0;
        foreach (JsonElement upload in uploads)
        {
            long[] offsets = [.. upload.GetProperty("offsets").EnumerateArray().Select(static offset => offset.GetInt64())];
            Assert.Equal((201, 0, 1), (upload.GetProperty("status").GetInt32(), upload.GetProperty("late").GetInt32(), upload.GetProperty("announced").GetArrayLength()));
            Assert.Equal(offsets.Order(), offsets);
            Assert.All(offsets, static offset => Assert.InRange(offset, 0, UploadSize));
            progress += offsets.Length;
        }

        Assert.Equal(Uploads, uploads.Select(static upload => upload.GetProperty("announced")[0].GetString()).Distinct().Count());

        // A busy server sends fewer progress reports.
        Assert.True(progress > 0, "No progress reports were received.");
        output.WriteLine($"{uploads.Length} announcements, {progress} progress reports.");

        byte[][] arrived = [.. app.Seen.Select(static seen => seen.Content).Where(static content => content.Length == UploadSize)];
        Assert.Equal(Enumerable.Range(1, Uploads), arrived.Select(static content => (int)content[0]).Order());
        Assert.All(arrived, static content => Assert.Equal(-1, content.AsSpan().IndexOfAnyExcept(content[0])));
    }

    /// <summary>The next header block must start with the new table size, which only Kestrel's own encoder knows.</summary>
    [Theory]
    [InlineData(0, false)]
    [InlineData(4095, false)]
    [InlineData(4096, true)]
    [InlineData(65_536, true)]
    public async Task Client_with_reduced_header_table_gets_no_interim_responses(int tableSize, bool isReported)
    {
        await using IetfApp app = await IetfApp.StartAsync(TusApp.ReadyMade, IetfApp.Http2);
        using JsonDocument result = await RunAsync(app.Address, "/", 5, 100_000, 0, tableSize);
        Assert.Empty(result.RootElement.GetProperty("failures").EnumerateArray());
        Assert.All(result.RootElement.GetProperty("uploads").EnumerateArray(), response =>
            Assert.Equal((201, isReported ? 1 : 0), (response.GetProperty("status").GetInt32(), response.GetProperty("announced").GetArrayLength())));
        Assert.Equal(5, app.Seen.Count);
    }

    private static async Task<JsonDocument> RunAsync(Uri address, string download, int uploads, int size, int downloads, int tableSize)
    {
        Needs.Require(await Needs.RunAsync("node", "--version") is 0, "node is not installed.");
        using Process node = Process.Start(new ProcessStartInfo(
            "node", ["load.mjs", address.ToString(), IetfApp.Url, download, $"{uploads}", $"{size}", $"{downloads}", $"{tableSize}"])
        {
            WorkingDirectory = Path.Combine(RepositoryFiles.Root, "tests", "http2-client"),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(4));
        try
        {
            Task<string> errors = node.StandardError.ReadToEndAsync(timeout.Token);
            string text = await node.StandardOutput.ReadToEndAsync(timeout.Token);
            await node.WaitForExitAsync(timeout.Token);
            Assert.True(node.ExitCode == 0, await errors);
            return JsonDocument.Parse(text);
        }
        finally
        {
            if (!node.HasExited)
            {
                node.Kill();
            }
        }
    }
}
