using Microsoft.Playwright;

namespace ResumableUploads.FunctionalTests.Clients.Browser;

[Collection<InChromium>]
public class ServerRestartTests(Chromium chromium)
{
    [Fact]
    public async Task A_file_arrives_whole_when_the_server_is_killed_in_the_middle_and_started_again()
    {
        await using IBrowserContext context = await chromium.NewContextAsync();
        await using SampleHostProcess host = await SampleHostProcess.StartAsync();
        using var file = new SourceFile("holiday film.mp4", 50_000_000);
        UploadPage page = await UploadPage.OpenAsync(context, host);
        await page.LimitAsync(UploadPage.Slow);
        await page.ChooseAsync(file);
        await page.ExpectMoreThanAsync(file.Name, 9_000_000);

        Func<Task<long[]>> offsetsShown = await page.WatchOffsetsAsync(file.Name);
        await host.KillAsync();
        long kept = host.BytesOnDisk;
        await page.ExpectAsync(file.Name, "retrying");
        Assert.InRange(kept, 3_000_000, 40_000_000);
        await page.LimitAsync(null);
        await host.StartAgainAsync();

        await page.ExpectAsync(file.Name, "done");
        Assert.Equal([0, kept], await page.Traffic.StatusesAsync());
        Assert.Equal([0, kept], page.Traffic.StartBytes);
        // What is shown is a little older than what the server has.
        Assert.InRange((await offsetsShown()).Min(), Math.Min(kept, 9_000_000), file.Size);
        await file.AssertArrivedAloneAsync(host);
        Assert.Empty(page.Traffic.Errors);
    }
}
