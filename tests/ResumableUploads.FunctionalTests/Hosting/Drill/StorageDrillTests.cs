using Microsoft.Extensions.Diagnostics.HealthChecks;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FunctionalTests.Hosting.Drill;

/// <summary>What an operator sees of each fault of the storage and of the background work: the metric, the log, the health status and the page.</summary>
public class StorageDrillTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData(28, "full", 507, "Error[208] The store failed (Full)", "SweptStore is full: injected. Uploads fail. Check the storage.")]
    [InlineData(30, "read_only", 503, "Error[208] The store failed (ReadOnly)", "SweptStore cannot be written: injected. Uploads fail. Check the storage.")]
    public async Task Disk_that_is_full_or_read_only(int error, string errorType, int status, string line, string health)
    {
        await using ObservedApp app = await ObservedApp.StartAsync();
        (await app.Client.AppendAsync("f", 0, new byte[3], 6)).Dispose();
        app.Files.Before = (step, path) => _ = step == "write" ? throw FaultyFiles.Error(error) : 0;

        using HttpResponseMessage response = await app.Client.AppendAsync("f", 3, new byte[3], 6);

        Assert.Equal(status, (int)response.StatusCode);
        await Eventually.TrueAsync(() => app.Metrics.Count("resumable_uploads.store.operation.duration", ("resumable_uploads.store.operation", "append"), ("error.type", errorType)) == 1, "the duration is measured");
        await app.LogsAsync(line);
        app.Time.Advance(TimeSpan.FromSeconds(5));
        HealthReportEntry entry = await app.CheckAsync();
        Assert.Equal((HealthStatus.Unhealthy, health), (entry.Status, entry.Description));
        Assert.Contains("3 B of 6 B", await app.GetRowAsync(), StringComparison.Ordinal);
        await app.MeasuresAsync(1, "resumable_uploads.refusals", ("http.response.status_code", status));
        Assert.Equal("1", await app.GetNumberAsync("refusals"));
    }

    [Fact]
    public async Task Disk_that_is_slow()
    {
        using var release = new ManualResetEventSlim();
        await using ObservedApp app = await ObservedApp.StartAsync();
        (await app.Client.AppendAsync("f", 0, new byte[3], 6)).Dispose();
        app.Files.Before = (step, path) => _ = step == "sync" && !path.Contains("probe-", StringComparison.Ordinal) && release.Wait(Timeout);
        List<Task<HttpResponseMessage>> appends = [app.Client.AppendAsync("f", 3, new byte[3], 6)];
        try
        {
            await Eventually.TrueAsync(async () => (await app.GetRowAsync()).Contains("Receiving bytes", StringComparison.Ordinal), "the page shows the append");
            Assert.Equal("1", await app.GetNumberAsync("appends"));

            // More than the threads of an owner.
            appends.AddRange(Enumerable.Range(0, 8).Select(i => app.Client.AppendAsync($"g{i}", 0, new byte[3], 6)));
            HealthReportEntry entry = default;
            await Eventually.TrueAsync(
                async () => (entry = await app.CheckAsync()).Status == HealthStatus.Degraded, "the check fails", () => app.StoreTime.Advance(TimeSpan.FromSeconds(10)));
            Assert.Contains("An operation of SweptStore has waited", entry.Description, StringComparison.Ordinal);
            app.StoreTime.Advance(TimeSpan.FromMinutes(2));
        }
        finally
        {
            release.Set();
        }

        Assert.All(await Task.WhenAll(appends), static response =>
        {
            Assert.True(response.IsSuccessStatusCode);
            response.Dispose();
        });
        await Eventually.TrueAsync(() => app.Metrics.Measurements.Any(static one => one is { Instrument.Name: "resumable_uploads.disk.sync.duration", Value: >= 120 }), "the duration is measured");
        await Eventually.TrueAsync(() => app.Log.Any(static line => line.StartsWith("Warning[114] The disk of the upload directory", StringComparison.Ordinal)), "the log names the fault");
    }

    [Fact]
    public async Task Sweeper_that_is_dead()
    {
        await using ObservedApp app = await ObservedApp.StartAsync();
        (await app.Client.AppendAsync("f", 0, new byte[3], 6)).Dispose();
        await Eventually.TrueAsync(async () => (await app.CheckAsync()).Data["SweptStore.lastSuccessfulSweep"] is DateTimeOffset, "a sweep has succeeded");
        app.Store.Failure = new IOException("injected");
        HealthReportEntry entry = default;

        await Eventually.TrueAsync(
            async () => (entry = await app.CheckAsync()).Data["SweptStore.consecutiveFailures"] is >= 3, "three sweeps have failed", () => app.Time.Advance(TimeSpan.FromMinutes(1)));

        Assert.Equal(HealthStatus.Degraded, entry.Status);
        Assert.Same(app.Store.Failure, entry.Exception);
        await Eventually.TrueAsync(() => app.Log.Any(static line => line.StartsWith("Error[213] The sweep for expired uploads failed.", StringComparison.Ordinal)), "the log names the fault");
        app.Metrics.Observe();
        double last = app.Metrics.Measurements.Last(static one => one.Instrument.Name == "resumable_uploads.store.last_sweep").Value;
        Assert.InRange(app.Time.GetUtcNow().ToUnixTimeSeconds() - last, 180, double.MaxValue);
        app.Store.Failure = null;
        Assert.Matches("^[0-9]+ (min|h|d) ago$", await app.GetNumberAsync("store-0-sweep"));
    }

    [Fact]
    public async Task Lease_of_another_node()
    {
        string directory = Directory.CreateTempSubdirectory("drill-").FullName;
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await using ObservedApp other = await ObservedApp.StartAsync(
                options => options.OnCompleted = async (_, _) =>
                {
                    entered.TrySetResult();
                    await release.Task;
                },
                directory);
            await using ObservedApp app = await ObservedApp.StartAsync(directory: directory);
            Task<HttpResponseMessage> running = other.Client.AppendAsync("f", 0, new byte[6], 6);
            await Eventually.WithinAsync(entered.Task);

            Task<HttpResponseMessage> asked = app.Client.AppendAsync("f", 6, [], 6);
            await Eventually.TrueAsync(() => asked.IsCompleted, "the client is asked to wait", () => app.Time.Advance(TimeSpan.FromSeconds(1)));

            using HttpResponseMessage response = await asked;
            await response.ProblemAsync(503, "urn:resumable-uploads:still-completing");
            await app.MeasuresAsync(1, "resumable_uploads.refusals", ("error.type", "still-completing"));
            await app.LogsAsync("Information[308] A request was refused with 503 (still-completing)");
            Assert.Equal(HealthStatus.Healthy, (await app.CheckAsync()).Status);
            Assert.Contains("The handler is running", await app.GetRowAsync(), StringComparison.Ordinal);
            release.SetResult();
            (await running).Dispose();
        }
        finally
        {
            release.TrySetResult();
            await TemporaryDirectory.DeleteAsync(directory);
        }
    }
}
