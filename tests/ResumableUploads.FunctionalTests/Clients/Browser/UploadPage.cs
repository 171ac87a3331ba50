using System.Globalization;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ResumableUploads.FunctionalTests.Clients.Browser;

/// <summary>The page of SampleHost in a browser tab.</summary>
public sealed class UploadPage
{
    /// <summary>
    /// A rate, in bytes per second, at which no upload of tens of megabytes ends while a test acts, even on a busy machine. Another limit does not apply to
    /// requests that are running.
    /// </summary>
    public const int Slow = 500_000;

    private readonly ICDPSession _devTools;

    private UploadPage(IPage page, ICDPSession devTools)
    {
        Tab = page;
        _devTools = devTools;
        Traffic = new Traffic(page);
    }

    public IPage Tab { get; }

    public Traffic Traffic { get; }

    /// <summary>Gets the finished files that the page lists.</summary>
    public ILocator Arrived => Tab.Locator("#finished li");

    /// <summary>Gets the text that a screen reader announces.</summary>
    public ILocator Live => Tab.Locator("resumable-upload [role=status]");

    public static async Task<UploadPage> OpenAsync(IBrowserContext context, SampleHostProcess host, InterruptibleProxy? proxy = null)
    {
        IPage tab = await context.NewPageAsync();
        var page = new UploadPage(tab, await context.NewCDPSessionAsync(tab));
        await tab.GotoAsync((proxy?.Address ?? host.Address).ToString());
        return page;
    }

    public ILocator Row(string name) => Tab.Locator($"resumable-upload [part=row][data-name=\"{name}\"]");

    /// <param name="name">The name of the file.</param>
    /// <param name="text">The text of the button, or of its label.</param>
    public ILocator Button(string name, string text) => Row(name).GetByRole(AriaRole.Button, new() { Name = $"{text}: {name}", Exact = true });

    public Task ChooseAsync(params SourceFile[] files) => Tab.Locator("resumable-upload input[type=file]").First.SetInputFilesAsync(files.Select(static file => file.Path));

    public Task ExpectAsync(string name, string state) => Expect(Row(name)).ToHaveAttributeAsync("data-state", state);

    /// <summary>Waits until the page shows an offset greater than <paramref name="offset"/>.</summary>
    public Task ExpectMoreThanAsync(string name, long offset) => Tab.WaitForFunctionAsync(
        """
        ([name, offset]) => [...document.querySelector('resumable-upload').shadowRoot.querySelectorAll('[part=row]')]
          .some(row => row.dataset.name === name && row.dataset.state === 'uploading' && Number(row.dataset.offset) > offset)
        """,
        new object[] { name, offset });

    public async Task<long> OffsetAsync(string name) =>
        long.Parse(await Row(name).GetAttributeAsync("data-offset") ?? "", CultureInfo.InvariantCulture);

    /// <summary>
    /// Limits the rate, in bytes per second, of requests that start after this call. <see langword="null"/> removes the limit. Running requests
    /// become unlimited.
    /// </summary>
    public Task LimitAsync(int? rate) => _devTools.SendAsync("Network.emulateNetworkConditions", new Dictionary<string, object>
    {
        ["offline"] = false, ["latency"] = 0, ["downloadThroughput"] = -1, ["uploadThroughput"] = rate ?? -1,
    });

    /// <summary>Starts recording the offsets that a row shows, and returns a function that returns them.</summary>
    public async Task<Func<Task<long[]>>> WatchOffsetsAsync(string name)
    {
        await Row(name).EvaluateAsync(
            """
            row => {
              window.offsetsShown = [];
              new MutationObserver(() => window.offsetsShown.push(Number(row.dataset.offset))).observe(row, { attributeFilter: ['data-offset'] });
            }
            """);
        return () => Tab.EvaluateAsync<long[]>("window.offsetsShown");
    }

    /// <summary>Returns the name and value of the accessibility nodes with the given role.</summary>
    public async Task<IReadOnlyList<(string Name, string? Value)>> AccessibleAsync(string role)
    {
        System.Text.Json.JsonElement tree = (await _devTools.SendAsync("Accessibility.getFullAXTree"))!.Value;
        return [.. tree.GetProperty("nodes").EnumerateArray()
            .Where(node => !node.GetProperty("ignored").GetBoolean() && node.GetProperty("role").GetProperty("value").GetString() == role)
            .Select(static node => (
                node.TryGetProperty("name", out var name) ? name.GetProperty("value").ToString() : "",
                node.TryGetProperty("value", out var value) ? value.GetProperty("value").ToString() : null))];
    }
}
