using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;
using ResumableUploads.FunctionalTests.Clients;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.ProgressEvents;

[Collection<ChromiumCollection>]
public class FollowUploadBrowserTests(Chromium chromium)
{
    private const string SendAndFollow = """
        async () => {
          const id = 'café.bin-3000-1';
          const send = (start, size) => fetch('/upload', {
            method: 'POST', body: new Uint8Array(size), headers: { 'X-File-Id': encodeURIComponent(id), 'X-Start-Byte': start, 'X-File-Size': 3000 } });
          await fetch('/status', { headers: { 'X-File-Id': encodeURIComponent(id) } });
          await send(0, 1000);
          const events = [];
          const source = new EventSource('/upload?file-id=' + encodeURIComponent(encodeURIComponent(id)));
          const closed = new Promise(done => source.onerror = () => source.readyState === EventSource.CLOSED && done());
          const next = name => new Promise(done => source.addEventListener(name, event => done(JSON.parse(event.data)), { once: true }));
          events.push((await next('progress')).offset);
          const changed = next('progress');
          await send(1000, 1000);
          events.push((await changed).offset);
          const completed = next('completed');
          await send(2000, 1000);
          events.push((await completed).offset);

          // The browser connects again, and the response 204 ends that.
          await closed;
          return events.join();
        }
        """;

    [Fact]
    public async Task EventSource_of_an_anonymous_browser_follows_its_upload()
    {
        await using TestApp app = await TestApp.StartAsync(
            static options => options.ProgressEvents = true, after: static app => app.MapGet("/", static () => Results.Content("<!doctype html>", "text/html")));
        await using IBrowserContext context = await chromium.NewContextAsync();
        IPage page = await context.NewPageAsync();
        await page.GotoAsync(app.Address.AbsoluteUri);

        Assert.Equal("1000,2000,3000", await Eventually.WithinAsync(page.EvaluateAsync<string>(SendAndFollow)));
    }
}
