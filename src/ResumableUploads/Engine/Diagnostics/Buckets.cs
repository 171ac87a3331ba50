using System.Diagnostics.Metrics;

namespace ResumableUploads.Engine.Diagnostics;

/// <summary>The boundaries of histogram buckets that the meter recommends to its listeners.</summary>
internal static class Buckets
{
    /// <summary>Gets boundaries for requests and handlers, which take from milliseconds to an hour, in seconds.</summary>
    public static InstrumentAdvice<double> Appends { get; } =
        new() { HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600] };

    /// <summary>Gets boundaries for whole uploads, which take from milliseconds to days, in seconds.</summary>
    public static InstrumentAdvice<double> Uploads { get; } =
        new() { HistogramBucketBoundaries = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400, 604800] };

    /// <summary>Gets boundaries for operations of a store, in seconds.</summary>
    public static InstrumentAdvice<double> Operations { get; } =
        new() { HistogramBucketBoundaries = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] };

    /// <summary>Gets boundaries for the content of requests, in bytes.</summary>
    public static InstrumentAdvice<long> Sizes { get; } = new()
    {
        HistogramBucketBoundaries =
            [0, 1 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20, 256 << 20, 1L << 30, 4L << 30, 16L << 30, 64L << 30],
    };

    /// <summary>Gets boundaries for the number of runs of a handler.</summary>
    public static InstrumentAdvice<int> Attempts { get; } = new() { HistogramBucketBoundaries = [1, 2, 3, 4, 5, 7, 10, 15, 20] };
}
