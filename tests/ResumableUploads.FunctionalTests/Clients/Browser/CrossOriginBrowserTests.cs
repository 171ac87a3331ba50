using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Clients.Browser;

[Collection<ChromiumCollection>]
public class CrossOriginBrowserTests(Chromium chromium)
{
    [Fact]
    public async Task Page_of_allowed_origin_reads_offset_from_409_and_resumes()
    {
        await using IBrowserContext context = await chromium.NewContextAsync();
        await using TestApp pages = await TestApp.StartAsync(
            after: static app => app.MapGet("/", static () => Results.Text("<!DOCTYPE html><title>Another origin</title>", "text/html")));
        await using TestApp uploads = await TestApp.StartAsync(
            services: builder => builder.Services.AddCors(cors => cors.AddDefaultPolicy(
                policy => policy.WithOrigins(pages.Address.GetLeftPart(UriPartial.Authority)).WithResumableUploads())),
            before: static app => app.UseCors());
        IPage page = await context.NewPageAsync();
        await page.GotoAsync(pages.Address.ToString());

        string[] seen = await page.EvaluateAsync<string[]>(
            """
            async address => {
              const file = new Blob([new Uint8Array(300_000).map((_, i) => i % 251)]);
              const seen = [];
              const send = async (start, end, headers = {}) => {
                const response = await fetch(new URL('upload', address), {
                  method: 'POST',
                  headers: { 'X-File-Id': 'other origin', 'X-Start-Byte': start, 'X-File-Size': file.size, 'X-File-Name': 'far.bin', ...headers },
                  body: file.slice(start, end),
                });
                seen.push(`${response.status} ${response.headers.get('X-Start-Byte')} ${response.headers.get('X-Upload-Complete')}`);
                return Number(response.headers.get('X-Start-Byte'));
              };

              await send(0, 100_000);
              const offset = await send(0, 100_000);
              const status = await fetch(new URL('status', address), { headers: { 'X-File-Id': 'other origin' } });
              seen.push(`${status.status} ${await status.text()}`);
              await send(offset, file.size);
              const removal = await fetch(new URL('upload', address), { method: 'DELETE', headers: { 'X-File-Id': 'other origin' } });
              seen.push(`${removal.status}`);
              return seen;
            }
            """,
            uploads.Address.ToString());

        Assert.Equal(["200 100000 false", "409 100000 null", "200 100000", "200 300000 true", "204"], seen);
        Assert.Equal(
            Enumerable.Range(0, 300_000).Select(static i => (byte)(i % 251)), Assert.Single(uploads.Finished).Content);
    }

    [Fact]
    public async Task Page_of_disallowed_origin_uploads_nothing()
    {
        await using IBrowserContext context = await chromium.NewContextAsync();
        await using TestApp pages = await TestApp.StartAsync(
            after: static app => app.MapGet("/", static () => Results.Text("<!DOCTYPE html><title>Another origin</title>", "text/html")));
        await using TestApp uploads = await TestApp.StartAsync(
            services: builder => builder.Services.AddCors(cors => cors.AddDefaultPolicy(
                policy => policy.WithOrigins("https://friend.example").WithResumableUploads())),
            before: static app => app.UseCors());
        IPage page = await context.NewPageAsync();
        await page.GotoAsync(pages.Address.ToString());

        string outcome = await page.EvaluateAsync<string>(
            """
            address => fetch(new URL('upload', address), { method: 'POST', headers: { 'X-File-Id': 'stranger' }, body: 'bytes' })
              .then(response => `${response.status}`, error => error.name)
            """,
            uploads.Address.ToString());

        Assert.Equal("TypeError", outcome);
        Assert.Empty(uploads.Finished);
    }
}
