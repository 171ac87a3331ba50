using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;
using ResumableUploads.FunctionalTests.Clients.Browser;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Servers;
using static Microsoft.Playwright.Assertions;

namespace ResumableUploads.FunctionalTests.Clients.ChunkedUploaders;

/// <summary>An append as the server has received it.</summary>
internal sealed record ReceivedAppend(long Start, long Length)
{
    /// <summary>Gets or sets the status code of the response, or 0 before it.</summary>
    public int Status { get; set; }
}

/// <summary>An app with a ready-made upload path and a page that runs a recipe, behind a proxy that the test can interrupt.</summary>
internal sealed class ChunkedUploaderSite : IAsyncDisposable
{
    private const string PageHtml = """
        <!DOCTYPE html>
        <link rel="icon" href="data:,">
        <input type="file" id="file"> <div id="dropzone"></div> <button id="browse">Browse</button> <input type="file" id="filepond"> <output id="result"></output>
        <script type="module" src="recipe.js"></script>
        """;

    private readonly ConcurrentQueue<ReceivedAppend> _appends;
    private readonly IBrowserContext _context;
    private readonly TestApp _app;

    private ChunkedUploaderSite(IBrowserContext context, TestApp app, ConcurrentQueue<ReceivedAppend> appends)
    {
        (_context, _app, _appends) = (context, app, appends);
        Proxy = new InterruptibleProxy(app.Address);
    }

    public InterruptibleProxy Proxy { get; }

    /// <summary>Gets the appends with a body, in order of arrival.</summary>
    public IReadOnlyList<ReceivedAppend> Appends => [.. _appends];

    public static async Task<ChunkedUploaderSite> StartAsync(Chromium chromium, string library)
    {
        string script = await Recipe.BundleAsync(library);
        IBrowserContext context = await chromium.NewContextAsync();
        var appends = new ConcurrentQueue<ReceivedAppend>();
        TestApp app = await TestApp.StartAsync(
            before: app => app.Use(async (context, next) =>
            {
                if (context.Request.ContentLength is not (> 0 and { } length))
                {
                    await next(context);
                    return;
                }

                var append = new ReceivedAppend(GetStart(context.Request.Headers), length);
                appends.Enqueue(append);
                context.Response.OnStarting(() =>
                {
                    append.Status = context.Response.StatusCode;
                    return Task.CompletedTask;
                });
                await next(context);
            }),
            after: app =>
            {
                app.MapGet("/", static () => Results.Text(PageHtml, "text/html"));
                app.MapGet("/recipe.js", () => Results.Text(script, "text/javascript"));
            });
        return new ChunkedUploaderSite(context, app, appends);
    }

    /// <summary>Opens the page in a new tab.</summary>
    public async Task<IPage> OpenAsync()
    {
        IPage page = await _context.NewPageAsync();
        await page.GotoAsync(Proxy.Address.ToString());
        return page;
    }

    /// <summary>Chooses the file, which starts the upload.</summary>
    public static Task ChooseAsync(IPage page, SourceFile file) => page.Locator("#file").SetInputFilesAsync(file.Path);

    public static Task ExpectSuccessAsync(IPage page) => Expect(page.Locator("#result")).ToHaveTextAsync("success");

    /// <summary>Waits until bytes are stored, and the request with the bytes after them has arrived.</summary>
    public Task WaitForBytesAsync(long length) => Eventually.TrueAsync(
        () => _appends.Any(append => append.Start + append.Length > length)
            && Directory.GetFiles(_app.Directory, "*.data", SearchOption.AllDirectories).Any(file => new FileInfo(file).Length >= length),
        $"{length} bytes are stored");

    /// <summary>Resets the connections, so that bytes that the proxy has held back are lost, and forwards new connections.</summary>
    public void BreakConnections()
    {
        Proxy.Interrupt();
        Proxy.Release();
        Proxy.Restore();
    }

    /// <summary>Asserts that the appends that were accepted after a break began at the stored bytes, and had only the missing ones.</summary>
    /// <param name="stored">The number of bytes that were stored before the break.</param>
    /// <param name="before">The number of appends before the break.</param>
    /// <param name="size">The size of the file.</param>
    public void AssertOnlyMissingBytesWereAccepted(long stored, int before, long size)
    {
        ReceivedAppend[] accepted = [.. _appends.Skip(before).Where(static append => append.Status is >= 200 and < 300)];
        Assert.InRange(accepted[0].Start, stored, size - 1);
        Assert.Equal(size - accepted[0].Start, accepted.Sum(static append => append.Length));
    }

    /// <summary>Asserts that the handler has received the file, once and with its name.</summary>
    public void AssertArrivedOnce(SourceFile file)
    {
        FinishedUpload finished = Assert.Single(_app.Finished);
        Assert.Equal(file.Hash, Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(finished.Content)));
        Assert.Equal(file.Name, finished.Upload.FileName);
    }

    public async ValueTask DisposeAsync()
    {
        await _context.DisposeAsync();
        await Proxy.DisposeAsync();
        await _app.DisposeAsync();
    }

    private static long GetStart(IHeaderDictionary headers)
    {
        string start = headers["X-Start-Byte"].FirstOrDefault()
            ?? headers["Upload-Offset"].FirstOrDefault()
            ?? headers.ContentRange.ToString().Split(' ', '-').ElementAtOrDefault(1)
            ?? "";
        return long.Parse(start, CultureInfo.InvariantCulture);
    }
}
