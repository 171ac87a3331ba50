using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;
using ResumableUploads.FunctionalTests.Clients.Browser;
using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Clients.BrowserClient;

/// <summary>Uploads that stop, with a reason that a page can explain.</summary>
public abstract class FailureTests(InstalledBrowser browser)
{
    [Fact]
    public Task Older_of_two_tabs_stops_with_taken_over_and_newer_completes() => AssertOlderTabStopsAsync(status: null);

    [Theory]
    [InlineData("between", false)]
    [InlineData("during", false)]
    [InlineData("during", true)]
    public async Task Changed_file_is_reported_and_with_digest_never_accepted(string moment, bool hasDigest)
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        await using ClientSite site = await ClientSite.StartAsync();
        using var file = new SourceFile("report.docx", 20_000_000);
        ClientPage page = await ClientPage.OpenAsync(context, site.Page);
        await page.ChooseAsync(file);
        site.Line.Rate = ClientPage.Slow;
        await page.StartAsync(hasDigest ? "{ digest: true }" : "{}");
        await page.WaitForOffsetAsync(3_000_000);
        site.Line.Rate = ClientPage.AlmostStopped;
        if (moment == "between")
        {
            await page.Tab.EvaluateAsync("upload.pause()");
        }

        await File.WriteAllBytesAsync(file.Path, new byte[file.Size]);
        File.SetLastWriteTimeUtc(file.Path, new DateTime(2040, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        site.Line.Rate = null;
        await page.Tab.EvaluateAsync("upload.resume()");

        if (hasDigest && (await page.GetFailureAsync()).Reason == "digest-mismatch")
        {
            await page.Tab.EvaluateAsync("() => { upload.start(); }");
        }

        Assert.Equal(("file-changed", null, false), await page.GetFailureAsync());
        // Without a digest, a request can contain old and new content if the browser does not notice the change before its end.
        Assert.InRange(site.Finished().Count, 0, moment == "during" && !hasDigest ? 1 : 0);

        // The file that is chosen again has another id.
        string? id = await page.Tab.EvaluateAsync<string>("upload.id");
        await page.ChooseAsync(file);
        await page.StartAsync();
        Assert.Equal("completed", await page.GetKindAsync());
        Assert.NotEqual(id, await page.Tab.EvaluateAsync<string>("upload.id"));
        Assert.Equal(await SourceFile.HashOfAsync(file.Path), site.Finished()[^1].Hash);
    }

    [Theory]
    [InlineData("401", 401)]
    [InlineData("redirect", 200)]
    [InlineData("redirect to another origin", null)]
    public async Task Session_that_expires_during_upload_is_signed_out_and_continues_later(string response, int? status)
    {
        bool isExpired = false;
        bool isRenewed = false;
        await using IBrowserContext context = await browser.NewContextAsync();
        await using ClientSite login = await ClientSite.StartAsync();
        await using ClientSite site = await ClientSite.StartAsync(
            before: app => app.Use(async (request, next) =>
            {
                // The session expires before the third chunk.
                if (!isRenewed && request.Request.Headers["X-Start-Byte"] == "4000000" && request.Request.Method == "POST")
                {
                    isExpired = true;
                }

                if (!isExpired || isRenewed || request.Request.Path != "/upload")
                {
                    await next(request);
                }
                else if (response == "401")
                {
                    request.Response.StatusCode = 401;
                }
                else
                {
                    request.Response.Redirect(response == "redirect" ? "/login" : new Uri(login.App.Address, "/client").ToString());
                }
            }),
            after: static app => app.MapGet("/login", static () => Results.Text("<!DOCTYPE html><form>Sign in</form>", "text/html")));
        using var file = new SourceFile("thesis.pdf", 6_000_000);
        ClientPage page = await ClientPage.OpenAsync(context, site.Page);
        await page.ChooseAsync(file);
        await page.StartAsync("{ chunkSize: 2_000_000 }");

        Assert.Equal(("signed-out", status, true), await page.GetFailureAsync());
        Assert.Empty(site.Finished());
        isRenewed = true;
        await page.Tab.EvaluateAsync("() => { upload.start(); }");

        Assert.Equal("completed", await page.GetKindAsync());
        site.AssertFinished(file);
    }

    [Fact]
    public async Task Token_that_expires_between_chunks_is_refreshed()
    {
        int generation = 1;
        await using IBrowserContext context = await browser.NewContextAsync();
        await using ClientSite site = await ClientSite.StartAsync(before: app => app.Use(async (request, next) =>
        {
            // Each token is valid for two appends.
            if (request.Request.Path == "/upload" && request.Request.Headers.Authorization != $"Bearer {Volatile.Read(ref generation) / 2}")
            {
                request.Response.StatusCode = 401;
                return;
            }

            if (request.Request.Method == "POST")
            {
                Interlocked.Increment(ref generation);
            }

            await next(request);
        }));
        using var file = new SourceFile("tokens.bin", 5_000_000);
        ClientPage page = await ClientPage.OpenAsync(context, site.Page);
        await page.ChooseAsync(file);
        await page.StartAsync(
            """
            (() => {
              let token = 0;
              window.refreshed = 0;
              return { chunkSize: 1_000_000, headers: async refresh => {
                window.refreshed += refresh;
                token += refresh;
                return { Authorization: `Bearer ${token}` };
              } };
            })()
            """);

        Assert.Equal("completed", await page.GetKindAsync());
        Assert.InRange(await page.Tab.EvaluateAsync<int>("refreshed"), 2, 4);
        site.AssertFinished(file);
    }

    [Fact]
    public async Task Refused_type_is_reported_before_content_is_sent()
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        await using ClientSite site = await ClientSite.StartAsync(options => options.OnCreating = static (upload, _) =>
        {
            if (upload.ContentType != "image/png")
            {
                upload.Reject(415, "Only images are accepted.");
            }

            return Task.CompletedTask;
        });
        using var file = new SourceFile("film.mp4", 133_000_000);
        ClientPage page = await ClientPage.OpenAsync(context, site.Page);
        await page.ChooseAsync(file);
        await page.StartAsync();

        Assert.Equal(("type-refused", 415, false), await page.GetFailureAsync());
        Assert.Equal("Only images are accepted.", await page.Tab.EvaluateAsync<string>("upload.failure.detail"));
        Assert.Equal(["OPTIONS", "GET", "POST"], site.Counts.Requests);
        Assert.Equal(0, await page.Tab.EvaluateAsync<long>("Math.max(...offsets)"));
    }

    [Fact]
    public async Task File_larger_than_limit_is_refused_without_an_append()
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        await using ClientSite site = await ClientSite.StartAsync(static options => options.MaxUploadSize = 100_000_000);
        using var file = new SourceFile("133 MB.mp4", 133_000_000);
        ClientPage page = await ClientPage.OpenAsync(context, site.Page);
        await page.ChooseAsync(file);
        await page.StartAsync();

        Assert.Equal(("too-large", null, false), await page.GetFailureAsync());
        Assert.Equal(100_000_000, await page.Tab.EvaluateAsync<long>("upload.failure.limit"));
        Assert.Equal(["OPTIONS"], site.Counts.Requests);
    }

    [Fact]
    public async Task Canceled_upload_is_deleted_from_server()
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        await using ClientSite site = await ClientSite.StartAsync();
        using var file = new SourceFile("mistake.zip", 20_000_000);
        ClientPage page = await ClientPage.OpenAsync(context, site.Page);
        await page.ChooseAsync(file);
        site.Line.Rate = ClientPage.Slow;
        await page.StartAsync();
        await page.WaitForOffsetAsync(3_000_000);
        site.Line.Rate = ClientPage.AlmostStopped;

        await page.Tab.EvaluateAsync("upload.cancel()");

        Assert.Equal(("canceled", 1), (await page.GetStateAsync(), site.Counts.Of("DELETE")));
        site.Line.Rate = null;
        await page.StartAsync();
        Assert.Equal("completed", await page.GetKindAsync());
        Assert.Equal(0, await page.Tab.EvaluateAsync<long>("offsets[0]"));
        site.AssertFinished(file);
    }

    [Fact]
    public async Task Id_of_another_complete_file_is_rejected()
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        await using ClientSite site = await ClientSite.StartAsync();
        using var first = new SourceFile("a.bin", 1000);
        using var second = new SourceFile("a.bin", 1001);
        ClientPage page = await ClientPage.OpenAsync(context, site.Page);
        await page.ChooseAsync(first);
        await page.StartAsync("{ id: 'same' }");
        await page.WaitForStateAsync("completed");
        await page.ChooseAsync(second);
        await page.StartAsync("{ id: 'same' }");

        Assert.Equal(("rejected", 409, false), await page.GetFailureAsync());
        site.AssertFinished(first);
    }

    [Fact]
    public async Task Url_without_uploads_is_unsupported_and_not_a_success()
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        await using ClientSite site = await ClientSite.StartAsync(after: static app => app.MapFallback(static () => Results.Text("<!DOCTYPE html>", "text/html")));
        using var file = new SourceFile("a.bin", 1000);
        ClientPage page = await ClientPage.OpenAsync(context, site.Page);
        await page.ChooseAsync(file);
        await page.StartAsync("{ url: '/elsewhere' }");

        Assert.Equal(("unsupported", 200, true), await page.GetFailureAsync());
    }

    /// <param name="status">The status of the response that has stopped the older tab.</param>
    /// <param name="script">A script that runs before those of the pages.</param>
    protected async Task AssertOlderTabStopsAsync(int? status, string script = ";")
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        await context.AddInitScriptAsync(script);
        await using ClientSite site = await ClientSite.StartAsync();
        using var file = new SourceFile("same.bin", 20_000_000);
        ClientPage older = await ClientPage.OpenAsync(context, site.Page);
        ClientPage newer = await ClientPage.OpenAsync(context, site.Page);
        await older.ChooseAsync(file);
        await newer.ChooseAsync(file);
        site.Line.Rate = ClientPage.Slow;
        await older.StartAsync();
        await older.WaitForOffsetAsync(5_000_000);
        site.Line.Rate = ClientPage.AlmostStopped;

        await newer.StartAsync();

        Assert.Equal(("taken-over", status, true), await older.GetFailureAsync());
        site.Line.Rate = null;
        Assert.Equal("completed", await newer.GetKindAsync());
        Assert.True(await newer.Tab.EvaluateAsync<bool>("offsets.filter(offset => offset > 0)[0] >= 1_000_000"));
        site.AssertFinished(file);
    }
}

/// <summary>Firefox does not receive a response until it has sent the body, so that two tabs without locks alternate.</summary>
[Collection<ChromiumCollection>]
public class FailureInChromiumTests(Chromium browser) : FailureTests(browser)
{
    [Fact]
    public Task Older_of_two_tabs_without_locks_stops_with_response_of_server() => AssertOlderTabStopsAsync(409, "delete Navigator.prototype.locks");
}

[Collection<FirefoxCollection>]
public class FailureInFirefoxTests(Firefox browser) : FailureTests(browser);
