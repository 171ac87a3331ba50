using System.Globalization;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ResumableUploads.FunctionalTests.Clients.Browser;

[Collection<ChromiumCollection>]
public class AccessibilityTests(Chromium chromium)
{
    [Fact]
    public async Task Keyboard_pauses_and_resumes_upload_and_every_control_has_a_name()
    {
        await using IBrowserContext context = await chromium.NewContextAsync();
        await using SampleHostProcess host = await SampleHostProcess.StartAsync();
        using var file = new SourceFile("keys only.bin", 30_000_000);
        UploadPage page = await UploadPage.OpenAsync(context, host);

        // Subscribe before the key is pressed: the subscription is a message to the browser, which the key press could overtake.
        var chooser = new TaskCompletionSource<IFileChooser>(TaskCreationOptions.RunContinuationsAsynchronously);
        page.Tab.FileChooser += (_, opened) => chooser.TrySetResult(opened);
        await page.LimitAsync(UploadPage.Slow);

        await TabToAsync(page, "Choose files");
        await page.Tab.Keyboard.PressAsync("Enter");
        await (await chooser.Task.WaitAsync(TimeSpan.FromMilliseconds(InstalledBrowser.TimeoutMilliseconds))).SetFilesAsync(file.Path);
        await page.ExpectMoreThanAsync(file.Name, 1_000_000);
        await AssertControlsAreNamedAsync(page);
        IReadOnlyList<(string Name, string? Value)> bars = await page.AccessibleAsync("progressbar");
        Assert.Equal(["Files", file.Name], bars.Select(static bar => bar.Name));
        Assert.All(bars, bar => Assert.InRange(double.Parse(bar.Value!, CultureInfo.InvariantCulture), 1, file.Size));

        await TabToAsync(page, $"Pause: {file.Name}");
        await page.Tab.Keyboard.PressAsync("Enter");
        await page.ExpectAsync(file.Name, "paused");
        await Expect(page.Button(file.Name, "Resume")).ToBeFocusedAsync();
        await AssertControlsAreNamedAsync(page);
        await page.LimitAsync(null);
        await page.Tab.Keyboard.PressAsync("Enter");
        await page.ExpectAsync(file.Name, "completed");

        // The button with the focus has disappeared.
        await Expect(page.Button(file.Name, "Remove")).ToBeFocusedAsync();
        await Expect(page.Arrived).ToHaveCountAsync(1);
        await AssertControlsAreNamedAsync(page);
        await Expect(page.Live).ToContainTextAsync($"{file.Name}: Uploaded");
        await page.Tab.Keyboard.PressAsync("Enter");
        await Expect(page.Row(file.Name)).ToHaveCountAsync(0);
        await Expect(page.Tab.GetByRole(AriaRole.Button, new() { Name = "Choose files" })).ToBeFocusedAsync();

        Assert.Empty(page.Traffic.Errors);
        Assert.Empty(page.Traffic.ConsoleErrors);
        // The pause aborts the only request that fails.
        Assert.EndsWith("net::ERR_ABORTED", Assert.Single(page.Traffic.FailedRequests));
    }

    [Fact]
    public async Task Page_follows_light_and_dark_color_scheme()
    {
        await using IBrowserContext context = await chromium.NewContextAsync();
        await using SampleHostProcess host = await SampleHostProcess.StartAsync();
        using var running = new SourceFile("Summer in Łódź.mov", 60_000_000);
        using var paused = new SourceFile("Backup 2024.tar.gz", 40_000_000);
        using var done = new SourceFile("Invoice.pdf", 800_000);
        using var image = new SourceFile("写真.jpg", 3_000_000);
        UploadPage page = await UploadPage.OpenAsync(context, host);
        await page.ChooseAsync(image);
        await page.ExpectAsync(image.Name, "completed");
        await page.Button(image.Name, "Remove").ClickAsync();
        await page.ChooseAsync(done);
        await page.ExpectAsync(done.Name, "completed");
        await page.LimitAsync(UploadPage.Slow);
        await page.ChooseAsync(paused);
        await page.ExpectMoreThanAsync(paused.Name, 1_000_000);
        await page.Button(paused.Name, "Pause").ClickAsync();
        await page.ChooseAsync(running);
        await page.ExpectMoreThanAsync(running.Name, 1_000_000);
        await Expect(page.Arrived).ToHaveCountAsync(2);

        byte[] light = await CaptureAsync(ColorScheme.Light);
        byte[] dark = await CaptureAsync(ColorScheme.Dark);

        Assert.NotEqual(light, dark);
        Assert.Equal(light, await CaptureAsync(ColorScheme.Light));

        // Captures only the buttons below the list, because the progress in the list changes between two screenshots.
        async Task<byte[]> CaptureAsync(ColorScheme scheme)
        {
            await page.Tab.EmulateMediaAsync(new() { ColorScheme = scheme });
            if (Environment.GetEnvironmentVariable("SCREENSHOTS") is { Length: > 0 } directory)
            {
                foreach ((string size, int width) in new[] { ("narrow", 390), ("wide", 1280) })
                {
                    await page.Tab.SetViewportSizeAsync(width, 800);
                    string path = Path.Combine(directory, $"{scheme}-{size}.png".ToLowerInvariant());
                    await page.Tab.ScreenshotAsync(new() { Path = path, FullPage = true, Animations = ScreenshotAnimations.Disabled });
                }
            }

            return await page.Tab.Locator("resumable-upload [part=dropzone]").ScreenshotAsync(new() { Animations = ScreenshotAnimations.Disabled });
        }
    }

    private static async Task AssertControlsAreNamedAsync(UploadPage page)
    {
        foreach (string role in new[] { "button", "link", "progressbar" })
        {
            Assert.All(await page.AccessibleAsync(role), node => Assert.NotEqual("", node.Name));
        }

        Assert.NotEmpty(await page.AccessibleAsync("button"));
    }

    private static async Task TabToAsync(UploadPage page, string name)
    {
        ILocator button = page.Tab.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });
        for (int i = 0; i < 20; i++)
        {
            await page.Tab.Keyboard.PressAsync("Tab");
            if (await button.EvaluateAsync<bool>("button => button.getRootNode().activeElement === button"))
            {
                return;
            }
        }

        Assert.Fail($"The Tab key does not reach {name}.");
    }
}
