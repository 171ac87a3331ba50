using Microsoft.Playwright;

namespace ResumableUploads.FunctionalTests.Clients;

/// <summary>The collection of tests that share one Firefox and run one at a time.</summary>
[CollectionDefinition]
public sealed class FirefoxCollection : ICollectionFixture<Firefox>;

public sealed class Firefox() : InstalledBrowser("FIREFOX_PATH", "/usr/bin/firefox-esr")
{
    /// <summary>The channel whose browser is driven with WebDriver BiDi. Without it, Playwright expects a Firefox with its own protocol.</summary>
    private const string BiDi = "moz-firefox";

    protected override Task<IBrowser> LaunchAsync(IPlaywright playwright, BrowserTypeLaunchOptions options) =>
        playwright.Firefox.LaunchAsync(new(options) { Channel = BiDi });
}
