using Microsoft.Playwright;

namespace ResumableUploads.FunctionalTests.Clients;

/// <summary>The collection of tests that share one Firefox and run one at a time.</summary>
[CollectionDefinition]
public sealed class FirefoxCollection : ICollectionFixture<Firefox>;

public sealed class Firefox() : InstalledBrowser("FIREFOX_PATH", "/usr/bin/firefox-esr")
{
    /// <summary>The channel whose browser is driven with WebDriver BiDi. Without it, Playwright expects a Firefox with its own protocol.</summary>
    private const string BiDi = "moz-firefox";

    /// <summary>Disables the back/forward cache: Playwright waits for an event that a cached page does not raise.</summary>
    private static readonly Dictionary<string, object> Preferences = new() { ["browser.sessionhistory.max_total_viewers"] = 0 };

    /// <summary>WebDriver BiDi chooses no folders in Firefox. Chooses their files, with the relative paths that the browser would add.</summary>
    public override async Task ChooseFolderAsync(ILocator input, string directory)
    {
        string[] files = Directory.GetFiles(directory, "*", SearchOption.AllDirectories);
        await input.EvaluateAsync(
            """
            (input, paths) => {
              input.webkitdirectory = false;
              input.multiple = true;
              input.addEventListener('change', () => [...input.files].forEach((file, i) => Object.defineProperty(file, 'webkitRelativePath', { value: paths[i] })), { capture: true, once: true });
            }
            """,
            files.Select(file => Path.GetRelativePath(Path.GetDirectoryName(directory)!, file)));
        await input.SetInputFilesAsync(files);
    }

    protected override Task<IBrowser> LaunchAsync(IPlaywright playwright, BrowserTypeLaunchOptions options) =>
        playwright.Firefox.LaunchAsync(new(options) { Channel = BiDi, FirefoxUserPrefs = Preferences });
}
