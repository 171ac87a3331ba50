using System.Text;
using Microsoft.Playwright;
using ResumableUploads.FunctionalTests.Clients.Browser;
using static Microsoft.Playwright.Assertions;

namespace ResumableUploads.FunctionalTests.Clients.Blazor;

/// <summary>The Blazor sample, and one of its pages in a browser tab.</summary>
internal sealed class BlazorPage : IAsyncDisposable
{
    /// <summary>Records the messages of the component: the sockets, when they sent to <c>Receive</c>, what they could not send, and the values of the progress bar that C# has rendered.</summary>
    private const string Recorder =
        """
        window.sockets = [];
        window.sent = [];
        window.values = [];
        window.lost = [];
        addEventListener('unhandledrejection', event => lost.push(String(event.reason)));
        const { send } = WebSocket.prototype;
        WebSocket.prototype.send = function (data) {
          if (!sockets.includes(this)) {
            sockets.push(this);
          }

          if (typeof data !== 'string' && new TextDecoder().decode(data).includes('Receive')) {
            sent.push(performance.now());
          }

          return send.call(this, data);
        };
        new MutationObserver(() => {
          const value = document.getElementById('progress')?.value;
          if (value !== undefined && value !== values.at(-1)) {
            values.push(value);
          }
        }).observe(document, { subtree: true, childList: true, attributes: true });
        """;

    private readonly IBrowserContext _context;
    private readonly ICDPSession _devTools;

    private BlazorPage(SampleHostProcess host, IBrowserContext context, IPage tab, ICDPSession devTools) =>
        (Host, _context, Tab, _devTools, Traffic) = (host, context, tab, devTools, new Traffic(tab));

    public SampleHostProcess Host { get; }

    public IPage Tab { get; }

    public Traffic Traffic { get; }

    public ILocator Element => Tab.Locator("resumable-upload");

    /// <summary>Gets the lines that the event handlers in C# have added.</summary>
    public ILocator Events => Tab.Locator("#events li");

    public static async Task<BlazorPage> OpenAsync(Chromium chromium, string path = "/")
    {
        IBrowserContext context = await chromium.NewContextAsync();
        SampleHostProcess host = await SampleHostProcess.StartSampleAsync("BlazorApp");
        IPage tab = await context.NewPageAsync();
        await tab.AddInitScriptAsync(Recorder);
        var page = new BlazorPage(host, context, tab, await context.NewCDPSessionAsync(tab));
        try
        {
            await tab.GotoAsync(new Uri(host.Address, path).ToString());
            await page.ExpectReadyAsync();
            return page;
        }
        catch
        {
            await page.DisposeAsync();
            throw;
        }
    }

    public Task ExpectReadyAsync() => Expect(Element.GetByRole(AriaRole.Button, new() { Name = "Choose files" })).ToBeEnabledAsync();

    public Task ChooseAsync(string name, int size) => Element.Locator("input").First.SetInputFilesAsync(new FilePayload
    {
        Name = name,
        MimeType = "application/octet-stream",
        Buffer = Encoding.ASCII.GetBytes(name.PadRight(size, '.').AsSpan(0, size).ToArray()),
    });

    public Task ClickAsync(string button) => Tab.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();

    public Task ExpectEventAsync(string text) => Expect(Events.Filter(new() { HasText = text }).First).ToBeVisibleAsync();

    /// <summary>Limits the rate, in bytes per second, of requests that start after this call.</summary>
    public Task LimitAsync(int? rate) => _devTools.SendAsync("Network.emulateNetworkConditions", new Dictionary<string, object>
    {
        ["offline"] = false, ["latency"] = 0, ["downloadThroughput"] = -1, ["uploadThroughput"] = rate ?? -1,
    });

    public async ValueTask DisposeAsync()
    {
        await _context.DisposeAsync();
        await Host.DisposeAsync();
    }
}
