using Microsoft.Playwright;
using ResumableUploads.Abstractions;
using ResumableUploads.FunctionalTests.Clients.Browser;
using ResumableUploads.FunctionalTests.Clients.Concurrent;
using ResumableUploads.FunctionalTests.Connections;
using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Clients.BrowserClient;

/// <summary>Uploads that are interrupted and continue without the user.</summary>
public abstract class RecoveryTests(InstalledBrowser browser)
{
    [Fact]
    public async Task Upload_of_200_MB_completes_although_server_is_killed_three_times()
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        await using SampleHostProcess host = await SampleHostProcess.StartAsync();
        await using var line = new ThrottledLine(host.Address);
        using var file = new SourceFile("film (1).mp4", 200_000_000);
        ClientPage page = await ClientPage.OpenAsync(context, new Uri(line.Address, "/files"));
        await page.ChooseAsync(file);
        line.Rate = 20_000_000;
        await page.StartAsync();
        for (int i = 1; i <= 3; i++)
        {
            await page.WaitForOffsetAsync(i * 30_000_000);
            await host.KillAsync();
            await page.WaitForStateAsync("waiting");
            await host.RestartAsync();
        }

        line.Rate = null;
        Assert.Equal("completed", await page.GetKindAsync());
        await file.AssertArrivedAloneAsync(host);
    }

    [Fact]
    public async Task Upload_waits_while_browser_is_offline_and_continues_when_online()
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        await using ClientSite site = await ClientSite.StartAsync();
        await using var proxy = new InterruptibleProxy(site.Line.Address);
        using var file = new SourceFile("train.mov", 30_000_000);
        ClientPage page = await ClientPage.OpenAsync(context, new Uri(proxy.Address, "/client"));
        await page.ChooseAsync(file);
        site.Line.Rate = ClientPage.Slow;
        await page.StartAsync();
        await page.WaitForOffsetAsync(5_000_000);
        site.Line.Rate = ClientPage.AlmostStopped;

        await context.SetOfflineAsync(true);
        proxy.Interrupt();
        await page.WaitForStateAsync("waiting");
        Assert.Equal("network", await page.Tab.EvaluateAsync<string>("upload.failure.reason"));
        site.Line.Rate = null;
        proxy.Restore();
        int requests = site.Counts.Requests.Count;
        await context.SetOfflineAsync(false);

        Assert.Equal("completed", await page.GetKindAsync());
        Assert.True(site.Counts.Requests.Count > requests);
        site.AssertFinished(file);
    }

    /// <summary>In Safari 26, a request with a part of a file sometimes ends neither with a progress event nor with an end event.</summary>
    [Theory]
    [InlineData("before the body")]
    [InlineData("within the body")]
    [InlineData("after the body")]
    public async Task Request_that_hangs_is_replaced(string moment)
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        await context.AddInitScriptAsync(
            $$"""
            const { send } = XMLHttpRequest.prototype;
            XMLHttpRequest.prototype.send = function (body) {
              if (body.size < 1_000_000 || window.hung) {
                send.call(this, body);
                return;
              }

              window.hung = '{{moment}}';
              for (const [target, name] of [[this, 'onload'], [this, 'onerror'], [this, 'onloadend'], [this.upload, 'onload']]) {
                target[name] = null;
              }

              if (window.hung !== 'after the body') {
                const report = this.upload.onprogress;
                this.upload.onprogress = window.hung === 'within the body' ? event => event.loaded < body.size && report(event) : null;
              }

              if (window.hung !== 'before the body') {
                send.call(this, window.hung === 'within the body' ? body.slice(0, body.size / 2) : body);
              }
            };
            """);
        await using ClientSite site = await ClientSite.StartAsync();
        using var file = new SourceFile("hangs.bin", 5_000_000);
        ClientPage page = await ClientPage.OpenAsync(context, site.Page);
        await page.ChooseAsync(file);
        await page.StartAsync("{ stallTimeout: 3000 }");

        Assert.Equal("completed", await page.GetKindAsync());
        Assert.Equal(moment, await page.Tab.EvaluateAsync<string>("window.hung"));
        site.AssertFinished(file);
    }

    [Fact]
    public async Task Handler_that_runs_longer_than_all_retries_is_not_interrupted()
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        var handler = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int runs = 0;
        await using ClientSite site = await ClientSite.StartAsync(options =>
        {
            Func<CompletedUpload, CancellationToken, Task> store = options.OnCompleted!;
            options.OnCompleted = async (upload, cancellationToken) =>
            {
                Interlocked.Increment(ref runs);
                await handler.Task.WaitAsync(cancellationToken);
                await store(upload, cancellationToken);
            };
        });
        using var file = new SourceFile("slow handler.bin", 3_000_000);
        ClientPage page = await ClientPage.OpenAsync(context, site.Page);
        await page.ChooseAsync(file);
        await page.StartAsync("{ stallTimeout: 4000, maxRetries: 2 }");

        // An empty request, the content, and empty requests for the response of the handler.
        await Eventually.TrueAsync(() => site.Counts.Of("POST") >= 6, "the client has requested the response four times");
        Assert.Equal(3_000_000, await page.Tab.EvaluateAsync<long>("upload.offset"));
        handler.SetResult();

        Assert.Equal("completed", await page.GetKindAsync());
        Assert.Equal(1, runs);
        site.AssertFinished(file);
    }

    [Fact]
    public async Task Full_disk_is_waited_for_and_upload_continues_when_space_is_freed()
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        var setup = new WatchedStoreSetup(null, null);
        await using ClientSite site = await ClientSite.StartAsync(setup.Configure);
        setup.Store.AfterRead = static () => throw new UploadStoreException(StoreFailure.Full, "The disk is full.");
        using var file = new SourceFile("large.bin", 10_000_000);
        ClientPage page = await ClientPage.OpenAsync(context, site.Page);
        await page.ChooseAsync(file);
        await page.StartAsync();
        await page.WaitForStateAsync("waiting");
        Assert.Equal("server-full", await page.Tab.EvaluateAsync<string>("upload.failure.reason"));
        Assert.InRange(await page.Tab.EvaluateAsync<double>("upload.retryAt - Date.now()"), 1, 30_000);

        setup.Store.AfterRead = null;
        // In state waiting, start() ends the delay.
        await page.Tab.EvaluateAsync("() => { upload.start(); }");
        Assert.Equal("completed", await page.GetKindAsync());
        site.AssertFinished(file);
    }
}

[Collection<ChromiumCollection>]
public class RecoveryInChromiumTests(Chromium browser) : RecoveryTests(browser);

[Collection<FirefoxCollection>]
public class RecoveryInFirefoxTests(Firefox browser) : RecoveryTests(browser);
