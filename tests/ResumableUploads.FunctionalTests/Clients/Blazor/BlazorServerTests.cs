using Microsoft.Playwright;
using ResumableUploads.FunctionalTests.Clients.Browser;
using static Microsoft.Playwright.Assertions;

namespace ResumableUploads.FunctionalTests.Clients.Blazor;

/// <summary>The Blazor component on Blazor Server, in the sample.</summary>
[Collection<BlazorCollection>]
public class BlazorServerTests(Chromium chromium) : BlazorTests(chromium, "/", "Server")
{
    [Fact]
    public async Task Upload_continues_without_circuit_and_is_reported_after_reconnection()
    {
        await using BlazorPage page = await OpenAsync();
        var held = new TaskCompletionSource<IRoute>(TaskCreationOptions.RunContinuationsAsynchronously);
        await page.Tab.RouteAsync("**/upload", async route =>
        {
            if (route.Request.Method == "POST" && held.TrySetResult(route))
            {
                return;
            }

            await route.ContinueAsync();
        });
        await page.ChooseAsync("film.bin", 6_000_000);
        IRoute creation = await held.Task.WaitAsync(TimeSpan.FromMilliseconds(InstalledBrowser.TimeoutMilliseconds), TestContext.Current.CancellationToken);
        await page.ExpectEventAsync("film.bin: Preparing");

        await page.Tab.RouteAsync("**/_blazor/negotiate**", static route => route.AbortAsync());
        await page.Tab.EvaluateAsync("sockets.forEach(socket => socket.close())");
        await Expect(page.Tab.Locator("#components-reconnect-modal")).ToHaveCountAsync(1);
        await creation.ContinueAsync();
        await Expect(page.Element.Locator("[part=row]")).ToHaveAttributeAsync("data-state", "completed");
        // The message with the completed upload is lost, because there is no connection.
        await page.Tab.WaitForFunctionAsync("lost.some(reason => reason.includes('Cannot send data'))");
        Assert.DoesNotContain("Completed", string.Join('\n', await page.Events.AllTextContentsAsync()), StringComparison.Ordinal);

        await page.Tab.UnrouteAsync("**/_blazor/negotiate**");
        await page.Tab.EvaluateAsync("() => { void Blazor.reconnect(); }");
        await page.ExpectEventAsync("film.bin has 6000000 bytes, response 200");
        await Expect(page.Events.Filter(new() { HasText = "film.bin: Completed" })).ToHaveCountAsync(1);
        await Expect(page.Tab.Locator("#count")).ToHaveTextAsync("1 of 1");
    }

    [Fact]
    public async Task Prerendered_element_is_disabled_until_component_is_connected()
    {
        await using BlazorPage page = await OpenAsync();
        using var client = new HttpClient { BaseAddress = page.Host.Address };

        string interactive = await client.GetStringAsync("", TestContext.Current.CancellationToken);
        string form = await client.GetStringAsync("documents", TestContext.Current.CancellationToken);

        Assert.Matches("<resumable-upload [^>]*url=\"/upload\" disabled", interactive);
        Assert.Matches("<resumable-upload [^>]*url=\"/upload\" name=\"files\" required", form);
        Assert.DoesNotMatch("<resumable-upload [^>]*disabled", form);
    }

    [Fact]
    public async Task Page_without_interactivity_sends_ids_with_its_form()
    {
        await using BlazorPage page = await OpenAsync();

        // The link is followed by enhanced navigation, which disposes the interactive component.
        await page.Tab.GetByRole(AriaRole.Link, new() { Name = "Form" }).ClickAsync();
        await Expect(page.Tab.GetByRole(AriaRole.Heading, new() { Name = "Form" })).ToBeVisibleAsync();
        await page.ExpectReadyAsync();
        await page.Tab.GetByLabel("Title").FillAsync("Contract");
        await page.ChooseAsync("a.txt", 10);
        await Expect(page.Element.Locator("[part=row]")).ToHaveAttributeAsync("data-state", "completed");
        await page.ClickAsync("Save");

        await Expect(page.Tab.Locator("#saved")).ToHaveTextAsync("Contract has 1 files with 10 bytes.");
        Assert.Empty(page.Traffic.Errors);
        Assert.Empty(page.Traffic.ConsoleErrors);
    }

    [Fact]
    public async Task Form_page_loads_the_element_without_script_tag()
    {
        await using BlazorPage page = await OpenAsync("documents");

        Assert.True(await page.Element.EvaluateAsync<bool>("element => element.form === document.forms[0] && !element.checkValidity()"));
    }

    [Fact]
    public async Task Upload_without_circuit_has_the_headers_of_the_previous_request()
    {
        await using BlazorPage page = await OpenAsync("tokens");
        await page.ChooseAsync("a.txt", 10);
        await page.ExpectEventAsync("a.txt has 10 bytes");

        await page.Tab.RouteAsync("**/_blazor/negotiate**", static route => route.AbortAsync());
        await page.Tab.EvaluateAsync("sockets.forEach(socket => socket.close())");
        await Expect(page.Tab.Locator("#components-reconnect-modal")).ToHaveCountAsync(1);
        IRequest append = await page.Tab.RunAndWaitForRequestAsync(() => page.ChooseAsync("b.txt", 20), static request => request.Method == "POST" && request.Url.EndsWith("/upload", StringComparison.Ordinal));

        Assert.Equal("Bearer token-1", append.Headers["authorization"]);
        await Expect(page.Element.Locator("[part=row][data-state=completed]")).ToHaveCountAsync(2);
    }

    private protected override async Task AssertTransportAsync(BlazorPage page)
    {
        double[] sent = await page.Tab.EvaluateAsync<double[]>("sent");
        Assert.NotEmpty(sent);
        Assert.All(sent.Zip(sent.Skip(1)), static pair => Assert.True(pair.Second - pair.First > 240, $"A message was sent {pair.Second - pair.First} ms after the previous one."));
    }
}
