using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using ResumableUploads.FunctionalTests.Clients.Browser;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Clients.BrowserClient;

/// <summary>What a page learns about a completed upload.</summary>
public abstract class CompletionTests(InstalledBrowser browser)
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3_000_000)]
    public async Task Completed_upload_is_not_sent_again(int size)
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        await using ClientSite site = await ClientSite.StartAsync();
        using var file = new SourceFile("Łódź 写真.jpg", size);
        ClientPage page = await ClientPage.OpenAsync(context, site.Page);
        await page.ChooseAsync(file);
        await page.StartAsync();
        Assert.Equal("completed", await page.GetKindAsync());
        site.AssertFinished(file);

        await page.StartAsync();
        Assert.Equal("already-completed", await page.GetKindAsync());
        Assert.Equal(size == 3_000_000 ? 3 : 2, site.Counts.Of("POST"));
        site.AssertFinished(file);
    }

    [Fact]
    public async Task Handler_that_redirects_completes_the_upload()
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        await using TestApp site = await EndpointApp.StartAsync(static app =>
        {
            ClientSite.Map(app);
            app.MapPost("/videos", static async (Stream body) =>
            {
                await body.CopyToAsync(Stream.Null);
                return Results.Redirect("/videos/1");
            }).WithResumableUploads();
            app.MapGet("/videos/1", static () => "Your video");
        });
        using var file = new SourceFile("video.mp4", 100_000);
        ClientPage page = await ClientPage.OpenAsync(context, new Uri(site.Address, "/client"));
        await page.ChooseAsync(file);
        await page.StartAsync("{ url: '/videos' }");

        Assert.Equal("completed", await page.GetKindAsync());
        Assert.Equal("Your video", await page.Tab.EvaluateAsync<string>("upload.result.body"));
    }

    [Theory]
    [InlineData("default-src 'self'", 1)]
    [InlineData("script-src 'self' 'unsafe-eval'; worker-src 'none'", 0)]
    public async Task Digest_is_computed_in_worker_or_without_it_if_policy_forbids_it(string policy, int workers)
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        await using ClientSite site = await ClientSite.StartAsync(policy: policy);
        using var file = new SourceFile("signed.bin", 5_000_000);
        ClientPage page = await ClientPage.OpenAsync(context, site.Page);
        // Firefox creates a worker that does not run if the policy forbids it.
        await page.Tab.EvaluateAsync(
            """
            () => {
              window.digests = 0;
              window.Worker = class extends Worker {
                constructor(...args) {
                  super(...args);
                  this.addEventListener('message', () => digests++);
                }
              };
            }
            """);
        await page.ChooseAsync(file);
        await page.StartAsync("{ digest: true, chunkSize: 2_000_000 }");

        Assert.Equal("completed", await page.GetKindAsync());
        Assert.Equal(workers, await page.Tab.EvaluateAsync<int>("digests"));
        site.AssertFinished(file);
    }

    [Fact]
    public async Task Content_that_does_not_match_digest_is_refused_and_sent_again()
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        await context.AddInitScriptAsync(
            """
            const { send } = XMLHttpRequest.prototype;
            XMLHttpRequest.prototype.send = function (body) {
              const isDamaged = body.size > 0 && !window.wasDamaged;
              window.wasDamaged ||= isDamaged;
              send.call(this, isDamaged ? new Blob([new Uint8Array(body.size)]) : body);
            };
            """);
        await using ClientSite site = await ClientSite.StartAsync();
        using var file = new SourceFile("damaged.bin", 500_000);
        ClientPage page = await ClientPage.OpenAsync(context, site.Page);
        await page.ChooseAsync(file);
        await page.StartAsync("{ digest: true }");
        Assert.Equal(("digest-mismatch", 400, true), await page.GetFailureAsync());

        await page.Tab.EvaluateAsync("() => { upload.start(); }");
        Assert.Equal("completed", await page.GetKindAsync());
        site.AssertFinished(file);
    }

    [Fact]
    public async Task Page_of_another_origin_reads_limits_and_resumes()
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        await using ClientSite pages = await ClientSite.StartAsync();
        await using TestApp uploads = await TestApp.StartAsync(
            static options => options.MaxUploadSize = 10_000_000,
            builder => builder.Services.AddCors(cors => cors.AddDefaultPolicy(
                policy => policy.WithOrigins(pages.Page.GetLeftPart(UriPartial.Authority)).AllowCredentials().WithResumableUploads())),
            static app => app.UseCors());
        using var file = new SourceFile("far.bin", 9_000_000);
        using var large = new SourceFile("large.bin", 10_000_001);
        ClientPage page = await ClientPage.OpenAsync(context, pages.Page);
        string options = $"{{ url: '{new Uri(uploads.Address, "/upload")}', credentials: 'include', chunkSize: 4_000_000 }}";
        await page.ChooseAsync(large);
        await page.StartAsync(options);
        Assert.Equal(("too-large", null, false), await page.GetFailureAsync());

        await page.ChooseAsync(file);
        await page.StartAsync(options);
        Assert.Equal("completed", await page.GetKindAsync());
        Assert.Equal(file.Hash, Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(Assert.Single(uploads.Finished).Content)));
    }
}

[Collection<ChromiumCollection>]
public class CompletionInChromiumTests(Chromium browser) : CompletionTests(browser);

[Collection<FirefoxCollection>]
public class CompletionInFirefoxTests(Firefox browser) : CompletionTests(browser);
