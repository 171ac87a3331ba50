using Microsoft.Playwright;

namespace ResumableUploads.FunctionalTests.Clients.Browser;

/// <summary>All tests that need a browser share one, and run one after the other.</summary>
[CollectionDefinition]
public sealed class InChromium : ICollectionFixture<Chromium>;

/// <summary>The system's Chromium, started with the first test that asks for a context. Nothing is ever downloaded.</summary>
public sealed class Chromium : IAsyncLifetime
{
    /// <summary>How long a test waits for a state of a page, in milliseconds: long enough for a machine that is busy with other tests.</summary>
    public const float Patience = 60_000;

    private static readonly string[] Arguments =
    [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
    ];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public ValueTask InitializeAsync() => default;

    /// <summary>A browser profile of its own: its own cookies, storage and network state. Skips the test where there is no Chromium.</summary>
    public async Task<IBrowserContext> NewContextAsync()
    {
        IBrowser browser = _browser ??= await StartAsync();
        IBrowserContext context = await browser.NewContextAsync(new() { AcceptDownloads = true });
        context.SetDefaultTimeout(Patience);
        return context;
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.CloseAsync();
        }

        _playwright?.Dispose();
    }

    private async Task<IBrowser> StartAsync()
    {
        string path = Environment.GetEnvironmentVariable("CHROMIUM_PATH") is { Length: > 0 } own ? own : "/usr/bin/chromium";
        if (!File.Exists(path))
        {
            string reason = $"There is no Chromium at {path}. Install it, or set CHROMIUM_PATH.";
            Assert.SkipUnless(string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase), reason);
            Assert.Fail(reason);
        }

        Environment.SetEnvironmentVariable("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
        Assertions.SetDefaultExpectTimeout(Patience);
        _playwright ??= await Playwright.CreateAsync();
        return await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = path, Args = Arguments, Timeout = Patience });
    }
}
