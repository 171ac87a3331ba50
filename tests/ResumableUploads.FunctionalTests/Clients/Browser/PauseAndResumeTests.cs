using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ResumableUploads.FunctionalTests.Clients.Browser;

[Collection<ChromiumCollection>]
public class PauseAndResumeTests(Chromium chromium)
{
    [Fact]
    public async Task Paused_upload_resumes_from_its_offset()
    {
        await using IBrowserContext context = await chromium.NewContextAsync();
        await using SampleHostProcess host = await SampleHostProcess.StartAsync();
        using var file = new SourceFile("report.pdf", 30_000_000);
        UploadPage page = await UploadPage.OpenAsync(context, host);
        await page.LimitAsync(UploadPage.Slow);
        await page.ChooseAsync(file);
        await page.ExpectMoreThanAsync(file.Name, 1_000_000);

        await page.Button(file.Name, "Pause").ClickAsync();
        await page.ExpectAsync(file.Name, "paused");
        Assert.True(await page.OffsetAsync(file.Name) >= 1_000_000);
        Assert.Single(page.Traffic.Appends);
        await page.LimitAsync(null);
        await page.Button(file.Name, "Resume").ClickAsync();

        await page.ExpectAsync(file.Name, "completed");
        await AssertNoByteWasSentTwiceAsync(page.Traffic, requests: 2);
        await file.AssertArrivedAloneAsync(host);
        Assert.Empty(page.Traffic.Errors);
    }

    [Fact]
    public async Task Cancelled_upload_is_removed_from_page_and_server()
    {
        await using IBrowserContext context = await chromium.NewContextAsync();
        await using SampleHostProcess host = await SampleHostProcess.StartAsync();
        using var file = new SourceFile("mistake.zip", 30_000_000);
        UploadPage page = await UploadPage.OpenAsync(context, host);
        await page.LimitAsync(UploadPage.Slow);
        await page.ChooseAsync(file);
        await page.ExpectMoreThanAsync(file.Name, 1_000_000);

        IResponse removal = await page.Tab.RunAndWaitForResponseAsync(
            () => page.Button(file.Name, "Cancel").ClickAsync(), static response => response.Request.Method == "DELETE");

        Assert.Equal(204, removal.Status);
        await Expect(page.Row(file.Name)).ToHaveCountAsync(0);
        await page.Tab.ReloadAsync();
        await Expect(page.Tab.Locator("#finished")).ToHaveAttributeAsync("data-loaded", "");
        await Expect(page.Row(file.Name)).ToHaveCountAsync(0);
        Assert.Empty(host.Arrived);
        await page.LimitAsync(null);
        await page.ChooseAsync(file);
        await page.ExpectAsync(file.Name, "completed");
        Assert.Equal([0, 0], await page.Traffic.StatusesAsync());
        await file.AssertArrivedAloneAsync(host);
        Assert.Empty(page.Traffic.Errors);
    }

    [Fact]
    public async Task File_selected_again_after_reload_resumes_from_its_offset()
    {
        await using IBrowserContext context = await chromium.NewContextAsync();
        await using SampleHostProcess host = await SampleHostProcess.StartAsync();
        using var file = new SourceFile("slides.pptx", 30_000_000);
        using var other = new SourceFile("other.pptx", 1000);
        UploadPage page = await UploadPage.OpenAsync(context, host);
        await page.LimitAsync(UploadPage.Slow);
        await page.ChooseAsync(file);
        // The page saves the offset two seconds after the start.
        await page.ExpectMoreThanAsync(file.Name, 2_000_000);

        await page.Tab.ReloadAsync();
        await page.ExpectAsync(file.Name, "pending");
        // The page remembers the offset of the last seconds before the reload.
        Assert.InRange(await page.OffsetAsync(file.Name), 1, file.Size - 1);

        await page.LimitAsync(null);
        await ChooseForAsync(other);
        await Expect(page.Row(file.Name).Locator("[part=status]")).ToContainTextAsync("another file");
        await page.ExpectAsync(file.Name, "pending");

        await ChooseForAsync(file);
        await page.ExpectAsync(file.Name, "completed");
        await AssertNoByteWasSentTwiceAsync(page.Traffic, requests: 2);
        await file.AssertArrivedAloneAsync(host);
        Assert.Empty(page.Traffic.Errors);

        async Task ChooseForAsync(SourceFile chosen)
        {
            IFileChooser chooser = await page.Tab.RunAndWaitForFileChooserAsync(() => page.Button(file.Name, "Choose file").ClickAsync());
            await chooser.SetFilesAsync(chosen.Path);
        }
    }

    /// <summary>Asserts that every request started at the offset of the server and after the previous request.</summary>
    private static async Task AssertNoByteWasSentTwiceAsync(Traffic traffic, int requests)
    {
        IReadOnlyList<long> starts = traffic.StartBytes;
        Assert.Equal(await traffic.StatusesAsync(), starts);
        Assert.Equal(requests, starts.Distinct().Count());
        Assert.Equal(starts.Order(), starts);
        Assert.Equal(0, starts[0]);
    }
}
