using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;
using ResumableUploads.Testing.Servers;
using static Microsoft.Playwright.Assertions;

namespace ResumableUploads.FunctionalTests.Clients.Browser;

/// <summary>A short page that follows the published tutorial and uses only the file-id headers.</summary>
[Collection<ChromiumCollection>]
public class PlainClientTests(Chromium chromium)
{
    [Fact]
    public async Task Plain_client_stops_resumes_and_repeats_a_completed_upload()
    {
        await using IBrowserContext context = await chromium.NewContextAsync();
        await using TestApp app = await StartAsync();
        // Plain fetch sends this name as ISO-8859-1 bytes.
        using var file = new SourceFile("café.bin", 20_000_000);
        IPage page = await context.NewPageAsync();
        var traffic = new Traffic(page);
        await using var proxy = new InterruptibleProxy(app.Address);
        await page.GotoAsync(proxy.Address.ToString());
        await page.Locator("#file").SetInputFilesAsync(file.Path);

        // Buffered bytes may arrive after the stop, but the proxy holds back the rest of the file.
        proxy.HoldAfter(1_000_000);
        await page.ClickAsync("#send");
        await page.WaitForFunctionAsync("Number(document.getElementById('sent').value) > 500_000");
        await page.ClickAsync("#stop");
        await Expect(page.Locator("#result")).ToHaveTextAsync("stopped");

        proxy.Release();
        await SendAsync(page);
        Assert.Equal(file.Hash, HashOf(Assert.Single(app.Finished)));

        await SendAsync(page);
        Assert.Equal(3, traffic.StartBytes.Count);
        Assert.Equal(await traffic.StatusesAsync(), traffic.StartBytes);
        Assert.Equal(0, traffic.StartBytes[0]);
        Assert.InRange(traffic.StartBytes[1], 1, file.Size - 1);
        Assert.Equal(file.Size, traffic.StartBytes[2]);
        Assert.Equal("café.bin", Assert.Single(app.Finished).Upload.RawFileName?[..8]);
        Assert.Empty(traffic.Errors);
    }

    [Theory]
    [InlineData("plain.txt", 300_000)]
    [InlineData("empty.txt", 0)]
    [InlineData("ÄÖÜ ß ñ.dat", 5_000_000)]
    public async Task Plain_client_sends_file_in_one_request(string name, int size)
    {
        await using IBrowserContext context = await chromium.NewContextAsync();
        await using TestApp app = await StartAsync();
        using var file = new SourceFile(name, size);
        IPage page = await context.NewPageAsync();
        await page.GotoAsync(app.Address.ToString());
        await page.Locator("#file").SetInputFilesAsync(file.Path);

        await SendAsync(page);
        await SendAsync(page);

        Assert.Equal(file.Hash, HashOf(Assert.Single(app.Finished)));
    }

    private static Task<TestApp> StartAsync() => TestApp.StartAsync(after: static app => app.MapGet("/", static () =>
        Results.Stream(typeof(PlainClientTests).Assembly.GetManifestResourceStream("plain-client.html")!, "text/html; charset=utf-8")));

    private static async Task SendAsync(IPage page)
    {
        await page.ClickAsync("#send");
        await Expect(page.Locator("#result")).ToHaveTextAsync("success");
    }

    private static string HashOf(FinishedUpload upload) => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(upload.Content));
}
