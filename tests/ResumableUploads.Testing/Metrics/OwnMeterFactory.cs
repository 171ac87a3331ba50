using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace ResumableUploads.Testing.Metrics;

/// <summary>Creates meters that a test recognizes by their scope.</summary>
public sealed class OwnMeterFactory : IMeterFactory
{
    private readonly ConcurrentQueue<Meter> _meters = new();

    public Meter Create(MeterOptions options)
    {
        options.Scope = this;
        var meter = new Meter(options);
        _meters.Enqueue(meter);
        return meter;
    }

    public void Dispose()
    {
        foreach (Meter meter in _meters)
        {
            meter.Dispose();
        }
    }
}
