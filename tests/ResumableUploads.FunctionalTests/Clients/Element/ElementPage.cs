using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using ResumableUploads.FunctionalTests.Clients.Browser;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Clients.Element;

/// <summary>An app, and a page of it with the upload element in a browser tab.</summary>
internal sealed class ElementPage : IAsyncDisposable
{
    private const string Policy = "default-src 'self'; img-src 'self' blob:; require-trusted-types-for 'script'; form-action 'self'";

    private readonly IBrowserContext _context;

    private ElementPage(TestApp app, IBrowserContext context, IPage tab) => (App, _context, Tab, Traffic) = (app, context, tab, new Traffic(tab));

    public TestApp App { get; }

    public IPage Tab { get; }

    public Traffic Traffic { get; }

    public ILocator Element => Tab.Locator("resumable-upload");

    public ILocator Rows => Element.Locator("[part=row]");

    /// <summary>Gets the state of all uploads: the headline, and the numbers below it.</summary>
    public ILocator Summary => Element.Locator(".heading");

    public ILocator Headline => Element.Locator("[part=summary]");

    public ILocator Live => Element.Locator("[role=status]");

    /// <param name="browser">The browser.</param>
    /// <param name="attributes">The attributes of the element, besides its URL.</param>
    /// <param name="configure">Configures the uploads.</param>
    /// <param name="after">Adds endpoints.</param>
    /// <param name="language">The language of the page.</param>
    public static async Task<ElementPage> OpenAsync(
        InstalledBrowser browser, string attributes = "", Action<ResumableUploadOptions>? configure = null, Action<WebApplication>? after = null, string language = "en")
    {
        IBrowserContext context = await browser.NewContextAsync();
        string html =
            $"""
            <!DOCTYPE html>
            <html lang="{language}"><head><title>Upload</title><meta name="color-scheme" content="light dark">
            <script type="module" src="/_content/ResumableUploads/resumable-uploads-element.js"></script></head>
            <body><main><h1>Upload</h1><form method="post" action="/form"><resumable-upload url="/upload" {attributes}></resumable-upload><button>Send</button></form></main></body></html>
            """;
        TestApp app = await TestApp.StartAsync(
            configure,
            static builder => builder.Services.AddResumableUploads(),
            after: app =>
            {
                app.MapGet("/", (HttpContext context) =>
                {
                    context.Response.Headers.ContentSecurityPolicy = Policy;
                    return Results.Text(html, "text/html");
                });
                app.MapGet("/_content/ResumableUploads/{file}", static (string file) => Results.File(
                    Path.Combine(RepositoryFiles.Root, "src/ResumableUploads/wwwroot", Path.GetFileName(file)), "text/javascript"));
                app.MapGet("/favicon.ico", static () => Results.NoContent());
                after?.Invoke(app);
            });
        var page = new ElementPage(app, context, await context.NewPageAsync());
        await page.Tab.GotoAsync(app.Address.ToString());
        return page;
    }

    public ILocator Row(string name) => Element.Locator($"[part=row][data-name=\"{name}\"]");

    public ILocator Button(string name, string text) => Row(name).GetByRole(AriaRole.Button, new() { Name = $"{text}: {name}", Exact = true });

    /// <summary>Returns the labels of the visible buttons of a row, without the name of the file.</summary>
    public async Task<string[]> ActionsAsync(string name) =>
        await Row(name).EvaluateAsync<string[]>("row => [...row.querySelectorAll('button:not([hidden])')].map(button => button.ariaLabel.split(': ')[0])");

    public Task ChooseAsync(params (string Name, int Size)[] files) => ChooseAsync([.. files.Select(static file => Payload(file.Name, file.Size))]);

    public Task ChooseAsync(params FilePayload[] files) => Element.Locator("input").First.SetInputFilesAsync(files);

    public static FilePayload Payload(string name, int size, string type = "application/octet-stream") =>
        new() { Name = name, MimeType = type, Buffer = Encoding.ASCII.GetBytes(name.PadRight(size, '.').AsSpan(0, size).ToArray()) };

    public Task ExpectAsync(string name, string state) => Assertions.Expect(Row(name)).ToHaveAttributeAsync("data-state", state);

    /// <summary>Drops or pastes files.</summary>
    public Task TransferAsync(string selector, string type, params string[] names) => Tab.EvaluateAsync(
        """
        ([selector, type, names]) => {
          const data = new DataTransfer();
          names.forEach(name => data.items.add(new File([name], name, { lastModified: 1 })));
          const options = { bubbles: true, composed: true, cancelable: true };
          // Firefox ignores the files of a created clipboard event.
          document.querySelector(selector).dispatchEvent(type === 'paste'
            ? Object.defineProperty(new ClipboardEvent('paste', options), 'clipboardData', { value: data })
            : new DragEvent(type, { ...options, dataTransfer: data }));
        }
        """,
        new object[] { selector, type, names });

    /// <summary>Answers appends with a problem, until the returned object is disposed.</summary>
    public async Task<IAsyncDisposable> FailAsync(int status, string type = "", string? detail = null)
    {
        Func<IRoute, Task> handler = route => route.Request.Method != "POST" ? route.ContinueAsync() : route.FulfillAsync(new()
        {
            Status = status,
            ContentType = "application/problem+json",
            Body = System.Text.Json.JsonSerializer.Serialize(new { type = "urn:resumable-uploads:" + type, title = "The title.", detail }),
        });
        await Tab.RouteAsync("**/upload", handler);
        return new Routed(() => Tab.UnrouteAsync("**/upload", handler));
    }

    public async ValueTask DisposeAsync()
    {
        await _context.DisposeAsync();
        await App.DisposeAsync();
    }

    private sealed class Routed(Func<Task> end) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await end();
    }
}
