namespace ResumableUploads.FunctionalTests.Clients.DotNet;

/// <summary>A clock that advances with each look at it, so that no progress report is omitted.</summary>
internal sealed class TickingTimeProvider : TimeProvider
{
    private long _ticks;

    public override long GetTimestamp() => Interlocked.Add(ref _ticks, TimestampFrequency);
}
