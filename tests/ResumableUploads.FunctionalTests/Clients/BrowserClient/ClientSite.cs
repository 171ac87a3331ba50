using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.FunctionalTests.Clients.Concurrent;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Clients.BrowserClient;

/// <summary>An app with uploads, an empty page, and the scripts of the browser client.</summary>
internal sealed class ClientSite : IAsyncDisposable
{
    private readonly TestApp _app;

    private ClientSite(TestApp app, Counters counters) => (_app, Counts, Line) = (app, counters, new ThrottledLine(app.Address));

    public TestApp App => _app;

    public Counters Counts { get; }

    /// <summary>Gets the connection between the pages and the app.</summary>
    public ThrottledLine Line { get; }

    public Uri Page => new(Line.Address, "/client");

    /// <param name="configure">Configures the uploads.</param>
    /// <param name="before">Adds middleware before the uploads.</param>
    /// <param name="after">Adds endpoints.</param>
    /// <param name="policy">The content security policy of the page.</param>
    public static async Task<ClientSite> StartAsync(
        Action<ResumableUploadOptions>? configure = null, Action<WebApplication>? before = null, Action<WebApplication>? after = null, string? policy = null)
    {
        var counters = new Counters();
        TestApp app = await TestApp.StartAsync(
            configure: configure,
            before: app =>
            {
                app.Use(counters.CountAsync);
                before?.Invoke(app);
            },
            after: app =>
            {
                Map(app, policy);
                after?.Invoke(app);
            });
        return new ClientSite(app, counters);
    }

    /// <summary>Adds the page and the scripts to another app.</summary>
    public static void Map(WebApplication app, string? policy = null)
    {
        app.MapGet("/client", (HttpContext context) =>
        {
            context.Response.Headers.ContentSecurityPolicy = policy;
            return Results.Text("<!DOCTYPE html><title>Client</title><input type=file id=files multiple><input type=file id=folder webkitdirectory>", "text/html");
        });
        app.MapGet("/_content/ResumableUploads/{file}", static (string file) => Results.File(
            Path.Combine(RepositoryFiles.Root, "src/ResumableUploads/wwwroot", Path.GetFileName(file)), "text/javascript"));
    }

    /// <summary>Returns the content of the uploads by file name, as SHA-256.</summary>
    public IReadOnlyList<(string Name, string Hash)> Finished()
    {
        lock (_app.Finished)
        {
            return [.. _app.Finished.Select(static finished => (finished.Upload.RawFileName!, Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(finished.Content))))];
        }
    }

    public void AssertFinished(SourceFile file) => Assert.Equal([(Uri.EscapeDataString(file.Name), file.Hash)], Finished().Select(static file => (Uri.EscapeDataString(Uri.UnescapeDataString(file.Name)), file.Hash)));

    public async ValueTask DisposeAsync()
    {
        await Line.DisposeAsync();
        await _app.DisposeAsync();
    }

    /// <summary>The requests of the upload path.</summary>
    internal sealed class Counters
    {
        private int _running;

        public ConcurrentQueue<string> Requests { get; } = new();

        /// <summary>Gets the largest number of appends at one time.</summary>
        public int MostConcurrent { get; private set; }

        public int Of(string method) => Requests.Count(request => request == method);

        public async Task CountAsync(HttpContext context, RequestDelegate next)
        {
            if (context.Request.Path != "/upload")
            {
                await next(context);
                return;
            }

            Requests.Enqueue(context.Request.Method);
            bool isAppend = context.Request.Method == "POST";
            lock (Requests)
            {
                MostConcurrent = Math.Max(MostConcurrent, _running += isAppend ? 1 : 0);
            }

            try
            {
                await next(context);
            }
            finally
            {
                lock (Requests)
                {
                    _running -= isAppend ? 1 : 0;
                }
            }
        }
    }
}
