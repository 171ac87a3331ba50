using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;
using ResumableUploads.FunctionalTests.Clients.Browser;
using ResumableUploads.FunctionalTests.Clients.Tus;
using ResumableUploads.Testing;
using static Microsoft.Playwright.Assertions;

namespace ResumableUploads.FunctionalTests.Clients.Concurrent;

/// <summary>Two tabs with Uppy that send the same file over one line. The second one finds the URL of the upload in the storage of the browser.</summary>
[Collection<ChromiumCollection>]
public class ConcurrentUppyTabsTests(Chromium chromium, ITestOutputHelper output)
{
    private const int FileSize = 64 << 20;
    private const int Rate = 16 << 20;
    private const int AllowedRequests = 12;
    private const string Completed = "completed";

    private const string PageHtml = """
        <!DOCTYPE html>
        <link rel="icon" href="data:,">
        <input type="file" id="file"> <button id="retry">Retry</button> <output id="result"></output>
        <script type="module">
          import { Tus, Uppy } from '/uppy.min.mjs';

          const chunkSize = Number(new URLSearchParams(location.search).get('chunkSize'));
          const uppy = new Uppy().use(Tus, { endpoint: '/upload', chunkSize });
          document.getElementById('file').onchange = async event => {
            const [file] = event.target.files;
            uppy.addFile({ name: file.name, type: file.type, data: file, source: 'page' });
            showResult(await uppy.upload());
          };
          document.getElementById('retry').onclick = async () => showResult(await uppy.retryAll());

          function showResult({ failed }) {
            document.getElementById('result').value = failed.length ? failed[0].error : 'completed';
          }
        </script>
        """;

    [Theory]
    [InlineData(FileSize)]
    [InlineData(4_000_000)]
    public async Task Two_tabs_need_few_more_requests_than_one(int chunkSize)
    {
        using var file = new SourceFile("shared.bin", FileSize);
        await using SharedUploadApp app = await StartAsync(Rate);
        await using (IBrowserContext context = await chromium.NewContextAsync())
        {
            IPage single = await OpenAsync(context, app, chunkSize);
            await single.Locator("#file").SetInputFilesAsync(file.Path);
            Assert.Equal(Completed, await GetResultAsync(single));
        }

        UploadRun alone = await app.TakeRunAsync(file);
        output.WriteLine($"Alone: {alone}");

        UploadRun both = await SendInTwoTabsAsync(app, file, chunkSize);
        output.WriteLine($"Duration: {both.Duration / alone.Duration:0.00} times that of one tab.");
        Assert.InRange(both.Requests.Count, 1, alone.Requests.Count + AllowedRequests);
    }

    /// <summary>The line is so slow that the server closes the connection of the first tab before the tab has sent its body.</summary>
    [Fact]
    public async Task Preempted_tab_ends_when_its_connection_is_closed()
    {
        using var file = new SourceFile("shared.bin", FileSize / 2);
        await using SharedUploadApp app = await StartAsync(Rate / 8);
        UploadRun both = await SendInTwoTabsAsync(app, file, file.Size);
        Assert.InRange(both.Requests.Count, 1, AllowedRequests);
    }

    private static async Task<SharedUploadApp> StartAsync(int rate)
    {
        await NodeModules.RequireAsync();
        string bundle = Path.Combine(NodeModules.Directory, "node_modules", "uppy", "dist", "uppy.min.mjs");
        return await SharedUploadApp.StartAsync(rate, app =>
        {
            app.MapGet("/", static () => Results.Text(PageHtml, "text/html"));
            app.MapGet("/uppy.min.mjs", () => Results.File(bundle, "text/javascript"));
        });
    }

    /// <summary>
    /// Sends the file in one tab and, after a quarter of it, in another one. Asserts that one upload is created, that a tab completes it, and that the other one
    /// completes as well, or is preempted and then finds it complete.
    /// </summary>
    /// <param name="app">The app.</param>
    /// <param name="file">The file.</param>
    /// <param name="chunkSize">The chunk size, in bytes.</param>
    private async Task<UploadRun> SendInTwoTabsAsync(SharedUploadApp app, SourceFile file, int chunkSize)
    {
        await using IBrowserContext context = await chromium.NewContextAsync();
        IPage first = await OpenAsync(context, app, chunkSize);
        IPage second = await OpenAsync(context, app, chunkSize);
        long startBytes = app.Line.ForwardedBytes;

        // The first tab cannot complete the upload before the second one requests the offset.
        app.Line.HoldAfter(file.Size / 4);
        await first.Locator("#file").SetInputFilesAsync(file.Path);
        await Eventually.TrueAsync(() => app.Line.ForwardedBytes - startBytes >= file.Size / 4, "the first tab has sent enough");
        await second.Locator("#file").SetInputFilesAsync(file.Path);
        await Eventually.TrueAsync(() => app.HasReceived("HEAD"), "the second tab has requested the offset");
        app.Line.Release();
        string[] results = await Task.WhenAll(GetResultAsync(first), GetResultAsync(second));

        UploadRun both = await app.TakeRunAsync(file);
        output.WriteLine($"Both: {both}\nFirst: {results[0]}\nSecond: {results[1]}");
        Assert.Contains(Completed, results);
        Assert.All(results, static result => Assert.True(result == Completed || result.Contains("taken-over", StringComparison.Ordinal), result));
        Assert.Single(both.Requests, static request => request.Method == "POST");

        if (results.All(static result => result == Completed))
        {
            return both;
        }

        // The other tab has completed the upload. The preempted one sends no bytes.
        IPage preempted = results[0] == Completed ? second : first;
        await preempted.ClickAsync("#retry");
        await Expect(preempted.Locator("#result")).ToHaveTextAsync(Completed);
        Assert.Equal(["HEAD"], app.TakeRequests().Select(static request => request.Method));
        return both;
    }

    private static async Task<IPage> OpenAsync(IBrowserContext context, SharedUploadApp app, int chunkSize)
    {
        IPage page = await context.NewPageAsync();
        await page.GotoAsync(new Uri(app.Line.Address, $"?chunkSize={chunkSize}").ToString());
        return page;
    }

    private static async Task<string> GetResultAsync(IPage page)
    {
        await Expect(page.Locator("#result")).Not.ToBeEmptyAsync();
        return (await page.Locator("#result").TextContentAsync())!;
    }
}
