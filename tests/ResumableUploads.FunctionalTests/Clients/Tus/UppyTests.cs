using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;
using ResumableUploads.FunctionalTests.Clients.Browser;
using ResumableUploads.Testing.Servers;
using static Microsoft.Playwright.Assertions;

namespace ResumableUploads.FunctionalTests.Clients.Tus;

/// <summary>The real Uppy on a page of another origin, which sends to the sample host.</summary>
[Collection<InChromium>]
public class UppyTests(Chromium chromium)
{
    private const int Large = 30_000_000;

    [Theory]
    [InlineData("plain.bin", 0)]
    [InlineData("plain.bin", 12_000)]
    [InlineData("plain.bin", Large)]
    [InlineData("Überraschung 文件 🎬.bin", 12_000)]
    public async Task A_file_arrives(string name, int size)
    {
        await using Site site = await Site.OpenAsync(chromium);
        using var file = new SourceFile(name, size);

        await site.ChooseAsync(file);
        await site.SendsAsync(1);
        await file.AssertArrivedAloneAsync(site.Host);
        Assert.Empty(site.Traffic.Errors);
        Assert.Empty(site.Traffic.ConsoleErrors);
    }

    [Fact]
    public async Task Several_files_arrive_at_once()
    {
        await using Site site = await Site.OpenAsync(chromium);
        SourceFile[] files = [.. Enumerable.Range(1, 8).Select(static i => new SourceFile($"file {i}.bin", i * 300_000))];
        try
        {
            await site.ChooseAsync(files);
            await site.SendsAsync(files.Length);
            Assert.Equal(files.Select(static file => file.Name).Order(), site.Host.Arrived.Select(Path.GetFileName).Order());
            foreach (SourceFile file in files)
            {
                Assert.Equal(file.Hash, await SourceFile.HashOfAsync(Path.Combine(site.Host.Directory, "finished", file.Name)));
            }
        }
        finally
        {
            Array.ForEach(files, static file => file.Dispose());
        }
    }

    [Fact]
    public async Task A_file_that_is_paused_goes_on_where_it_was()
    {
        await using Site site = await Site.OpenAsync(chromium);
        using var file = new SourceFile("paused.bin", Large);
        await site.LimitAsync(UploadPage.Slow);
        await site.ChooseAsync(file);
        await site.HasSentAsync(4_000_000);
        await site.Page.ClickAsync("#pause");
        await site.LimitAsync(-1);
        await site.Page.ClickAsync("#resume");

        await site.SendsAsync(1);
        await file.AssertArrivedAloneAsync(site.Host);
        Assert.Equal(["POST", "PATCH", "HEAD", "PATCH"], site.Methods);
        Assert.InRange(site.LastOffset, 1_000_000, Large - 1);
        Assert.Empty(site.Traffic.Errors);
    }

    [Fact]
    public async Task A_file_arrives_whole_when_the_server_is_killed_in_the_middle_and_started_again()
    {
        await using Site site = await Site.OpenAsync(chromium);
        using var file = new SourceFile("killed.bin", Large);
        await site.LimitAsync(UploadPage.Slow);
        await site.ChooseAsync(file);
        await site.HasSentAsync(6_000_000);
        await site.Host.HasOnDiskAsync(2_000_000);

        await site.Host.KillAsync();
        long kept = site.Host.BytesOnDisk;
        await site.LimitAsync(-1);
        await site.Host.StartAgainAsync();

        await site.SendsAsync(1);
        await file.AssertArrivedAloneAsync(site.Host);
        Assert.Equal(1, site.Methods.Count(static method => method == "POST"));
        Assert.Equal(kept, site.LastOffset);
        Assert.Empty(site.Traffic.Errors);
    }

    /// <summary>The page and its server, and the sample host, which lets it.</summary>
    private sealed class Site : IAsyncDisposable
    {
        private IBrowserContext _context = null!;
        private TestApp _pages = null!;
        private ICDPSession _devTools = null!;

        public SampleHostProcess Host { get; private set; } = null!;

        public IPage Page { get; private set; } = null!;

        public Traffic Traffic { get; private set; } = null!;

        /// <summary>The methods of what the page sent to the host, without what the browser asks by itself.</summary>
        public IReadOnlyList<string> Methods => [.. Sent.Select(static request => request.Method)];

        /// <summary>Where the last PATCH began.</summary>
        public long LastOffset => long.Parse(
            Sent.Last(static request => request.Method == "PATCH").Headers["upload-offset"], System.Globalization.CultureInfo.InvariantCulture);

        private IEnumerable<IRequest> Sent => Traffic.Requests
            .Where(request => request.Url.StartsWith(Host.Address.ToString(), StringComparison.Ordinal) && request.Method != "OPTIONS");

        public static async Task<Site> OpenAsync(Chromium chromium)
        {
            await NodeModules.RequireAsync();
            string bundle = Path.Combine(NodeModules.Directory, "node_modules", "uppy", "dist", "uppy.min.mjs");
            var site = new Site { _context = await chromium.NewContextAsync() };
            site._pages = await TestApp.StartAsync(useUploads: false, after: app =>
            {
                app.MapGet("/", static () => Results.Stream(typeof(UppyTests).Assembly.GetManifestResourceStream("uppy.html")!, "text/html; charset=utf-8"));
                app.MapGet("/uppy.min.mjs", () => Results.File(bundle, "text/javascript"));
            });
            site.Host = await SampleHostProcess.StartAsync($"AllowedOrigins:0={site._pages.Address.GetLeftPart(UriPartial.Authority)}");
            site.Page = await site._context.NewPageAsync();
            site.Traffic = new Traffic(site.Page);
            site._devTools = await site._context.NewCDPSessionAsync(site.Page);
            await site.Page.GotoAsync(new Uri(site._pages.Address, "/?endpoint=" + Uri.EscapeDataString(new Uri(site.Host.Address, "upload").ToString())).ToString());
            return site;
        }

        public Task ChooseAsync(params SourceFile[] files) => Page.Locator("#files").SetInputFilesAsync(files.Select(static file => file.Path));

        public Task SendsAsync(int count) => Expect(Page.Locator("#result")).ToHaveTextAsync($"{count} sent, 0 failed");

        public async Task HasSentAsync(long bytes) => await Page.WaitForFunctionAsync("bytes => Number(document.getElementById('sent').value) > bytes", bytes);

        public async Task LimitAsync(int rate) => await _devTools.SendAsync("Network.emulateNetworkConditions", new Dictionary<string, object>
        {
            ["offline"] = false, ["latency"] = 0, ["downloadThroughput"] = -1, ["uploadThroughput"] = rate,
        });

        public async ValueTask DisposeAsync()
        {
            await _context.DisposeAsync();
            await Host.DisposeAsync();
            await _pages.DisposeAsync();
        }
    }
}
