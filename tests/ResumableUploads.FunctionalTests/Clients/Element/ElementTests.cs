using Microsoft.Playwright;
using ResumableUploads.FunctionalTests.Clients.Browser;
using static Microsoft.Playwright.Assertions;

namespace ResumableUploads.FunctionalTests.Clients.Element;

/// <summary>How files come into the element, and how it shows them.</summary>
public abstract class ElementTests(InstalledBrowser browser)
{
    [Fact]
    public async Task Two_hundred_files_are_uploaded_and_collapsed()
    {
        await using ElementPage page = await ElementPage.OpenAsync(browser);

        await page.ChooseAsync([.. Enumerable.Range(1, 200).Select(static number => ElementPage.Payload($"file {number}.txt", 20))]);

        await Expect(page.Headline).ToHaveTextAsync("200 files uploaded");
        await Expect(page.Rows).ToHaveCountAsync(200);
        Assert.Equal(200, page.App.Finished.Select(static file => file.Upload.FileName).Distinct().Count());
        await Expect(page.Row("file 7.txt")).ToBeHiddenAsync();
        ILocator toggle = page.Element.GetByRole(AriaRole.Button, new() { Name = "200 uploaded files", Expanded = false });
        await toggle.FocusAsync();
        await page.Tab.Keyboard.PressAsync("Enter");
        await Expect(page.Row("file 7.txt")).ToBeVisibleAsync();
        await Expect(page.Live).ToContainTextAsync("200 files uploaded");

        await page.Element.GetByRole(AriaRole.Button, new() { Name = "Clear" }).ClickAsync();
        await Expect(page.Rows).ToHaveCountAsync(0);
        await Expect(page.Element.GetByRole(AriaRole.Button, new() { Name = "Choose files" })).ToBeFocusedAsync();
        Assert.Empty(page.Traffic.Errors);
        Assert.Empty(page.Traffic.ConsoleErrors);
    }

    [Fact]
    public async Task Folder_with_ten_equal_names_is_ten_uploads()
    {
        await using ElementPage page = await ElementPage.OpenAsync(browser, "folders");
        string folder = System.IO.Directory.CreateTempSubdirectory("site-").FullName;
        try
        {
            for (int i = 0; i < 10; i++)
            {
                System.IO.Directory.CreateDirectory(Path.Combine(folder, $"part {i}"));
                await File.WriteAllTextAsync(Path.Combine(folder, $"part {i}", "index.html"), "The same text.", TestContext.Current.CancellationToken);
            }

            await page.Tab.RunAndWaitForFileChooserAsync(() => page.Element.GetByRole(AriaRole.Button, new() { Name = "Choose a folder" }).ClickAsync());
            await browser.ChooseFolderAsync(page.Element.Locator("input").Nth(1), folder);

            await Expect(page.Headline).ToHaveTextAsync("10 files uploaded");
            await page.Element.GetByRole(AriaRole.Button, new() { Name = "10 uploaded files" }).ClickAsync();
            IReadOnlyList<string> folders = await page.Rows.Locator(".folder").AllTextContentsAsync();
            Assert.Equal(Enumerable.Range(0, 10).Select(i => $"{Path.GetFileName(folder)}/part {i}"), folders.Order(StringComparer.Ordinal));
            Assert.Equal(10, page.App.Finished.Count);
        }
        finally
        {
            System.IO.Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("", "resumable-upload", "drop", 2)]
    [InlineData("", "resumable-upload", "paste", 2)]
    [InlineData("page-wide", "h1", "drop", 2)]
    [InlineData("page-wide", "h1", "paste", 2)]
    [InlineData("disabled", "resumable-upload", "drop", 0)]
    [InlineData("max-files=1", "resumable-upload", "drop", 1)]
    public async Task Dropped_and_pasted_files_are_uploaded(string attributes, string selector, string type, int expected)
    {
        await using ElementPage page = await ElementPage.OpenAsync(browser, attributes);
        ILocator card = page.Element.Locator("[part=card]");
        if (type == "drop")
        {
            await page.TransferAsync(selector, "dragover", "a.txt");
            await Expect(card).ToContainTextAsync(attributes == "disabled" ? "Drop files here" : "Drop to upload");
            await page.TransferAsync(selector, "dragleave", "a.txt");
            await Expect(card).ToContainTextAsync("Drop files here");
        }

        await page.TransferAsync(selector, type, "a.txt", "b.txt");

        if (expected > 0)
        {
            await Expect(page.Headline).ToHaveTextAsync(expected == 1 ? "1 file uploaded" : "2 files uploaded");
        }

        await Expect(page.Rows).ToHaveCountAsync(expected);
        if (attributes == "max-files=1")
        {
            await Expect(card).ToContainTextAsync("Only 1 file is allowed");
            await Expect(page.Live).ToContainTextAsync("Only 1 file is allowed");
        }
    }

    [Fact]
    public async Task Names_are_text_and_images_have_thumbnails_under_strict_policy()
    {
        await using ElementPage page = await ElementPage.OpenAsync(browser);
        await page.Tab.EvaluateAsync(
            """
            () => {
              window.urls = new Set();
              const { createObjectURL, revokeObjectURL } = URL;
              URL.createObjectURL = file => { const url = createObjectURL(file); urls.add(url); return url; };
              URL.revokeObjectURL = url => { urls.delete(url); revokeObjectURL(url); };
            }
            """);
        byte[] png = Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==");
        const string Script = "<img src=x onerror=alert(1)>.png";

        await page.ChooseAsync(
            new FilePayload { Name = Script, MimeType = "image/png", Buffer = png },
            ElementPage.Payload("broken.png", 100, "image/png"),
            ElementPage.Payload("a very long name of a document, with its version and its date, 2026-11-30.pdf", 100));

        await Expect(page.Headline).ToHaveTextAsync("3 files uploaded");
        ILocator image = page.Element.Locator("[part=row]", new() { HasText = Script }).Locator("img");
        Assert.Equal(1, await image.EvaluateAsync<int>("async image => { await image.decode(); return image.naturalWidth; }"));
        await Expect(page.Row("broken.png").Locator("[part=thumbnail]")).ToHaveTextAsync("png");
        await Expect(page.Row("broken.png").Locator("img")).ToHaveCountAsync(0);
        await page.Tab.WaitForFunctionAsync("urls.size === 0");
        Assert.Empty(page.Traffic.Errors);
        Assert.Empty(page.Traffic.ConsoleErrors);
    }

    // cspell:disable
    [Fact]
    public async Task German_page_has_German_texts_and_app_can_replace_texts()
    {
        await using ElementPage page = await ElementPage.OpenAsync(browser, "max-file-size=1500", language: "de-AT");
        await Expect(page.Element).ToContainTextAsync("Dateien hier ablegen");
        await page.ChooseAsync(("brief.txt", 1234), ("groß.txt", 1600));
        await Expect(page.Row("brief.txt").Locator("[part=status]")).ToHaveTextAsync("Hochgeladen");
        await Expect(page.Row("brief.txt").Locator("[part=numbers]")).ToHaveTextAsync("1,2\u00a0kB");
        await Expect(page.Row("groß.txt")).ToContainTextAsync("Zu groß · Bis zu 1,5\u00a0kB je Datei");
        await Expect(page.Headline).ToHaveTextAsync("1 Datei hochgeladen");

        await page.Element.EvaluateAsync("element => { element.texts = { completed: 'Angekommen' }; }");
        await Expect(page.Row("brief.txt")).ToContainTextAsync("Angekommen");
        await page.Element.EvaluateAsync("element => { element.lang = 'en'; }");
        await Expect(page.Headline).ToHaveTextAsync("1 file uploaded");
    }

    // cspell:enable
    [Fact]
    public async Task Cancel_deletes_upload_and_moves_focus()
    {
        await using ElementPage page = await ElementPage.OpenAsync(browser);
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await page.Tab.RouteAsync("**/upload", async route =>
        {
            if (route.Request.Method == "POST")
            {
                held.TrySetResult();
                return;
            }

            await route.ContinueAsync();
        });
        await page.ChooseAsync(("a.bin", 1000), ("b.bin", 1000));
        await held.Task.WaitAsync(TimeSpan.FromMilliseconds(InstalledBrowser.TimeoutMilliseconds), TestContext.Current.CancellationToken);

        await page.Button("a.bin", "Cancel").FocusAsync();
        await page.Tab.RunAndWaitForRequestAsync(() => page.Tab.Keyboard.PressAsync("Enter"), static request => request.Method == "DELETE");

        await Expect(page.Row("a.bin")).ToHaveCountAsync(0);
        await Expect(page.Button("b.bin", "Pause")).ToBeFocusedAsync();
        await Expect(page.Live).ToContainTextAsync("a.bin removed");

        await page.ChooseAsync(("c.bin", 1000));
        await page.ExpectAsync("c.bin", "uploading");
        await page.Element.GetByRole(AriaRole.Button, new() { Name = "Cancel", Exact = true }).ClickAsync();
        await Expect(page.Rows).ToHaveCountAsync(0);
        await Expect(page.Element.GetByRole(AriaRole.Button, new() { Name = "Choose files" })).ToBeVisibleAsync();
    }
}

[Collection<ChromiumCollection>]
public class ElementInChromiumTests(Chromium browser) : ElementTests(browser)
{
    private readonly Chromium _browser = browser;

    [Theory]
    [InlineData("folders", "Choose files,Take a photo")]
    [InlineData("folders accept=.pdf", "Choose files")]
    public async Task Touch_device_has_camera_and_large_buttons(string attributes, string buttons)
    {
        await using ElementPage page = await ElementPage.OpenAsync(_browser, attributes);
        ICDPSession devTools = await page.Tab.Context.NewCDPSessionAsync(page.Tab);
        await devTools.SendAsync("Emulation.setTouchEmulationEnabled", new Dictionary<string, object> { ["enabled"] = true });
        await page.Tab.ReloadAsync();
        await Expect(page.Element.GetByRole(AriaRole.Button).First).ToHaveTextAsync("Choose files");

        Assert.Equal(buttons.Split(','), await page.Element.Locator("button:visible").AllTextContentsAsync());
        await page.ChooseAsync(("a.pdf", 10), ("b.pdf", 10));
        await Expect(page.Headline).ToHaveTextAsync("2 files uploaded");
        Assert.All(
            await page.Element.Locator("button:visible").EvaluateAllAsync<double[]>("buttons => buttons.flatMap(({ offsetWidth, offsetHeight }) => [offsetWidth, offsetHeight])"),
            static size => Assert.InRange(size, 44, 1000));
        if (attributes == "folders")
        {
            IFileChooser chooser = await page.Tab.RunAndWaitForFileChooserAsync(() => page.Element.GetByRole(AriaRole.Button, new() { Name = "Take a photo" }).ClickAsync());
            Assert.Equal("image/*", await chooser.Element.GetAttributeAsync("accept"));
        }
    }
}

[Collection<FirefoxCollection>]
public class ElementInFirefoxTests(Firefox browser) : ElementTests(browser);
