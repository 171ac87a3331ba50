using Microsoft.Playwright;
using ResumableUploads.FunctionalTests.Clients.Browser;
using static Microsoft.Playwright.Assertions;

namespace ResumableUploads.FunctionalTests.Clients.Element;

/// <summary>The words and the actions of each failure.</summary>
public abstract class ElementFailureTests(InstalledBrowser browser)
{
    [Theory]
    [InlineData(401, "", null, "You are signed out", "Sign in,Remove")]
    [InlineData(403, "", null, "You are not allowed to upload here", "Remove")]
    [InlineData(409, "taken-over", null, "Continued in another tab or on another device", "Continue here,Remove")]
    [InlineData(413, "owner-quota", null, "Your storage is full", "Retry,Remove")]
    [InlineData(413, "too-large", null, "Too large", "Remove")]
    [InlineData(415, "", null, "This type of file is not accepted", "Remove")]
    [InlineData(422, "refused", "Only <b>MP4</b> files.", "Only <b>MP4</b> files", "Remove")]
    [InlineData(422, "refused", null, "The title", "Remove")]
    [InlineData(500, "parked", null, "The server could not process the file", "Remove")]
    public async Task Response_has_words_and_actions(int status, string type, string? detail, string words, string actions)
    {
        await using ElementPage page = await ElementPage.OpenAsync(browser);
        await using IAsyncDisposable failing = await page.FailAsync(status, type, detail);

        await page.ChooseAsync(("file.bin", 1000));

        await page.ExpectAsync("file.bin", "failed");
        await Expect(page.Row("file.bin").Locator("[part=status]")).ToHaveTextAsync(words);
        Assert.Equal(actions.Split(','), await page.ActionsAsync("file.bin"));
        await Expect(page.Summary).ToContainTextAsync("1 failed");
        await Expect(page.Live).ToContainTextAsync($"file.bin: {words}");
        await Expect(page.Rows).ToHaveCountAsync(1);
        Assert.Empty(page.Traffic.Errors);
    }

    [Fact]
    public async Task Refused_files_are_listed_first_and_not_sent()
    {
        await using ElementPage page = await ElementPage.OpenAsync(browser, "accept=\".txt, image/*\" max-file-size=5000");

        await page.ChooseAsync(ElementPage.Payload("note.TXT", 10), ElementPage.Payload("tool.exe", 10), ElementPage.Payload("big.txt", 5001), ElementPage.Payload("x.bin", 10, "image/png"));

        await page.ExpectAsync("note.TXT", "completed");
        await page.ExpectAsync("x.bin", "completed");
        await Expect(page.Row("tool.exe")).ToContainTextAsync("This type of file is not accepted");
        await Expect(page.Row("big.txt")).ToContainTextAsync("Too large · Up to 5\u00a0kB per file");
        Assert.Equal(["failed", "failed", "completed", "completed"], await page.Rows.EvaluateAllAsync<string[]>("rows => rows.map(row => row.dataset.state)"));
        Assert.Equal(["Remove"], await page.ActionsAsync("tool.exe"));
        await Expect(page.Headline).ToHaveTextAsync("2 files uploaded");
        await Expect(page.Summary).ToContainTextAsync("2 failed");
        Assert.Equal(2, page.Traffic.Appends.Count());

        await page.Button("tool.exe", "Remove").ClickAsync();
        await page.Button("big.txt", "Remove").ClickAsync();
        await Expect(page.Rows).ToHaveCountAsync(2);
        await Expect(page.Summary).Not.ToContainTextAsync("failed");
    }

    [Fact]
    public async Task Limit_of_server_is_shown()
    {
        await using ElementPage page = await ElementPage.OpenAsync(browser, configure: static options => options.MaxUploadSize = 2000);

        await page.ChooseAsync(("big.txt", 2001));

        await Expect(page.Row("big.txt")).ToContainTextAsync("Too large · Up to 2\u00a0kB per file");
    }

    [Fact]
    public async Task Retry_by_keyboard_completes_failed_uploads()
    {
        await using ElementPage page = await ElementPage.OpenAsync(browser);
        await using (await page.FailAsync(413, "owner-quota"))
        {
            await page.ChooseAsync(("a.txt", 10), ("b.txt", 10), ("c.txt", 10));
            await Expect(page.Summary).ToContainTextAsync("3 failed");
        }

        await page.Button("b.txt", "Retry").FocusAsync();
        await page.Tab.Keyboard.PressAsync("Enter");
        await page.ExpectAsync("b.txt", "completed");
        await Expect(page.Button("b.txt", "Remove")).ToBeFocusedAsync();

        await page.Element.GetByRole(AriaRole.Button, new() { Name = "Retry failed" }).FocusAsync();
        await page.Tab.Keyboard.PressAsync("Enter");
        await Expect(page.Headline).ToHaveTextAsync("3 files uploaded");
        Assert.Equal(3, page.App.Finished.Count);
    }

    [Fact]
    public async Task Sign_in_opens_page_and_upload_continues_afterwards()
    {
        await using ElementPage page = await ElementPage.OpenAsync(browser, "sign-in-url=/?sign-in");
        await using (await page.FailAsync(401))
        {
            await page.ChooseAsync(("file.bin", 1000));
            await page.ExpectAsync("file.bin", "failed");
            IPage signIn = await page.Tab.Context.RunAndWaitForPageAsync(() => page.Button("file.bin", "Sign in").ClickAsync());
            await signIn.CloseAsync();
        }

        await page.Tab.EvaluateAsync("dispatchEvent(new Event('focus'))");

        await page.ExpectAsync("file.bin", "completed");
    }

    [Fact]
    public async Task Changed_file_is_chosen_again()
    {
        await using ElementPage page = await ElementPage.OpenAsync(browser);
        using var file = new SourceFile("draft.txt", 1000);
        IAsyncDisposable failing = await page.FailAsync(413, "owner-quota");
        await page.Element.Locator("input").First.SetInputFilesAsync(file.Path);
        await page.ExpectAsync(file.Name, "failed");
        await File.WriteAllTextAsync(file.Path, "A longer text.", TestContext.Current.CancellationToken);
        await failing.DisposeAsync();
        await page.Button(file.Name, "Retry").ClickAsync();
        await Expect(page.Row(file.Name)).ToContainTextAsync("The file has changed");

        IFileChooser chooser = await page.Tab.RunAndWaitForFileChooserAsync(() => page.Button(file.Name, "Choose file").ClickAsync());
        await chooser.SetFilesAsync(file.Path);

        await page.ExpectAsync(file.Name, "completed");
        await Expect(page.Rows).ToHaveCountAsync(1);
        Assert.Equal("A longer text.", System.Text.Encoding.UTF8.GetString(Assert.Single(page.App.Finished).Content));
    }
}

[Collection<ChromiumCollection>]
public class ElementFailureInChromiumTests(Chromium browser) : ElementFailureTests(browser);

[Collection<FirefoxCollection>]
public class ElementFailureInFirefoxTests(Firefox browser) : ElementFailureTests(browser);
