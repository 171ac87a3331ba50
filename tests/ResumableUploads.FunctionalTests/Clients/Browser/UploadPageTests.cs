using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ResumableUploads.FunctionalTests.Clients.Browser;

[Collection<ChromiumCollection>]
public class UploadPageTests(Chromium chromium)
{
    [Fact]
    public async Task Upload_of_several_files_stores_any_name_and_size_for_download()
    {
        await using IBrowserContext context = await chromium.NewContextAsync();
        await using SampleHostProcess host = await SampleHostProcess.StartAsync();
        SourceFile[] files =
        [
            new("empty.txt", 0), new("one byte", 1), new("résumé, 100 % + #1.pdf", 70_000), new("文件 (最終版).docx", 300_000),
            new("🎉 it's & \u202bשלום.png", 3_000_000), new("archive.tar.gz", 1_234_567),
        ];
        try
        {
            UploadPage page = await UploadPage.OpenAsync(context, host);
            await page.ChooseAsync(files);

            foreach (SourceFile file in files)
            {
                await page.ExpectAsync(file.Name, "completed");
            }

            await Expect(page.Arrived).ToHaveCountAsync(files.Length);
            foreach (SourceFile file in files)
            {
                Assert.Equal(file.Hash, await DownloadAsync(page, ServerName(file)));
            }

            Assert.All(page.Traffic.StartBytes, static start => Assert.Equal(0, start));
            Assert.Equal(files.Length, page.Traffic.StartBytes.Count);
            Assert.Empty(page.Traffic.Errors);
            Assert.Empty(page.Traffic.ConsoleErrors);
        }
        finally
        {
            Array.ForEach(files, static file => file.Dispose());
        }
    }

    [Fact]
    public async Task Concurrent_first_requests_set_one_owner_cookie()
    {
        await using IBrowserContext context = await chromium.NewContextAsync();
        await using SampleHostProcess host = await SampleHostProcess.StartAsync();
        SourceFile[] files = [.. Enumerable.Range(1, 6).Select(static number => new SourceFile($"photo {number}.jpg", 200_000))];
        try
        {
            UploadPage page = await UploadPage.OpenAsync(context, host);
            await page.ChooseAsync(files);

            foreach (SourceFile file in files)
            {
                await page.ExpectAsync(file.Name, "completed");
            }

            var cookies = new List<string>();
            foreach (IRequest request in page.Traffic.Requests)
            {
                cookies.AddRange((await (await request.ResponseAsync())!.HeaderValuesAsync("set-cookie")));
            }

            Assert.Single(cookies);
            // All files are stored for the one owner of this browser.
            Assert.Single(System.IO.Directory.GetDirectories(Path.Combine(host.Directory, "uploads")));
        }
        finally
        {
            Array.ForEach(files, static file => file.Dispose());
        }
    }

    [Fact]
    public async Task Selecting_a_completed_file_again_sends_no_bytes()
    {
        await using IBrowserContext context = await chromium.NewContextAsync();
        await using SampleHostProcess host = await SampleHostProcess.StartAsync();
        using var file = new SourceFile("twice.iso", 2_000_000);
        UploadPage page = await UploadPage.OpenAsync(context, host);
        await page.ChooseAsync(file);
        await page.ExpectAsync(file.Name, "completed");

        await page.Tab.ReloadAsync();
        await page.ChooseAsync(file);

        await page.ExpectAsync(file.Name, "completed");
        Assert.Equal([0, file.Size], page.Traffic.StartBytes);
        await file.AssertArrivedAloneAsync(host);
    }

    /// <summary>Returns the sanitized file name. The server replaces the right-to-left embedding mark.</summary>
    private static string ServerName(SourceFile file) => file.Name.Replace('\u202b', '_');

    private static async Task<string> DownloadAsync(UploadPage page, string name)
    {
        ILocator link = page.Tab.Locator("#finished a").And(page.Tab.GetByTitle(name, new() { Exact = true }));
        IDownload download = await page.Tab.RunAndWaitForDownloadAsync(() => link.ClickAsync());
        return await SourceFile.HashOfAsync(await download.PathAsync());
    }
}
