using System.Diagnostics.Metrics;

namespace ResumableUploads.Engine;

/// <summary>What is counted, under the meter <see cref="MeterName"/>.</summary>
internal sealed class UploadMetrics : IDisposable
{
    public const string MeterName = "ResumableUploads";

    private readonly Meter _meter;
    private readonly Counter<long> _created;
    private readonly Counter<long> _receivedBytes;
    private readonly Counter<long> _requests;
    private readonly UpDownCounter<int> _activeAppends;
    private readonly Counter<long> _deadLettered;

    public UploadMetrics(IMeterFactory? factory)
    {
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _created = _meter.CreateCounter<long>("resumable_uploads.created", "{upload}", "Uploads that were begun.");
        _receivedBytes = _meter.CreateCounter<long>("resumable_uploads.received", "By", "Bytes that were stored.");
        _requests = _meter.CreateCounter<long>("resumable_uploads.requests", "{request}", "Append requests by the way they ended.");
        _activeAppends = _meter.CreateUpDownCounter<int>("resumable_uploads.active_appends", "{request}", "Append requests that run now.");
        _deadLettered = _meter.CreateCounter<long>("resumable_uploads.parked", "{upload}", "Uploads whose handler failed as often as it may.");
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

    public void Dispose() => _meter.Dispose();
}
