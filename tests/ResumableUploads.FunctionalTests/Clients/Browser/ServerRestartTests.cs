using Microsoft.Playwright;

namespace ResumableUploads.FunctionalTests.Clients.Browser;

[Collection<ChromiumCollection>]
public class ServerRestartTests(Chromium chromium)
{
    [Fact]
    public async Task Upload_completes_after_server_is_killed_and_restarted()
    {
        await using IBrowserContext context = await chromium.NewContextAsync();
        await using SampleHostProcess host = await SampleHostProcess.StartAsync();
        using var file = new SourceFile("holiday film.mp4", 50_000_000);
        UploadPage page = await UploadPage.OpenAsync(context, host);
        await page.LimitAsync(UploadPage.Slow);
        await page.ChooseAsync(file);
        await page.ExpectMoreThanAsync(file.Name, 2_000_000);

        Func<Task<long[]>> offsetsShown = await page.WatchOffsetsAsync(file.Name);
        await host.KillAsync();
        long storedLength = host.BytesOnDisk;
        await page.ExpectAsync(file.Name, "waiting");
        Assert.InRange(storedLength, 500_000, 40_000_000);
        await page.LimitAsync(null);
        await host.RestartAsync();

        await page.ExpectAsync(file.Name, "completed");
        Assert.Equal([0, storedLength], await page.Traffic.StatusesAsync());
        Assert.Equal([0, storedLength], page.Traffic.StartBytes);
        // The page may show an older offset than the server has.
        Assert.InRange((await offsetsShown()).Min(), Math.Min(storedLength, 2_000_000), file.Size);
        await file.AssertArrivedAloneAsync(host);
        Assert.Empty(page.Traffic.Errors);
    }
}
