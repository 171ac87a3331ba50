using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Diagnostics;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Metrics;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Engine.Diagnostics;

public sealed class UploadMetricsTests : IDisposable
{
    private static readonly (string, object?)[] FileId = [("resumable_uploads.protocol", "file-id"), ("http.route", "/upload")];
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly OwnMeterFactory _meters = new();
    private readonly MetricLog _metrics;

    public UploadMetricsTests() => _metrics = new MetricLog(_meters);

    public void Dispose()
    {
        _metrics.Dispose();
        _meters.Dispose();
    }

    /// <summary>One listener for all metrics of an app, over uploads that are completed, replayed, refused, failed, canceled and expired.</summary>
    [Fact]
    public async Task Every_metric_counts_what_its_name_says()
    {
        await using TestApp app = await StartAsync(new MemoryUploadStore(timeProvider: _time));
        using HttpResponseMessage first = await app.Client.AppendAsync("f", 0, new byte[4], 10);
        _time.Advance(TimeSpan.FromSeconds(5));
        using HttpResponseMessage last = await app.Client.AppendAsync("f", 4, new byte[6], 10);
        using HttpResponseMessage replay = await app.Client.AppendAsync("f", 10, [], 10);
        using HttpResponseMessage stale = await app.Client.AppendAsync("f", 3, [], 10);
        using HttpResponseMessage failing = await app.Client.AppendAsync("g", 0, new byte[7], 7);
        using HttpResponseMessage wrong = await app.Client.AppendAsync("h", 0, new byte[3], 9, ("Content-Digest", "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"));
        using HttpResponseMessage begun = await app.Client.AppendAsync("h", 0, new byte[3], 9);
        using HttpResponseMessage canceled = await app.Client.DeleteUploadAsync("h");
        using HttpResponseMessage expiring = await app.Client.AppendAsync("i", 0, new byte[3], 9);
        Assert.Equal(
            [200, 200, 200, 409, 503, 400, 200, 204, 200],
            new[] { first, last, replay, stale, failing, wrong, begun, canceled, expiring }.Select(static response => (int)response.StatusCode));
        await Eventually.TrueAsync(() => _metrics.Count("resumable_uploads.upload.expired", [.. FileId, ("resumable_uploads.upload.state", "receiving")]) == 1, "the upload expires", () => _time.Advance(TimeSpan.FromHours(1)));

        foreach ((string name, double sum) in new (string, double)[]
        {
            ("upload.created", 5), ("upload.received", 2), ("upload.completed", 1), ("upload.failed", 1), ("upload.dead_lettered", 1), ("upload.canceled", 1),
            ("upload.duration", 5), ("active_appends", 0), ("append.io", 23), ("append.size", 23), ("handler.attempts", 2),
            ("refusals", 3), ("digest_mismatches", 1), ("replayed_responses", 1), ("preemptions", 0),
        })
        {
            Assert.Equal((name, sum), (name, _metrics.Sum("resumable_uploads." + name, FileId)));
        }

        foreach ((string outcome, int count) in new[] { ("completed", 1), ("appended", 3), ("replayed", 1), ("offset_mismatch", 1), ("handler_failed", 1), ("digest_mismatch", 1) })
        {
            Assert.Equal((outcome, count), (outcome, _metrics.Count("resumable_uploads.append.duration", [.. FileId, ("resumable_uploads.outcome", outcome)])));
        }

        Assert.Equal(1, _metrics.Count("resumable_uploads.refusals", [.. FileId, ("error.type", "mismatching-upload-offset"), ("http.response.status_code", 409)]));
        Assert.Equal(1, _metrics.Count("resumable_uploads.refusals", [.. FileId, ("error.type", "digest-mismatch"), ("http.response.status_code", 400)]));
        Assert.Equal(1, _metrics.Count("resumable_uploads.handler.duration", ("resumable_uploads.outcome", "completed")));
        Assert.Equal(1, _metrics.Count("resumable_uploads.handler.duration", ("resumable_uploads.outcome", "failed")));
        Assert.Equal(1, _metrics.Count("resumable_uploads.upload.failed", ("error.type", "handler")));
        Assert.Equal(12, _metrics.Count("resumable_uploads.active_appends"));
        Assert.NotEqual(0, _metrics.Count("resumable_uploads.store.operation.duration", ("resumable_uploads.store.operation", "append")));
    }

    [Fact]
    public async Task Gauges_of_store_show_what_the_last_sweep_has_found()
    {
        await using TestApp app = await StartAsync();
        using HttpResponseMessage receiving = await app.Client.AppendAsync("f", 0, new byte[4], 10);
        using HttpResponseMessage failing = await app.Client.AppendAsync("g", 0, new byte[7], 7);
        using HttpResponseMessage completed = await app.Client.AppendAsync("h", 0, new byte[5], 5);
        (string, object?) store = ("resumable_uploads.store", "FileSystemUploadStore");
        (string, object?) State(string name) => ("resumable_uploads.upload.state", name);
        int swept = 0;
        await Eventually.TrueAsync(
            () =>
            {
                swept = _metrics.Measurements.Count;
                _metrics.Observe();
                return _metrics.Measurements.Skip(swept).Any(static one => one.Instrument.Name == "resumable_uploads.store.size" && one.Value == 16);
            },
            "the sweep has found the uploads",
            () => _time.Advance(TimeSpan.FromMinutes(1)));
        double Last(string name, params (string Key, object? Value)[] tags) => _metrics.Measurements.Skip(swept)
            .Single(one => one.Instrument.Name == "resumable_uploads.store." + name && tags.All(tag => Equals(one.Tags[tag.Key], tag.Value))).Value;
        Assert.Equal((1, 0, 1, 1), (Last("uploads", store, State("receiving")), Last("uploads", store, State("received")), Last("uploads", store, State("completed")), Last("uploads", store, State("dead_lettered"))));
        Assert.InRange(Last("free_space", store), 1, double.MaxValue);
        Assert.InRange(Last("last_sweep", store), _time.GetUtcNow().AddHours(-1).ToUnixTimeSeconds(), _time.GetUtcNow().ToUnixTimeSeconds());
    }

    [Fact]
    public void Metrics_without_listener_allocate_nothing()
    {
        using var metrics = new UploadMetrics(new OwnMeterFactory());
        var origin = new UploadOrigin("test", "/upload");
        RecordAll(metrics, origin);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            RecordAll(metrics, origin);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Metrics_with_listener_allocate_nothing_for_a_request()
    {
        var factory = new OwnMeterFactory();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope == factory)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        long count = 0;
        listener.SetMeasurementEventCallback<long>((_, _, _, _) => count++);
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => count++);
        listener.Start();
        using var metrics = new UploadMetrics(factory);
        var origin = new UploadOrigin("test", "/upload");
        void Record()
        {
            metrics.AppendFinished(origin, metrics.AppendStarted(origin), 10);
            metrics.RequestFinished(origin, UploadResultKind.Appended, TimeSpan.FromSeconds(1));
        }

        Record();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            Record();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(1001 * 5, count);
    }

    [Fact]
    public void Dispose_ends_the_instruments_of_the_meter()
    {
        var factory = new OwnMeterFactory();
        var published = new HashSet<Instrument>();
        var completed = new HashSet<Instrument>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope == factory)
            {
                published.Add(instrument);
                listener.EnableMeasurementEvents(instrument);
            }
        };
        listener.MeasurementsCompleted = (instrument, _) => completed.Add(instrument);
        listener.Start();
        var metrics = new UploadMetrics(factory);
        Assert.NotEmpty(published);
        metrics.Dispose();
        Assert.Superset(published, completed);
    }

    /// <summary>Records each kind of measurement.</summary>
    internal static void RecordAll(UploadMetrics metrics, UploadOrigin origin)
    {
        metrics.UploadCreated(origin);
        metrics.UploadReceived(origin);
        metrics.UploadCompleted(origin, TimeSpan.FromSeconds(1), 1);
        metrics.UploadFailed(origin, "handler");
        metrics.UploadDeadLettered(origin, 3);
        metrics.UploadExpired(origin, ResumableUploads.Abstractions.UploadState.Receiving);
        metrics.UploadCanceled(origin);
        metrics.AppendFinished(origin, metrics.AppendStarted(origin), 10);
        metrics.RequestFinished(origin, UploadResultKind.Preempted, TimeSpan.FromSeconds(1));
        metrics.RequestFinished(origin, UploadResultKind.Replayed, TimeSpan.FromSeconds(1));
        metrics.RequestFinished(origin, UploadResultKind.DigestMismatch, TimeSpan.FromSeconds(1));
        metrics.RequestRefused(origin, "busy", 503);
        metrics.HandlerFinished(origin, "completed", TimeSpan.FromSeconds(1));
        metrics.StoreOperationFinished("get", TimeSpan.FromSeconds(1), null);
        metrics.StoreOperationFinished("get", TimeSpan.FromSeconds(1), ResumableUploads.Abstractions.StoreFailure.Full);
    }

    private Task<TestApp> StartAsync(MemoryUploadStore? store = null) => TestApp.StartAsync(
        options =>
        {
            options.Store = store;
            options.Handler.MaxAttempts = 1;
            options.OnCompleted = static (upload, _) => upload.Size == 7 ? throw new InvalidOperationException("fails") : Task.CompletedTask;
        },
        builder => builder.Services.AddSingleton<TimeProvider>(_time).AddSingleton<IMeterFactory>(_meters),
        onTestHost: true);
}
