using System.Text.Json;
using Microsoft.Playwright;

namespace ResumableUploads.FunctionalTests.Clients.BrowserClient;

/// <summary>A browser tab with the browser client, and one upload or one queue.</summary>
internal sealed class ClientPage
{
    /// <summary>A rate, in bytes per second, at which a page reaches an offset in the middle of tens of megabytes soon.</summary>
    public const int Slow = 3_000_000;

    /// <summary>A rate, in bytes per second, at which no upload ends while a test acts, even on a busy machine.</summary>
    public const int AlmostStopped = 50_000;

    /// <summary>Loads the client and records the states and offsets of an upload.</summary>
    private const string Script =
        """
        async () => {
          if (!document.getElementById('files')) {
            document.body.innerHTML = '<input type=file id=files multiple><input type=file id=folder webkitdirectory>';
          }

          window.client = await import('/_content/ResumableUploads/resumable-uploads.js');
          window.observe = upload => {
            window.upload = upload;
            window.states = [];
            window.offsets = [];
            upload.addEventListener('statechange', () => window.states.push(upload.state));
            upload.addEventListener('progress', () => window.offsets.push(upload.offset));
            return upload;
          };
        }
        """;

    private ClientPage(IPage tab) => Tab = tab;

    public IPage Tab { get; }

    public static async Task<ClientPage> OpenAsync(IBrowserContext context, Uri address)
    {
        IPage tab = await context.NewPageAsync();
        var page = new ClientPage(tab);
        await tab.GotoAsync(address.ToString());
        await page.LoadAsync();
        return page;
    }

    /// <summary>Loads the client again after the page was reloaded.</summary>
    public Task LoadAsync() => Tab.EvaluateAsync(Script);

    public Task ChooseAsync(params SourceFile[] files) => Tab.Locator("#files").SetInputFilesAsync(files.Select(static file => file.Path));

    /// <summary>Starts the upload of the first chosen file.</summary>
    public Task StartAsync(string options = "{}") => Tab.EvaluateAsync(
        $$"""() => { observe(new client.ResumableUpload(document.getElementById('files').files[0], { url: '/upload', ...{{options}} })).start(); }""");

    /// <summary>Waits until the upload has a state, which can be a short one, or fails.</summary>
    public async Task WaitForStateAsync(string state)
    {
        IJSHandle seen = await Tab.WaitForFunctionAsync("state => upload.state === state ? state : upload.state === 'failed' && JSON.stringify(upload.failure)", state);
        Assert.Equal(state, await seen.JsonValueAsync<string>());
    }

    public Task WaitForOffsetAsync(long offset) => Tab.WaitForFunctionAsync("offset => upload.offset > offset && upload.state === 'uploading'", offset);

    public Task<string> GetStateAsync() => Tab.EvaluateAsync<string>("upload.state === 'failed' ? `failed: ${JSON.stringify(upload.failure)}` : upload.state");

    /// <summary>Waits until the upload fails, and returns the reason and the status.</summary>
    public async Task<(string Reason, int? Status, bool CanRetry)> GetFailureAsync()
    {
        await Tab.WaitForFunctionAsync("upload.state === 'failed' || upload.state === 'completed'");
        JsonElement failure = (await Tab.EvaluateAsync("upload.failure ?? { reason: upload.state, canRetry: false }"))!.Value;
        return (failure.GetProperty("reason").GetString()!, failure.TryGetProperty("status", out JsonElement status) ? status.GetInt32() : null, failure.GetProperty("canRetry").GetBoolean());
    }

    public async Task<string> GetKindAsync()
    {
        await WaitForStateAsync("completed");
        return await Tab.EvaluateAsync<string>("upload.result.kind");
    }
}
