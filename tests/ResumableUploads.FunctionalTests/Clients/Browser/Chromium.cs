using Microsoft.Playwright;

namespace ResumableUploads.FunctionalTests.Clients.Browser;

/// <summary>The collection of tests that share one browser and run one at a time.</summary>
[CollectionDefinition]
public sealed class ChromiumCollection : ICollectionFixture<Chromium>;

/// <summary>The installed Chromium, which is started by the first test that creates a context. No browser is downloaded.</summary>
public sealed class Chromium : IAsyncLifetime
{
    /// <summary>The timeout, in milliseconds, of a wait for a page. It allows for a machine that runs other tests.</summary>
    public const float TimeoutMilliseconds = 60_000;

    private static readonly string[] Arguments =
    [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
    ];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public ValueTask InitializeAsync() => default;

    /// <summary>Creates a browser profile with separate cookies, storage and network state. Skips the test if Chromium is not installed.</summary>
    public async Task<IBrowserContext> NewContextAsync()
    {
        IBrowser browser = _browser ??= await StartAsync();
        IBrowserContext context = await browser.NewContextAsync(new() { AcceptDownloads = true });
        context.SetDefaultTimeout(TimeoutMilliseconds);
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
        string path = Environment.GetEnvironmentVariable("CHROMIUM_PATH") is { Length: > 0 } configured ? configured : "/usr/bin/chromium";
        if (!File.Exists(path))
        {
            string reason = $"Chromium was not found at {path}. Install it or set CHROMIUM_PATH.";
            Assert.SkipUnless(string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase), reason);
            Assert.Fail(reason);
        }

        Environment.SetEnvironmentVariable("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
        Assertions.SetDefaultExpectTimeout(TimeoutMilliseconds);
        _playwright ??= await Playwright.CreateAsync();
        return await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = path, Args = Arguments, Timeout = TimeoutMilliseconds });
    }
}
