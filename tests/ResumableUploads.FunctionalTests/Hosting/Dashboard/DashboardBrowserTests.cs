using Microsoft.Playwright;
using ResumableUploads.FunctionalTests.Clients;
using ResumableUploads.FunctionalTests.Connections;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using static Microsoft.Playwright.Assertions;

namespace ResumableUploads.FunctionalTests.Hosting.Dashboard;

[Collection<ChromiumCollection>]
public class DashboardBrowserTests(Chromium chromium)
{
    private const int Size = 3_000_000;
    private const int MaxTabs = 50;

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task Page_is_live_and_keyboard_cancels_upload(ColorScheme scheme)
    {
        await Accessibility.RequireAsync();
        await using DashboardApp app = await DashboardApp.StartAsync(
            static options => options.DownloadPolicy = "operators", static options => options.Timeouts.SweepInterval = TimeSpan.FromSeconds(1));
        (await app.App.Client.AppendAsync("done", 0, [1], 1, ("X-File-Name", "done.txt"))).Dispose();
        await Eventually.TrueAsync(async () => (await app.Manager.GetStatisticsAsync()).Stores is [{ Owners.Count: > 0 }], "a sweep has counted the owner");
        await using LiveUpload sender = await LiveUpload.BeginAsync(Wire.ContentLength, app.App.Address, "holiday.mov", 0, Size, Size);
        await sender.SendAsync(new byte[1000]);
        await Eventually.TrueAsync(
            async () => (await app.Manager.ListAsync(new UploadListQuery { State = ManagedUploadState.Receiving })).Uploads is [{ Offset: > 0 }], "bytes of the append are durable");
        await using IBrowserContext context = await chromium.NewContextAsync();
        await context.SetExtraHTTPHeadersAsync([new(HeaderAuthentication.Header, "sub:operator")]);
        IPage page = await context.NewPageAsync();
        var errors = new List<string>();
        page.Console += (_, message) => errors.AddRange(message.Type == "error" ? [message.Text] : []);
        page.PageError += (_, error) => errors.Add(error);
        string? question = null;
        page.Dialog += async (_, dialog) =>
        {
            question = dialog.Message;
            await dialog.AcceptAsync();
        };
        await page.EmulateMediaAsync(new() { ColorScheme = scheme });
        await page.GotoAsync(new Uri(app.App.Address, "/uploads").AbsoluteUri);
        await Expect(page.Locator("#live")).ToHaveTextAsync("Live");
        await Accessibility.AssertNoViolationsAsync(page);

        await Expect(page.GetByRole(AriaRole.Table)).ToHaveCountAsync(4);
        IDownload download = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Link, new() { Name = "Download: done.txt" }).ClickAsync());
        Assert.Equal(("done.txt", 1), (download.SuggestedFilename, (await File.ReadAllBytesAsync(await download.PathAsync())).Length));
        (await app.App.Client.AppendAsync("new", 0, [1], 2, ("X-File-Name", "new.txt"))).Dispose();
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync(["Live", "The list has 1 other upload now. Show it"]);
        await page.GetByRole(AriaRole.Link, new() { Name = "The list has 1 other upload now. Show it" }).ClickAsync();
        await Expect(page.GetByText("new.txt")).ToBeVisibleAsync();
        await Expect(page.Locator("#live")).ToHaveTextAsync("Live");

        // The rate needs an update before these bytes.
        await page.EvaluateAsync("() => new Promise(done => source.addEventListener('message', () => done(), { once: true }))");
        await sender.SendAsync(new byte[1_500_000]);
        await Expect(page.Locator("tr", new() { HasText = "holiday.mov" }).Locator("[data-progress]")).ToContainTextAsync("1.4 MiB of 2.9 MiB");
        await Expect(page.Locator("tr", new() { HasText = "holiday.mov" }).Locator("[data-rate]")).ToContainTextAsync("MiB/s");
        await Expect(page.GetByRole(AriaRole.Progressbar, new() { Name = "holiday.mov" })).ToHaveJSPropertyAsync("value", 1_501_000);
        Assert.Equal(
            scheme == ColorScheme.Dark ? "rgb(18, 19, 22)" : "rgb(255, 255, 255)",
            await page.EvaluateAsync<string>("() => getComputedStyle(document.body).backgroundColor"));

        ILocator cancel = page.GetByRole(AriaRole.Button, new() { Name = "Cancel: holiday.mov" });
        for (int i = 0; i < MaxTabs && !await cancel.EvaluateAsync<bool>("button => button === document.activeElement"); i++)
        {
            await page.Keyboard.PressAsync("Tab");
        }

        await page.Keyboard.PressAsync("Enter");

        await Expect(page.GetByText("The upload was removed.")).ToBeVisibleAsync();
        Assert.StartsWith("The upload was removed.", await page.TitleAsync(), StringComparison.Ordinal);
        await Accessibility.AssertNoViolationsAsync(page);
        Assert.Equal("Cancel this upload and remove its content?", question);
        Assert.DoesNotContain((await app.Manager.ListAsync(new UploadListQuery())).Uploads, static upload => upload.FileName == "holiday.mov");
        Assert.Empty(errors);
    }
}
