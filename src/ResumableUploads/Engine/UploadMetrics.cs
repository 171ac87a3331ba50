using System.Diagnostics.Metrics;

namespace ResumableUploads.Engine;

/// <summary>The metrics of the engine, published by the meter <see cref="MeterName"/>.</summary>
internal sealed class UploadMetrics : IDisposable
{
    public const string MeterName = "ResumableUploads";

    private readonly Meter _meter;
    private readonly Counter<long> _created;
    private readonly Counter<long> _receivedBytes;
    private readonly Counter<long> _requests;
    private readonly UpDownCounter<int> _activeAppends;
    private readonly Counter<long> _deadLettered;
    private readonly Gauge<long> _lastSweep;

    public UploadMetrics(IMeterFactory? factory)
    {
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _created = _meter.CreateCounter<long>("resumable_uploads.created", "{upload}", "Number of uploads created.");
        _receivedBytes = _meter.CreateCounter<long>("resumable_uploads.received", "By", "Number of bytes stored.");
        _requests = _meter.CreateCounter<long>("resumable_uploads.requests", "{request}", "Number of append requests, by outcome.");
        _activeAppends = _meter.CreateUpDownCounter<int>("resumable_uploads.active_appends", "{request}", "Number of append requests in progress.");
        _lastSweep = _meter.CreateGauge<long>("resumable_uploads.last_sweep", "s", "Time at which the last successful sweep ended, in seconds since 1970, by endpoint.");
        _deadLettered = _meter.CreateCounter<long>("resumable_uploads.parked", "{upload}", "Number of uploads dead-lettered because their completion handler failed too often.");
    }

    public void UploadCreated() => _created.Add(1);

    public void AppendStarted() => _activeAppends.Add(1);

    public void AppendFinished(long bytes)
    {
        _activeAppends.Add(-1);
        _receivedBytes.Add(bytes);
    }

    public void RequestFinished(UploadResultKind kind) => _requests.Add(1, new KeyValuePair<string, object?>("outcome", kind.ToString()));

    public void DeadLettered() => _deadLettered.Add(1);

    public void SweepSucceeded(string engineName, DateTimeOffset time) => _lastSweep.Record(
        time.ToUnixTimeSeconds(), new KeyValuePair<string, object?>("endpoint", string.Join(' ', engineName.Split('\0', StringSplitOptions.RemoveEmptyEntries))));

    public void Dispose() => _meter.Dispose();
}
