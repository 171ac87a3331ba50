using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Engine;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Engine;

public class UploadMetricsTests
{
    /// <summary>One listener for all metrics of an app, over one upload that is created, appended to, completed and replayed, and one whose handler fails.</summary>
    [Fact]
    public async Task Every_metric_counts_what_its_name_says()
    {
        object? factory = null;
        var sums = new Dictionary<string, long>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == UploadMetrics.MeterName)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        void Add(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (factory is null || !ReferenceEquals(instrument.Meter.Scope, factory))
            {
                return;
            }

            string name = tags.IsEmpty ? instrument.Name : $"{instrument.Name} {tags[0].Value}";
            lock (sums)
            {
                sums[name] = sums.GetValueOrDefault(name) + value;
                if (instrument.Name == "resumable_uploads.active_appends" && value > 0)
                {
                    sums["started"] = sums.GetValueOrDefault("started") + value;
                }
            }
        }

        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.Start();
        await using (TestApp app = await TestApp.StartAsync(
            static options =>
            {
                options.Handler.MaxAttempts = 1;
                options.OnCompleted = static (upload, _) => upload.Size == 7 ? throw new InvalidOperationException("fails") : Task.CompletedTask;
            },
            after: app => factory = app.Services.GetRequiredService<IMeterFactory>(),
            onTestHost: true))
        {
            using HttpResponseMessage first = await app.Client.AppendAsync("f", 0, new byte[4], 10);
            using HttpResponseMessage last = await app.Client.AppendAsync("f", 4, new byte[6], 10);
            using HttpResponseMessage replay = await app.Client.AppendAsync("f", 10, [], 10);
            using HttpResponseMessage stale = await app.Client.AppendAsync("f", 3, [], 10);
            using HttpResponseMessage failing = await app.Client.AppendAsync("g", 0, new byte[7], 7);
            Assert.Equal((200, 200, 200, 409, 503), ((int)first.StatusCode, (int)last.StatusCode, (int)replay.StatusCode, (int)stale.StatusCode, (int)failing.StatusCode));
        }

        // The clock of the last sweep depends on the time of the test.
        lock (sums)
        {
            Assert.Equal(
                [
                    "resumable_uploads.active_appends 0", "resumable_uploads.created 2", "resumable_uploads.parked 1", "resumable_uploads.received 17",
                    "resumable_uploads.requests Appended 1", "resumable_uploads.requests Completed 1", "resumable_uploads.requests HandlerFailed 1",
                    "resumable_uploads.requests OffsetMismatch 1", "resumable_uploads.requests Replayed 1",
                ],
                sums.Where(static sum => sum.Key != "started" && !sum.Key.Contains("last_sweep", StringComparison.Ordinal)).Select(static sum => $"{sum.Key} {sum.Value}").Order(StringComparer.Ordinal));
            Assert.InRange(sums["started"], 2, 3);
        }
    }

    [Fact]
    public void Dispose_ends_the_instruments_of_the_meter()
    {
        var published = new List<Instrument>();
        var completed = new List<Instrument>();
        using var listener = new MeterListener();
        var metrics = default(UploadMetrics);
        listener.InstrumentPublished = (instrument, listener) =>
        {
            // Only the meter that this thread creates below.
            if (instrument.Meter.Name == UploadMetrics.MeterName && instrument.Meter.Scope is null && metrics is null && Environment.CurrentManagedThreadId == _thread)
            {
                published.Add(instrument);
                listener.EnableMeasurementEvents(instrument);
            }
        };
        listener.MeasurementsCompleted = (instrument, _) => completed.Add(instrument);
        listener.Start();
        published.Clear();
        _thread = Environment.CurrentManagedThreadId;
        metrics = new UploadMetrics(null);
        Assert.NotEmpty(published);
        metrics.Dispose();
        Assert.Superset(published.ToHashSet(), completed.ToHashSet());
    }

    private int _thread = -1;
}
