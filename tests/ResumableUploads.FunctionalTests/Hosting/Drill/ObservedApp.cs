using System.Diagnostics.Metrics;
using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Metrics;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FunctionalTests.Hosting.Drill;

/// <summary>An app on Kestrel with all that its operator can see: metrics, log, health and the dashboard. Its disk and its sweep can fail, and its clock stands still.</summary>
internal sealed partial class ObservedApp : IAsyncDisposable
{
    private readonly LogList _storeLog;

    private ObservedApp(TestApp app, FaultyFiles files, SweptStore store, LogList storeLog, MetricLog metrics)
    {
        (App, Files, Store, _storeLog, Metrics) = (app, files, store, storeLog, metrics);
    }

    public TestApp App { get; }

    public HttpClient Client => App.Client;

    /// <summary>Gets the disk.</summary>
    public FaultyFiles Files { get; }

    public SweptStore Store { get; }

    public required FakeTimeProvider Time { get; init; }

    /// <summary>Gets the clock of the store, which stands still too.</summary>
    public required FakeTimeProvider StoreTime { get; init; }

    public MetricLog Metrics { get; }

    /// <summary>Gets the log, each line as <c>Level[event id] text</c>.</summary>
    public IEnumerable<string> Log =>
    [
        .. App.Log.Lines.Select(static line => Category().Replace(line, "[")),
        .. _storeLog.Lines.Select(static line => $"{line.Level}[{line.Id}] {line.Text}"),
    ];

    /// <param name="configure">Configures the uploads.</param>
    /// <param name="directory">A directory that another app shares.</param>
    public static async Task<ObservedApp> StartAsync(Action<ResumableUploadOptions>? configure = null, string? directory = null)
    {
        var files = new FaultyFiles();
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(56));
        var storeTime = new FakeTimeProvider(time.GetUtcNow());
        var storeLog = new LogList();
        var meters = new OwnMeterFactory();
        var metrics = new MetricLog(meters);
        SweptStore? store = null;
        void Configure(ResumableUploadOptions options)
        {
            options.Store = store;
            options.Owner = static _ => "client";

            // No lease ends while a test advances the clock.
            options.Handler.LeaseDuration = TimeSpan.FromHours(1);
            options.Handler.CompletionTimeout = TimeSpan.FromSeconds(1);
            configure?.Invoke(options);
        }

        TestApp app = await TestApp.StartAsync(
            options =>
            {
                store = new SweptStore(new FileSystemUploadStore(
                    new FileSystemUploadStoreOptions { Directory = Path.Combine(directory ?? options.Directory!, "store"), MaxThreads = 16 }, storeTime, storeLog, files));
                Configure(options);
            },
            builder =>
            {
                builder.Services.AddSingleton<TimeProvider>(time).AddSingleton<IMeterFactory>(_ => meters);
                builder.Services.AddAntiforgery();
                builder.Services.AddResumableUploads(Configure);
                builder.Services.AddHealthChecks().AddResumableUploads();
            },
            after: app =>
            {
                app.UseAntiforgery();
                app.MapPost("/form", static (IFormFile file) => file.Length).WithResumableUploads();
                app.MapGet("/token", static (HttpContext context, IAntiforgery antiforgery) => antiforgery.GetAndStoreTokens(context).RequestToken);
                app.MapResumableUploadsDashboard("/uploads", static options => options.AllowUnauthenticatedAccess = true);
            });
        return new ObservedApp(app, files, store!, storeLog, metrics) { Time = time, StoreTime = storeTime };
    }

    public async Task<HealthReportEntry> CheckAsync() => (await App.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Entries["resumable-uploads"];

    /// <summary>Waits until the measurements of an instrument have a sum. They can be recorded after the response is sent.</summary>
    public Task MeasuresAsync(double sum, string name, params (string Key, object? Value)[] tags) =>
        Eventually.TrueAsync(() => Metrics.Sum(name, tags) == sum, $"{name} is {sum}");

    /// <summary>Waits until the log has a number of lines with a beginning. They can be written after the response is sent.</summary>
    public Task LogsAsync(string beginning, int count = 1) =>
        Eventually.TrueAsync(() => Log.Count(line => line.StartsWith(beginning, StringComparison.Ordinal)) == count, $"the log has {count} lines '{beginning}'");

    /// <summary>Returns the text of the only row of the page.</summary>
    public async Task<string> GetRowAsync()
    {
        string page = await GetPageAsync();
        return Tag().Replace(Assert.Single(Row().Matches(page)).Value, " ");
    }

    /// <summary>Returns a number above the table of the page.</summary>
    public async Task<string> GetNumberAsync(string name) => Regex.Match(await GetPageAsync(), $"data-number=\"{name}\">([^<]*)<").Groups[1].Value;

    public async ValueTask DisposeAsync()
    {
        Metrics.Dispose();
        await App.DisposeAsync();
    }

    private async Task<string> GetPageAsync()
    {
        using HttpResponseMessage response = await Client.GetAsync("/uploads");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsStringAsync();
    }

    [GeneratedRegex(@" ResumableUploads[\w.]*\[")]
    private static partial Regex Category();

    [GeneratedRegex("<tr data-upload=.*?</tr>", RegexOptions.Singleline)]
    private static partial Regex Row();

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tag();
}

/// <summary>A store whose listing, and with it the sweep, can fail.</summary>
internal sealed class SweptStore(IUploadStore store) : DelegatingUploadStore(store)
{
    public Exception? Failure { get; set; }

    public override async IAsyncEnumerable<UploadInfo> ListAsync(
        UploadQuery query, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (Failure is { } failure)
        {
            throw failure;
        }

        await foreach (UploadInfo info in base.ListAsync(query, cancellationToken))
        {
            yield return info;
        }
    }
}
