using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;
using ResumableUploads.FunctionalTests.Clients;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static Microsoft.Playwright.Assertions;

namespace ResumableUploads.FunctionalTests.Samples;

/// <summary>The Tickets sample: a link that lets a person without an account send one photo.</summary>
[Collection<ChromiumCollection>]
public sealed class TicketsTests(Chromium chromium) : IDisposable
{
    private readonly UploadDirectory _uploads = new();

    private string PhotosDirectory => Path.Combine(Path.GetDirectoryName(_uploads.Root)!, "photos");

    public void Dispose() => _uploads.Dispose();

    [Fact]
    public async Task Link_of_the_page_takes_one_photo_over_two_connections()
    {
        await using ChildHost app = await StartAsync();
        await using IBrowserContext user = await chromium.NewContextAsync();
        await using IBrowserContext guest = await chromium.NewContextAsync();
        using var photo = new SourceFile("sea.png", 3_000_000);
        IPage account = await user.NewPageAsync();
        await account.GotoAsync(app.Address.AbsoluteUri);
        await account.GetByLabel("Name").FillAsync("ann");
        await account.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await account.GetByRole(AriaRole.Button, new() { Name = "Create a link" }).ClickAsync();
        string link = (await account.GetByRole(AriaRole.Link, new() { Name = "Send a photo" }).GetAttributeAsync("href"))!;

        IPage page = await guest.NewPageAsync();
        await page.GotoAsync(new Uri(app.Address, link).AbsoluteUri);
        int requests = 0;
        await page.RouteAsync("**/photos?*", route =>
            route.Request.Method == "POST" && ++requests == 2 ? route.AbortAsync("connectionreset") : route.ContinueAsync());
        await page.Locator("resumable-upload input[type=file]").First.SetInputFilesAsync(photo.Path);

        await Expect(page.Locator("resumable-upload [part=row]")).ToHaveAttributeAsync("data-state", "completed");
        await account.GetByRole(AriaRole.Button, new() { Name = "Refresh" }).ClickAsync();
        await Expect(account.Locator("#photos li")).ToHaveTextAsync($"sea.png, {photo.Size} bytes, SHA-256 {photo.Hash.ToLowerInvariant()}");
        Assert.InRange(requests, 3, int.MaxValue);
    }

    [Fact]
    public async Task Page_of_another_host_sends_one_photo_and_resumes()
    {
        await using IBrowserContext context = await chromium.NewContextAsync();
        await using TestApp partner = await TestApp.StartAsync(
            after: static app => app.MapGet("/", static () => Results.Text("<!DOCTYPE html><title>Partner</title>", "text/html")));
        string origin = $"http://localhost:{partner.Address.Port}";
        await using ChildHost app = await StartAsync($"AllowedOrigins:0={origin}");
        string url = new Uri(app.Address, await CreateTicketAsync(app)).AbsoluteUri;
        IPage page = await context.NewPageAsync();
        await page.GotoAsync(origin);
        int requests = 0;
        await page.RouteAsync("**/photos?*", route =>
            route.Request.Method == "POST" && ++requests == 2 ? route.AbortAsync("connectionreset") : route.ContinueAsync());

        string seen = await page.EvaluateAsync<string>(
            """
            async url => {
              const { ResumableUpload } = await import(new URL('/_content/ResumableUploads/resumable-uploads.js', url));
              const send = async name => {
                const upload = new ResumableUpload(new File([new Uint8Array(2_000_000)], name, { type: 'image/png' }), { url, chunkSize: 500_000 });
                try {
                  return `${(await upload.start()).status}`;
                } catch (error) {
                  return `${error.failure.status} ${error.failure.reason}`;
                }
              };
              return [await send('sea.png'), await send('other.png')].join(', ');
            }
            """,
            url);

        Assert.Equal("201, 403 forbidden", seen);
        Assert.InRange(requests, 5, int.MaxValue);
        Assert.Equal(2_000_000, new FileInfo(Assert.Single(Directory.GetFiles(PhotosDirectory))).Length);
    }

    [Theory]
    [InlineData("#https://evil.example/photos?ticket=1")]
    [InlineData("#//evil.example/photos?ticket=1")]
    [InlineData("#/tickets?ticket=1")]
    [InlineData("#/photos")]
    [InlineData("")]
    public async Task Link_with_another_url_shows_no_upload(string fragment)
    {
        await using ChildHost app = await StartAsync();
        await using IBrowserContext context = await chromium.NewContextAsync();
        IPage page = await context.NewPageAsync();

        await page.GotoAsync(new Uri(app.Address, "/send.html" + fragment).AbsoluteUri);

        await Expect(page.Locator("#note")).ToHaveTextAsync("The link is not complete.");
        await Expect(page.Locator("resumable-upload")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Request_without_ticket_or_account_is_refused()
    {
        await using ChildHost app = await StartAsync();

        using HttpResponseMessage upload = await app.Client.AppendAsync("f", 0, new ByteArrayContent(new byte[3]), 3, "/photos");
        using HttpResponseMessage ticket = await app.Client.PostAsync("/tickets", null);

        Assert.Equal((401, 401), ((int)upload.StatusCode, (int)ticket.StatusCode));
    }

    private static async Task<string> CreateTicketAsync(ChildHost app)
    {
        using HttpResponseMessage signedIn = await app.Client.PostAsJsonAsync("/sign-in", new { name = "ann" });
        using var request = new HttpRequestMessage(HttpMethod.Post, "/tickets");
        request.Headers.Add("Cookie", signedIn.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
        using HttpResponseMessage response = await app.Client.SendAsync(request);
        return (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("url").GetString()!;
    }

    private Task<ChildHost> StartAsync(params string[] options) =>
        ChildHost.StartSampleAsync("Tickets", _uploads.Root, [$"Photos={PhotosDirectory}", $"contentRoot={Path.Combine(ResumableUploads.Testing.RepositoryFiles.Root, "samples/Tickets")}", .. options]);
}
