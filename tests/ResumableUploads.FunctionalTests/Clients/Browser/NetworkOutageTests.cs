using Microsoft.Playwright;

namespace ResumableUploads.FunctionalTests.Clients.Browser;

[Collection<ChromiumCollection>]
public class NetworkOutageTests(Chromium chromium)
{
    [Fact]
    public async Task Upload_resumes_automatically_after_network_outage()
    {
        await using IBrowserContext context = await chromium.NewContextAsync();
        await using SampleHostProcess host = await SampleHostProcess.StartAsync();
        using var file = new SourceFile("on the train.mov", 30_000_000);
        await using var proxy = new InterruptibleProxy(host.Address);
        UploadPage page = await UploadPage.OpenAsync(context, host, proxy);
        await page.LimitAsync(UploadPage.Slow);
        await page.ChooseAsync(file);
        await page.ExpectMoreThanAsync(file.Name, 1_000_000);

        await context.SetOfflineAsync(true);
        proxy.Interrupt();
        await page.ExpectAsync(file.Name, "waiting");
        Assert.True(await page.OffsetAsync(file.Name) >= 1_000_000);
        await page.LimitAsync(null);
        proxy.Restore();
        await context.SetOfflineAsync(false);

        await page.ExpectAsync(file.Name, "completed");
        Assert.Equal(await page.Traffic.StatusesAsync(), page.Traffic.StartBytes);
        Assert.InRange(page.Traffic.StartBytes[^1], 1, file.Size);
        await file.AssertArrivedAloneAsync(host);
        Assert.Empty(page.Traffic.Errors);
    }
}
