using System.Diagnostics.Metrics;

namespace ResumableUploads.Engine;

/// <summary>What is counted, under the meter <see cref="MeterName"/>.</summary>
internal sealed class UploadMetrics : IDisposable
{
    public const string MeterName = "ResumableUploads";

    private readonly Meter _meter;
    private readonly Counter<long> _created;
    private readonly Counter<long> _bytes;
    private readonly Counter<long> _ended;
    private readonly UpDownCounter<int> _appends;
    private readonly Counter<long> _parked;

    public UploadMetrics(IMeterFactory? factory)
    {
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _created = _meter.CreateCounter<long>("resumable_uploads.created", "{upload}", "Uploads that were begun.");
        _bytes = _meter.CreateCounter<long>("resumable_uploads.received", "By", "Bytes that were stored.");
        _ended = _meter.CreateCounter<long>("resumable_uploads.requests", "{request}", "Append requests by the way they ended.");
        _appends = _meter.CreateUpDownCounter<int>("resumable_uploads.active_appends", "{request}", "Append requests that run now.");
        _parked = _meter.CreateCounter<long>("resumable_uploads.parked", "{upload}", "Uploads whose handler failed as often as it may.");
    }

    public void Created() => _created.Add(1);

    public void AppendBegins() => _appends.Add(1);

    public void AppendEnds(long bytes)
    {
        _appends.Add(-1);
        _bytes.Add(bytes);
    }

    public void Ended(OutcomeKind kind) => _ended.Add(1, new KeyValuePair<string, object?>("outcome", kind.ToString()));

    public void Parked() => _parked.Add(1);

    public void Dispose() => _meter.Dispose();
}
