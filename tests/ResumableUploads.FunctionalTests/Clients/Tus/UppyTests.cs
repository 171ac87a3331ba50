using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;
using ResumableUploads.FunctionalTests.Clients.Browser;
using ResumableUploads.Testing.Servers;
using static Microsoft.Playwright.Assertions;

namespace ResumableUploads.FunctionalTests.Clients.Tus;

/// <summary>Runs Uppy on a page of another origin, which uploads to the sample host.</summary>
[Collection<ChromiumCollection>]
public class UppyTests(Chromium chromium)
{
    private const int Large = 30_000_000;

    /// <summary>A rate, in bytes per second, at which a large file takes a minute, so that a test can act before it is sent.</summary>
    private const int Slow = 500_000;

    [Theory]
    [InlineData("plain.bin", 0)]
    [InlineData("plain.bin", 12_000)]
    [InlineData("plain.bin", Large)]
    [InlineData("Überraschung 文件 🎬.bin", 12_000)]
    public async Task Upload_completes_for_any_name_and_size(string name, int size)
    {
        await using Site site = await Site.OpenAsync(chromium);
        using var file = new SourceFile(name, size);

        await site.ChooseAsync(file);
        await site.ExpectSentAsync(1);
        await file.AssertArrivedAloneAsync(site.Host);
        Assert.Empty(site.Traffic.Errors);
        Assert.Empty(site.Traffic.ConsoleErrors);
    }

    [Fact]
    public async Task Concurrent_uploads_complete()
    {
        await using Site site = await Site.OpenAsync(chromium);
        SourceFile[] files = [.. Enumerable.Range(1, 8).Select(static i => new SourceFile($"file {i}.bin", i * 300_000))];
        try
        {
            await site.ChooseAsync(files);
            await site.ExpectSentAsync(files.Length);
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
    public async Task Paused_upload_resumes_from_its_offset()
    {
        await using Site site = await Site.OpenAsync(chromium);
        using var file = new SourceFile("paused.bin", Large);
        await site.LimitAsync(Slow);
        await site.ChooseAsync(file);
        await site.Host.WaitForBytesOnDiskAsync(1_000_000);
        await site.Page.ClickAsync("#pause");
        await site.LimitAsync(-1);
        await site.Page.ClickAsync("#resume");

        await site.ExpectSentAsync(1);
        await file.AssertArrivedAloneAsync(site.Host);
        Assert.Equal(["POST", "PATCH", "HEAD", "PATCH"], site.Methods);
        Assert.InRange(site.LastOffset, 1_000_000, Large - 1);
        Assert.Empty(site.Traffic.Errors);
    }

    [Fact]
    public async Task Upload_completes_after_server_is_killed_and_restarted()
    {
        await using Site site = await Site.OpenAsync(chromium);
        using var file = new SourceFile("killed.bin", Large);
        await site.LimitAsync(Slow);
        await site.ChooseAsync(file);
        await site.Host.WaitForBytesOnDiskAsync(2_000_000);

        await site.Host.KillAsync();
        long storedLength = site.Host.BytesOnDisk;
        await site.LimitAsync(-1);
        await site.Host.RestartAsync();

        await site.ExpectSentAsync(1);
        await file.AssertArrivedAloneAsync(site.Host);
        Assert.Equal(1, site.Methods.Count(static method => method == "POST"));
        Assert.Equal(storedLength, site.LastOffset);
        Assert.Empty(site.Traffic.Errors);
    }

    /// <summary>A page with its own server, and a sample host that allows the origin of the page.</summary>
    private sealed class Site : IAsyncDisposable
    {
        private IBrowserContext _context = null!;
        private TestApp _pages = null!;
        private ICDPSession _devTools = null!;

        public SampleHostProcess Host { get; private set; } = null!;

        public IPage Page { get; private set; } = null!;

        public Traffic Traffic { get; private set; } = null!;

        /// <summary>Gets the methods of the requests to the host, without preflight requests.</summary>
        public IReadOnlyList<string> Methods => [.. Sent.Select(static request => request.Method)];

        /// <summary>Gets the offset of the last PATCH.</summary>
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

        public Task ExpectSentAsync(int count) => Expect(Page.Locator("#result")).ToHaveTextAsync($"{count} sent, 0 failed");

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
