using Microsoft.Playwright;
using ResumableUploads.FunctionalTests.Clients.Browser;

namespace ResumableUploads.FunctionalTests.Clients.BrowserClient;

/// <summary>Many uploads, and what a reload keeps of them.</summary>
public abstract class QueueTests(InstalledBrowser browser)
{
    private const string Create = "() => { window.queue = new client.UploadQueue({ url: '/upload' }); }";
    private const string AllCompleted = "queue.progress.active === 0 && queue.progress.total > 0 && queue.progress.completed === queue.progress.total";

    [Fact]
    public async Task Two_hundred_files_arrive_with_limited_concurrency()
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        await using ClientSite site = await ClientSite.StartAsync();
        string directory = Directory.CreateTempSubdirectory("uploads-queue-").FullName;
        try
        {
            var hashes = new List<string>();
            for (int i = 0; i < 200; i++)
            {
                string path = Path.Combine(directory, $"{i}.bin");
                await File.WriteAllBytesAsync(path, System.Security.Cryptography.RandomNumberGenerator.GetBytes(1000 + (i * 317)));
                hashes.Add($"{i}.bin {await SourceFile.HashOfAsync(path)}");
            }

            ClientPage page = await ClientPage.OpenAsync(context, site.Page);
            await page.Tab.Locator("#files").SetInputFilesAsync(Directory.GetFiles(directory));
            await page.Tab.EvaluateAsync(Create);
            Assert.Equal(200, await page.Tab.EvaluateAsync<int>("async () => (await queue.add(document.getElementById('files').files)).length"));
            await page.Tab.WaitForFunctionAsync(AllCompleted);

            Assert.Equal(hashes.Order(), site.Finished().Select(static file => $"{file.Name} {file.Hash}").Order());
            Assert.InRange(site.Counts.MostConcurrent, 1, 3);
            Assert.Equal((1, 200, 200), (site.Counts.Of("OPTIONS"), site.Counts.Of("GET"), site.Counts.Of("POST")));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task Files_of_equal_name_size_and_date_in_a_folder_are_all_uploaded()
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        await using ClientSite site = await ClientSite.StartAsync();
        string directory = Directory.CreateTempSubdirectory("uploads-folder-").FullName;
        try
        {
            for (int i = 0; i < 10; i++)
            {
                string folder = Directory.CreateDirectory(Path.Combine(directory, $"{i}")).FullName;
                await File.WriteAllTextAsync(Path.Combine(folder, "index.html"), $"page {i / 2}");
                File.SetLastWriteTimeUtc(Path.Combine(folder, "index.html"), new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));
            }

            ClientPage page = await ClientPage.OpenAsync(context, site.Page);
            await browser.ChooseFolderAsync(page.Tab.Locator("#folder"), directory);
            await page.Tab.EvaluateAsync(Create);
            Assert.Equal(10, await page.Tab.EvaluateAsync<int>("async () => new Set((await queue.add(document.getElementById('folder').files)).map(upload => upload.id)).size"));
            await page.Tab.WaitForFunctionAsync(AllCompleted);

            Assert.Equal(10, site.Finished().Count);
            Assert.Equal(5, site.Finished().Distinct().Count());
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task Files_chosen_again_after_reload_continue_at_their_offsets()
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        await using ClientSite site = await ClientSite.StartAsync();
        using var first = new SourceFile("a.bin", 15_000_000);
        using var second = new SourceFile("b.bin", 15_000_000);
        using var other = new SourceFile("c.bin", 1000);
        ClientPage page = await ClientPage.OpenAsync(context, site.Page);
        await page.ChooseAsync(first, second);
        site.Line.Rate = ClientPage.Slow / 3;
        await page.Tab.EvaluateAsync(Create);
        await page.Tab.EvaluateAsync("() => queue.add(document.getElementById('files').files)");
        await page.Tab.WaitForFunctionAsync("queue.uploads.every(upload => upload.offset > 2_000_000)");
        site.Line.Rate = ClientPage.AlmostStopped;

        await ReloadAsync(page);
        await page.Tab.EvaluateAsync(Create);
        Assert.Equal(["a.bin", "b.bin"], (await page.Tab.EvaluateAsync<string[]>("async () => (await queue.restore()).map(pending => pending.name)")).Order());
        site.Line.Rate = null;
        await page.ChooseAsync(first, second, other);
        await page.Tab.EvaluateAsync("() => queue.add(document.getElementById('files').files)");
        Assert.Equal(0, await page.Tab.EvaluateAsync<int>("queue.pending.length"));
        await page.Tab.WaitForFunctionAsync(AllCompleted);

        Assert.Equal(
            new[] { $"a.bin {first.Hash}", $"b.bin {second.Hash}", $"c.bin {other.Hash}" },
            site.Finished().Select(static file => $"{file.Name} {file.Hash}").Order());
        // Each large file: an empty append, the interrupted one, and the rest.
        Assert.Equal(7, site.Counts.Of("POST"));
        await ReloadAsync(page);
        await page.Tab.EvaluateAsync(Create);
        Assert.Equal(0, await page.Tab.EvaluateAsync<int>("async () => (await queue.restore()).length"));
    }

    [Fact]
    public async Task Upload_that_runs_in_another_tab_is_pending_when_that_tab_is_closed()
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        await using ClientSite site = await ClientSite.StartAsync();
        using var file = new SourceFile("a.bin", 15_000_000);
        ClientPage first = await ClientPage.OpenAsync(context, site.Page);
        ClientPage second = await ClientPage.OpenAsync(context, site.Page);
        await first.ChooseAsync(file);
        site.Line.Rate = ClientPage.Slow;
        await first.Tab.EvaluateAsync(Create);
        await first.Tab.EvaluateAsync("() => queue.add(document.getElementById('files').files)");
        await first.Tab.WaitForFunctionAsync("queue.uploads[0].offset > 1_000_000");
        site.Line.Rate = ClientPage.AlmostStopped;

        await second.Tab.EvaluateAsync(Create);
        Assert.Equal(0, await second.Tab.EvaluateAsync<int>("async () => (await queue.restore()).length"));
        await first.Tab.CloseAsync();

        await second.Tab.WaitForFunctionAsync("queue.pending[0]?.name === 'a.bin'");
    }

    /// <summary>Handles of the origin private file system are those that a file picker returns, without the dialogs.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Files_with_handles_continue_after_reload_without_choosing_them(bool isChanged)
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        await using ClientSite site = await ClientSite.StartAsync();
        ClientPage page = await ClientPage.OpenAsync(context, site.Page);
        site.Line.Rate = ClientPage.Slow;
        await page.Tab.EvaluateAsync(Create);
        await page.Tab.EvaluateAsync(
            """
            async () => {
              const root = await navigator.storage.getDirectory();
              const handle = await root.getFileHandle('private.bin', { create: true });
              const writable = await handle.createWritable();
              await writable.write(new Uint8Array(15_000_000).map((_, i) => i % 251));
              await writable.close();
              await queue.add([handle]);
            }
            """);
        await page.Tab.WaitForFunctionAsync("queue.uploads[0].offset > 4_000_000");
        site.Line.Rate = ClientPage.AlmostStopped;

        await ReloadAsync(page);
        if (isChanged)
        {
            await page.Tab.EvaluateAsync(
                """
                async () => {
                  const handle = await (await navigator.storage.getDirectory()).getFileHandle('private.bin');
                  const writable = await handle.createWritable();
                  await writable.write('changed');
                  await writable.close();
                }
                """);
        }

        await page.Tab.EvaluateAsync(Create);
        Assert.Equal("private.bin true", await page.Tab.EvaluateAsync<string>("async () => (await queue.restore()).map(({ name, handle }) => `${name} ${handle instanceof FileSystemFileHandle}`).join()"));
        site.Line.Rate = null;
        Assert.Equal(1, await page.Tab.EvaluateAsync<int>("async () => (await queue.reopen()).length"));
        if (isChanged)
        {
            await page.Tab.WaitForFunctionAsync("queue.uploads[0].failure?.reason === 'file-changed'");
            Assert.Empty(site.Finished());
            return;
        }

        await page.Tab.WaitForFunctionAsync(AllCompleted);
        byte[] expected = [.. Enumerable.Range(0, 15_000_000).Select(static i => (byte)(i % 251))];
        Assert.Equal(Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(expected)), Assert.Single(site.Finished()).Hash);
        Assert.Equal(3, site.Counts.Of("POST"));
    }

    [Fact]
    public async Task Browser_warns_before_page_is_left_only_during_uploads()
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        await using ClientSite site = await ClientSite.StartAsync();
        using var file = new SourceFile("a.bin", 15_000_000);
        ClientPage page = await ClientPage.OpenAsync(context, site.Page);
        await page.ChooseAsync(file);
        site.Line.Rate = ClientPage.Slow;
        await page.Tab.EvaluateAsync(Create);
        var dialogs = new List<string>();
        page.Tab.Dialog += (_, dialog) =>
        {
            dialogs.Add(dialog.Type);
            _ = dialog.AcceptAsync();
        };
        await page.Tab.ClickAsync("body");
        await page.Tab.EvaluateAsync("() => queue.add(document.getElementById('files').files)");
        await page.Tab.WaitForFunctionAsync("queue.uploads[0].offset > 1_000_000");
        site.Line.Rate = ClientPage.AlmostStopped;
        await page.Tab.ReloadAsync();
        Assert.Equal(["beforeunload"], dialogs);

        await page.LoadAsync();
        await page.Tab.EvaluateAsync(Create);
        await page.ChooseAsync(file);
        site.Line.Rate = null;
        await page.Tab.ClickAsync("body");
        await page.Tab.EvaluateAsync("() => queue.add(document.getElementById('files').files)");
        await page.Tab.WaitForFunctionAsync(AllCompleted);
        await page.Tab.ReloadAsync();
        Assert.Single(dialogs);
    }

    /// <summary>Reloads the page and accepts the warning.</summary>
    private static async Task ReloadAsync(ClientPage page)
    {
        page.Tab.Dialog += static (_, dialog) => _ = dialog.AcceptAsync();
        await page.Tab.ReloadAsync();
        await page.LoadAsync();
    }
}

[Collection<ChromiumCollection>]
public class QueueInChromiumTests(Chromium browser) : QueueTests(browser);

[Collection<FirefoxCollection>]
public class QueueInFirefoxTests(Firefox browser) : QueueTests(browser);
