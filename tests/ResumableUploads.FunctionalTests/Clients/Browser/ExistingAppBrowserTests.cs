using Microsoft.Playwright;
using ResumableUploads.FunctionalTests.Samples;
using ResumableUploads.Testing;
using static Microsoft.Playwright.Assertions;

namespace ResumableUploads.FunctionalTests.Clients.Browser;

/// <summary>The upload page of the ExistingApp sample.</summary>
[Collection<ChromiumCollection>]
public class ExistingAppBrowserTests(Chromium chromium)
{
    private const int ChunkSize = 8 << 20;

    [Fact]
    public async Task Form_is_sent_in_chunks_resumes_after_error_and_shows_response()
    {
        await using IBrowserContext context = await chromium.NewContextAsync();
        await using ExistingApp app = await StartAsync();
        using var file = new SourceFile("Übersicht.pdf", (2 * ChunkSize) + 1_000_000);
        (IPage page, Traffic traffic, ILocator form) = await OpenAsync(context, app);
        int sent = 0;
        await page.RouteAsync("**/documents", route =>
            route.Request.Method == "POST" && ++sent == 2 ? route.AbortAsync("connectionreset") : route.ContinueAsync());

        await form.GetByLabel("Title").FillAsync("Overview");
        await form.GetByLabel("File").SetInputFilesAsync(file.Path);
        await form.GetByRole(AriaRole.Button, new() { Name = "Send" }).ClickAsync();

        ILocator output = form.Locator("output");
        await Expect(output).ToContainTextAsync("Done (200)");
        await Expect(output).ToContainTextAsync($"“Overview” (Übersicht.pdf, {file.Size} bytes) is saved as {file.Hash.ToLowerInvariant()}.");
        Assert.Equal([0, ChunkSize, ChunkSize, 2 * ChunkSize], traffic.StartBytes);
        Assert.Equal(file.Hash.ToLowerInvariant(), Assert.Single(app.Saved));
        Assert.Empty(traffic.Errors);
    }

    [Fact]
    public async Task Cancelled_video_is_removed_from_server()
    {
        await using IBrowserContext context = await chromium.NewContextAsync();
        await using ExistingApp app = await StartAsync();
        using var file = new SourceFile("movie.mp4", (2 * ChunkSize) + 1_000_000);
        (IPage page, Traffic traffic, ILocator form) = await OpenAsync(context, app, "videos");
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await page.RouteAsync("**/videos", async route =>
        {
            if (route.Request.Method == "POST" && Traffic.StartByte(route.Request) == ChunkSize && !held.Task.IsCompleted)
            {
                held.SetResult();
                return;
            }

            await route.ContinueAsync();
        });

        await form.GetByLabel("Video").SetInputFilesAsync(file.Path);
        await form.GetByRole(AriaRole.Button, new() { Name = "Send" }).ClickAsync();
        await held.Task.WaitAsync(TimeSpan.FromMilliseconds(Chromium.TimeoutMilliseconds));
        await form.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        await Expect(form.Locator("output")).ToHaveTextAsync("Cancelled");

        await form.GetByRole(AriaRole.Button, new() { Name = "Send" }).ClickAsync();
        await Expect(form.Locator("output")).ToContainTextAsync("Done (201)");
        Assert.Equal([0, ChunkSize, 0, ChunkSize, 2 * ChunkSize], traffic.StartBytes);
        Assert.Equal(file.Hash.ToLowerInvariant(), Assert.Single(app.Saved));
        Assert.Empty(traffic.Errors);
    }

    private static Task<ExistingApp> StartAsync() =>
        ExistingApp.StartAsync($"contentRoot={Path.Combine(ResumableUploads.Testing.RepositoryFiles.Root, "samples", "ExistingApp")}", "ResumableUploads:FileSystem:Durability=ProcessCrash");

    private static async Task<(IPage Page, Traffic Traffic, ILocator Form)> OpenAsync(IBrowserContext context, ExistingApp app, string form = "documents")
    {
        IPage page = await context.NewPageAsync();
        var traffic = new Traffic(page);
        await page.GotoAsync(app.Address.ToString());
        return (page, traffic, page.Locator($"form[action$={form}]"));
    }
}
