using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ResumableUploads.FunctionalTests.Clients.Browser;

/// <summary>The same file in two browsers, and in two tabs of one browser.</summary>
[Collection<ChromiumCollection>]
public class ConcurrentTabsTests(Chromium chromium)
{
    [Fact]
    public async Task Same_file_in_two_browsers_is_uploaded_separately()
    {
        await using IBrowserContext first = await chromium.NewContextAsync();
        await using IBrowserContext second = await chromium.NewContextAsync();
        await using SampleHostProcess host = await SampleHostProcess.StartAsync();
        using var file = new SourceFile("shared.bin", 20_000_000);
        UploadPage one = await UploadPage.OpenAsync(first, host);
        UploadPage two = await UploadPage.OpenAsync(second, host);
        await one.LimitAsync(UploadPage.Slow);
        await one.ChooseAsync(file);
        await one.ExpectMoreThanAsync(file.Name, 1_000_000);

        await two.ChooseAsync(file);
        await two.ExpectAsync(file.Name, "completed");
        await one.ExpectAsync(file.Name, "uploading");
        await one.LimitAsync(null);
        await one.ExpectAsync(file.Name, "completed");

        Assert.Equal([0], await one.Traffic.StatusesAsync());
        Assert.Equal([0], await two.Traffic.StatusesAsync());
        Assert.Equal([0], one.Traffic.StartBytes);
        Assert.Equal([0], two.Traffic.StartBytes);
        Assert.Equal(2, host.Arrived.Count);
        foreach (string path in host.Arrived)
        {
            Assert.Equal(file.Hash, await SourceFile.HashOfAsync(path));
        }
    }

    [Fact]
    public async Task Same_file_in_two_tabs_is_sent_once()
    {
        await using IBrowserContext context = await chromium.NewContextAsync();
        await using SampleHostProcess host = await SampleHostProcess.StartAsync();
        using var file = new SourceFile("same.bin", 30_000_000);
        UploadPage one = await UploadPage.OpenAsync(context, host);
        UploadPage two = await UploadPage.OpenAsync(context, host);
        await one.LimitAsync(UploadPage.Slow);
        await two.LimitAsync(UploadPage.Slow);
        await one.ChooseAsync(file);
        await one.ExpectMoreThanAsync(file.Name, 1_000_000);

        await two.ChooseAsync(file);
        await one.ExpectAsync(file.Name, "failed");
        await Expect(one.Row(file.Name)).ToContainTextAsync("Continued in another tab");
        await two.LimitAsync(null);
        await two.ExpectAsync(file.Name, "completed");
        Assert.Equal([0], one.Traffic.StartBytes);
        await one.Button(file.Name, "Continue here").ClickAsync();
        await one.ExpectAsync(file.Name, "completed");
        Assert.Equal([0, file.Size], one.Traffic.StartBytes);

        Assert.InRange(Assert.Single(two.Traffic.StartBytes), 1, file.Size);
        await file.AssertArrivedAloneAsync(host);
        Assert.Empty(one.Traffic.Errors);
        Assert.Empty(two.Traffic.Errors);
    }
}
