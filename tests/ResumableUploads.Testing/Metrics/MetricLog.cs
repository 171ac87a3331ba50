using System.Diagnostics.Metrics;
using System.Globalization;

namespace ResumableUploads.Testing.Metrics;

/// <summary>Collects the measurements of the meters of one app, and those of the disks, whose meter is one for the process.</summary>
public sealed class MetricLog : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Lock _lock = new();
    private readonly List<Measured> _measurements = [];
    private readonly HashSet<Instrument> _instruments = [];

    /// <param name="meters">Creates the meters of the app. Other apps of the process have another one, so that their measurements do not count.</param>
    public MetricLog(IMeterFactory meters)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == ResumableUploadsDiagnostics.MeterName && (instrument.Meter.Scope == meters || instrument.Name.StartsWith("resumable_uploads.disk.", StringComparison.Ordinal)))
            {
                lock (_lock)
                {
                    _instruments.Add(instrument);
                }

                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();
    }

    public IReadOnlyList<Instrument> Instruments
    {
        get
        {
            lock (_lock)
            {
                return [.. _instruments];
            }
        }
    }

    public IReadOnlyList<Measured> Measurements
    {
        get
        {
            lock (_lock)
            {
                return [.. _measurements];
            }
        }
    }

    /// <summary>Reads the gauges.</summary>
    public void Observe() => _listener.RecordObservableInstruments();

    /// <summary>Returns the sum of the measurements of an instrument that have the given values of attributes.</summary>
    public double Sum(string name, params (string Key, object? Value)[] tags) => Find(name, tags).Sum(static one => one.Value);

    /// <summary>Returns the number of the measurements of an instrument that have the given values of attributes.</summary>
    public int Count(string name, params (string Key, object? Value)[] tags) => Find(name, tags).Count();

    public void Dispose() => _listener.Dispose();

    private IEnumerable<Measured> Find(string name, (string Key, object? Value)[] tags) => Measurements.Where(
        one => one.Instrument.Name == name && tags.All(tag => one.Tags.TryGetValue(tag.Key, out object? value) && Equals(value, tag.Value)));

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var copy = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach ((string key, object? tag) in tags)
        {
            copy.Add(key, tag);
        }

        lock (_lock)
        {
            _measurements.Add(new Measured(instrument, value, copy));
        }
    }

    /// <summary>One measurement.</summary>
    public sealed record Measured(Instrument Instrument, double Value, IReadOnlyDictionary<string, object?> Tags)
    {
        public override string ToString() => $"{Instrument.Name} {Value.ToString(CultureInfo.InvariantCulture)} {string.Join(' ', Tags)}";
    }
}
