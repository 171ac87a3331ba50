using System.Diagnostics;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Diagnostics;

/// <summary>An operation of a store that is measured while a listener is enabled.</summary>
/// <param name="Metrics">The metrics, or null to measure nothing.</param>
/// <param name="Name">The name of the operation.</param>
internal readonly record struct StoreOperation(UploadMetrics? Metrics, string Name)
{
    /// <summary>Returns the time at which the operation starts, or null if it is not measured.</summary>
    public long? Start() => Metrics is { MeasuresStoreOperations: true } ? Stopwatch.GetTimestamp() : null;

    /// <summary>Records an operation that has ended.</summary>
    /// <param name="start">The result of <see cref="Start"/>.</param>
    /// <param name="failure">The reason why it failed, or null if it returned a result.</param>
    public void End(long? start, StoreFailure? failure)
    {
        if (start is { } timestamp)
        {
            Metrics!.StoreOperationFinished(Name, Stopwatch.GetElapsedTime(timestamp), failure);
        }
    }
}
