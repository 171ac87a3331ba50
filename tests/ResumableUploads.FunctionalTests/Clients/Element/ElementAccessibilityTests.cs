using Microsoft.Playwright;
using ResumableUploads.FunctionalTests.Clients.Browser;
using static Microsoft.Playwright.Assertions;

namespace ResumableUploads.FunctionalTests.Clients.Element;

public abstract class ElementAccessibilityTests(InstalledBrowser browser)
{
    [Theory]
    [InlineData(ColorScheme.Light, ForcedColors.None)]
    [InlineData(ColorScheme.Dark, ForcedColors.None)]
    [InlineData(ColorScheme.Light, ForcedColors.Active)]
    public async Task Axe_finds_nothing_in_any_state(ColorScheme scheme, ForcedColors colors)
    {
        await Accessibility.RequireAsync();
        await using ElementPage page = await ElementPage.OpenAsync(browser, "accept=.txt folders");
        await page.Tab.EmulateMediaAsync(new() { ColorScheme = scheme, ForcedColors = colors });
        await AssertNoViolationsAsync(page);

        // Appends of b, c and d do not end. The page is loaded again, so that one upload is of an earlier visit.
        await page.Tab.RouteAsync("**/upload", route => route.Request.Method != "POST" || route.Request.Headers["x-file-name"] is "a.txt" ? route.ContinueAsync() : Task.CompletedTask);
        await page.ChooseAsync(("d.txt", 1000));
        await page.ExpectAsync("d.txt", "uploading");
        await page.Tab.ReloadAsync();
        await page.ExpectAsync("d.txt", "pending");
        await page.ChooseAsync(("a.txt", 1000), ("b.txt", 1000), ("c.txt", 1000), ("refused.exe", 1000), ("e.txt", 10), ("f.txt", 10), ("g.txt", 10), ("h.txt", 10));
        await page.ExpectAsync("a.txt", "completed");
        await page.ExpectAsync("c.txt", "uploading");
        await page.Button("b.txt", "Pause").ClickAsync();
        await page.ExpectAsync("b.txt", "paused");
        await page.ExpectAsync("h.txt", "idle");
        await AssertNoViolationsAsync(page);
    }

    private static async Task AssertNoViolationsAsync(ElementPage page)
    {
        await Accessibility.AssertNoViolationsAsync(page.Tab);
        await Expect(page.Element.Locator("[part=card]")).ToBeVisibleAsync();
    }
}

[Collection<ChromiumCollection>]
public class ElementAccessibilityInChromiumTests(Chromium browser) : ElementAccessibilityTests(browser);

[Collection<FirefoxCollection>]
public class ElementAccessibilityInFirefoxTests(Firefox browser) : ElementAccessibilityTests(browser);
