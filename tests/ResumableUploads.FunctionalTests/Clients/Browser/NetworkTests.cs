using Microsoft.Playwright;

namespace ResumableUploads.FunctionalTests.Clients.Browser;

[Collection<InChromium>]
public class NetworkTests(Chromium chromium)
{
    [Fact]
    public async Task An_upload_goes_on_by_itself_when_the_network_comes_back()
    {
        await using IBrowserContext context = await chromium.NewContextAsync();
        await using SampleHostProcess host = await SampleHostProcess.StartAsync();
        using var file = new SourceFile("on the train.mov", 30_000_000);
        await using var line = new Line(host.Address);
        UploadPage page = await UploadPage.OpenAsync(context, host, line);
        await page.LimitAsync(UploadPage.Slow);
        await page.ChooseAsync(file);
        await page.ExpectMoreThanAsync(file.Name, 6_000_000);

        await context.SetOfflineAsync(true);
        line.Cut();
        await page.ExpectAsync(file.Name, "retrying");
        Assert.True(await page.OffsetAsync(file.Name) >= 6_000_000);
        line.Mend();
        await context.SetOfflineAsync(false);

        await page.ExpectAsync(file.Name, "done");
        Assert.Equal(await page.Traffic.StatusesAsync(), page.Traffic.StartBytes);
        Assert.InRange(page.Traffic.StartBytes[^1], 1, file.Size);
        await file.AssertArrivedAloneAsync(host);
        Assert.Empty(page.Traffic.Errors);
    }
}
