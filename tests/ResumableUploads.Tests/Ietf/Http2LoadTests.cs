using System.Diagnostics;
using System.Text.Json;
using ResumableUploads.Tests.Crashes;
using ResumableUploads.Tests.Http;
using ResumableUploads.Tests.Rules;
using ResumableUploads.Tests.Tus;

namespace ResumableUploads.Tests.Ietf;

/// <summary>Interim responses on one crowded connection of HTTP/2, with Node's client .</summary>
public class Http2LoadTests(ITestOutputHelper output)
{
    private const int Uploads = 60;
    private const int UploadSize = 3_500_000;
    private const int Downloads = 40;
    private const int DownloadSize = 5_000_000;

    [Theory]
    [InlineData(IetfApp.Http2)]
    [InlineData(IetfApp.Http2Tls)]
    public async Task Sixty_uploads_beside_forty_downloads_are_told_all_and_nothing_too_late(string wire)
    {
        Needs.Require(await Needs.RunAsync("node", "--version") is 0, "node is not installed.");
        await using IetfApp app = await IetfApp.StartAsync(TusApp.ReadyMade, wire, static options =>
        {
            options.UseMemoryStore(1L << 30);
            options.AllowDownload = true;
            options.ProgressInterval = TimeSpan.FromMilliseconds(1);
        });
        using HttpResponseMessage stored = await app.Client.CreateAsync(true, new byte[DownloadSize]);
        using JsonDocument result = JsonDocument.Parse(await RunAsync(app.Address, stored.Header("Location")!));
        Assert.Empty(result.RootElement.GetProperty("failures").EnumerateArray());
        Assert.All(result.RootElement.GetProperty("received").EnumerateArray(), static received => Assert.Equal(DownloadSize, received.GetInt32()));

        JsonElement[] told = [.. result.RootElement.GetProperty("told").EnumerateArray()];
        int progress = 0;
        foreach (JsonElement one in told)
        {
            long[] offsets = [.. one.GetProperty("offsets").EnumerateArray().Select(static offset => offset.GetInt64())];
            Assert.Equal((201, 0, 1), (one.GetProperty("status").GetInt32(), one.GetProperty("late").GetInt32(), one.GetProperty("announced").GetArrayLength()));
            Assert.Equal(offsets.Order(), offsets);
            Assert.All(offsets, static offset => Assert.InRange(offset, 0, UploadSize));
            progress += offsets.Length;
        }

        Assert.Equal(Uploads, told.Select(static one => one.GetProperty("announced")[0].GetString()).Distinct().Count());
        Assert.True(progress >= Uploads, $"{progress} times the progress was told.");
        output.WriteLine($"{told.Length} announcements, {progress} times progress.");

        byte[][] arrived = [.. app.Seen.Select(static seen => seen.Content).Where(static content => content.Length == UploadSize)];
        Assert.Equal(Enumerable.Range(1, Uploads), arrived.Select(static content => (int)content[0]).Order());
        Assert.All(arrived, static content => Assert.Equal(-1, content.AsSpan().IndexOfAnyExcept(content[0])));
    }

    private static async Task<string> RunAsync(Uri address, string download)
    {
        using Process node = Process.Start(new ProcessStartInfo(
            "node", ["load.mjs", address.ToString(), IetfApp.Url, download, $"{Uploads}", $"{UploadSize}", $"{Downloads}"])
        {
            WorkingDirectory = Path.Combine(Repository.Root, "tests", "http2-client"),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        try
        {
            Task<string> errors = node.StandardError.ReadToEndAsync(patience.Token);
            string text = await node.StandardOutput.ReadToEndAsync(patience.Token);
            await node.WaitForExitAsync(patience.Token);
            Assert.True(node.ExitCode == 0, await errors);
            return text;
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
