using Microsoft.Playwright;
using ResumableUploads.FunctionalTests.Clients.Browser;
using static Microsoft.Playwright.Assertions;

namespace ResumableUploads.FunctionalTests.Clients.Blazor;

/// <summary>The Blazor component in the sample, with one of the renderers.</summary>
/// <param name="chromium">The browser.</param>
/// <param name="path">The path of the page.</param>
/// <param name="renderer">The name of the renderer.</param>
public abstract class BlazorTests(Chromium chromium, string path, string renderer)
{
    protected const int Slow = 500_000;

    [Fact]
    public async Task Page_has_the_renderer()
    {
        await using BlazorPage page = await OpenAsync();
        await Expect(page.Tab.Locator("#renderer")).ToHaveTextAsync(renderer);
    }

    [Fact]
    public async Task Handlers_receive_states_progress_and_response()
    {
        await using BlazorPage page = await OpenAsync();
        await page.LimitAsync(Slow);

        await page.ChooseAsync("film.bin", 5_000_000);

        await page.ExpectEventAsync("film.bin: Uploading");
        await page.ExpectEventAsync("film.bin: Completed");
        await page.ExpectEventAsync("""film.bin has 5000000 bytes, response 200 {"Size":5000000,""");
        await Expect(page.Tab.Locator("#count")).ToHaveTextAsync("1 of 1");
        long[] values = await page.Tab.EvaluateAsync<long[]>("values");
        Assert.True(values.Length > 2, $"Progress was reported {values.Length} times.");
        Assert.Equal(values.Order(), values);
        Assert.Equal(5_000_000, values[^1]);
        await AssertTransportAsync(page);
        Assert.Empty(page.Traffic.Errors);
        Assert.Empty(page.Traffic.ConsoleErrors);
    }

    [Fact]
    public async Task Failure_is_typed_and_retry_from_csharp_completes()
    {
        await using BlazorPage page = await OpenAsync();
        await page.Tab.RouteAsync("**/upload", static route => route.Request.Method != "POST" ? route.ContinueAsync() : route.FulfillAsync(new()
        {
            Status = 413,
            ContentType = "application/problem+json",
            Body = """{ "type": "urn:resumable-uploads:owner-quota", "title": "Quota", "detail": "Delete files." }""",
        }));
        await page.ChooseAsync("a.txt", 10);
        await page.ExpectEventAsync("a.txt failed because of Quota, status 413: Delete files.");

        await page.Tab.UnrouteAsync("**/upload");
        await page.ClickAsync("Retry from C#");

        await page.ExpectEventAsync("a.txt has 10 bytes, response 200");
        await page.ClickAsync("Clear from C#");
        await Expect(page.Element.Locator("[part=row]")).ToHaveCountAsync(0);
        await Expect(page.Tab.Locator("#count")).ToHaveCountAsync(1);
        await Expect(page.Tab.Locator("#count")).ToHaveTextAsync("0 of 0");
    }

    [Fact]
    public async Task Pause_resume_and_cancel_from_csharp_act_in_the_browser()
    {
        await using BlazorPage page = await OpenAsync();
        await page.LimitAsync(Slow);
        await page.ChooseAsync("film.bin", 30_000_000);
        ILocator row = page.Element.Locator("[part=row]");
        await page.ExpectEventAsync("film.bin: Uploading");

        await page.ClickAsync("Pause from C#");
        await page.ExpectEventAsync("film.bin: Paused");
        await Expect(row).ToHaveAttributeAsync("data-state", "paused");
        await page.ClickAsync("Resume from C#");
        await Expect(row).ToHaveAttributeAsync("data-state", "uploading");
        await page.Tab.RunAndWaitForResponseAsync(() => page.ClickAsync("Cancel from C#"), static response => response.Request.Method == "DELETE");

        await page.ExpectEventAsync("film.bin: Canceled");
        await Expect(row).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Expired_token_is_replaced_by_the_callback()
    {
        await using BlazorPage page = await OpenAsync("tokens");
        var sent = new List<string>();
        await page.Tab.RouteAsync("**/upload", async route =>
        {
            string token = route.Request.Headers.GetValueOrDefault("authorization", "none");
            lock (sent)
            {
                sent.Add($"{route.Request.Method} {token}");
            }

            await (route.Request.Method == "POST" && token == "Bearer token-1" ? route.FulfillAsync(new() { Status = 401 }) : route.ContinueAsync());
        });

        await page.ChooseAsync("a.txt", 10);

        await page.ExpectEventAsync("a.txt has 10 bytes, response 200");
        await Expect(page.Tab.Locator("#token")).ToHaveTextAsync("token-2");
        Assert.Equal(["POST Bearer token-1", "POST Bearer token-2"], sent.Where(static request => request.StartsWith("POST", StringComparison.Ordinal)));
        Assert.DoesNotContain(sent, static request => request.EndsWith("none", StringComparison.Ordinal));
    }

    private protected Task<BlazorPage> OpenAsync(string page = "") => BlazorPage.OpenAsync(chromium, path + page);

    /// <summary>Asserts how the component has sent its messages to C#.</summary>
    private protected abstract Task AssertTransportAsync(BlazorPage page);
}
