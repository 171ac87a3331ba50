using Microsoft.Playwright;

namespace ResumableUploads.FunctionalTests.Clients;

/// <summary>The collection of tests that share one Chromium and run one at a time.</summary>
[CollectionDefinition]
public sealed class ChromiumCollection : ICollectionFixture<Chromium>;

/// <summary>The tests of Blazor apps, with a Chromium of their own.</summary>
[CollectionDefinition]
public sealed class BlazorCollection : ICollectionFixture<Chromium>;

public sealed class Chromium() : InstalledBrowser("CHROMIUM_PATH", "/usr/bin/chromium")
{
    private static readonly string[] Arguments =
    [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
    ];

    protected override Task<IBrowser> LaunchAsync(IPlaywright playwright, BrowserTypeLaunchOptions options) =>
        playwright.Chromium.LaunchAsync(new(options) { Args = Arguments });
}
