using Microsoft.Playwright;

namespace ResumableUploads.FunctionalTests.Clients;

/// <summary>A browser that is installed on the machine, and started by the first test that creates a context. No browser is downloaded.</summary>
/// <param name="variable">The environment variable with the path of the browser.</param>
/// <param name="defaultPath">The path if the variable is not set.</param>
public abstract class InstalledBrowser(string variable, string defaultPath) : IAsyncLifetime
{
    /// <summary>The timeout, in milliseconds, of a wait for a page. It only ends a hang, with a message of the browser, before the timeout of the test.</summary>
    public const float TimeoutMilliseconds = 240_000;

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public ValueTask InitializeAsync() => default;

    /// <summary>Creates a browser profile with separate cookies, storage and network state. Skips the test if the browser is not installed.</summary>
    public async Task<IBrowserContext> NewContextAsync()
    {
        IBrowser browser = _browser ??= await StartAsync();
        IBrowserContext context = await browser.NewContextAsync(new() { AcceptDownloads = true });
        context.SetDefaultTimeout(TimeoutMilliseconds);
        return context;
    }

    /// <summary>Chooses a folder in a file input with <c>webkitdirectory</c>.</summary>
    public virtual Task ChooseFolderAsync(ILocator input, string directory) => input.SetInputFilesAsync(directory);

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.CloseAsync();
        }

        _playwright?.Dispose();
    }

    protected abstract Task<IBrowser> LaunchAsync(IPlaywright playwright, BrowserTypeLaunchOptions options);

    private async Task<IBrowser> StartAsync()
    {
        string path = Environment.GetEnvironmentVariable(variable) is { Length: > 0 } configured ? configured : defaultPath;
        if (!File.Exists(path))
        {
            string reason = $"There is no browser at {path}. Install it or set {variable}.";
            Assert.SkipUnless(string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase), reason);
            Assert.Fail(reason);
        }

        Environment.SetEnvironmentVariable("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
        Assertions.SetDefaultExpectTimeout(TimeoutMilliseconds);
        _playwright ??= await Playwright.CreateAsync();
        return await LaunchAsync(_playwright, new() { ExecutablePath = path, Timeout = TimeoutMilliseconds });
    }
}
