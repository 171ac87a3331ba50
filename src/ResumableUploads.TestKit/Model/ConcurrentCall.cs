using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit.Model;

/// <summary>The observable state of an existing upload.</summary>
/// <param name="Version">The version, or null if no call has returned it.</param>
/// <param name="Offset">The offset.</param>
/// <param name="State">The state.</param>
internal sealed record ObservedUpload(string? Version, long Offset, UploadState State);

/// <summary>A call that ran concurrently with others, and its result.</summary>
/// <param name="InvokedAt">The time of the call, on a counter that all callers share.</param>
/// <param name="ReturnedAt">The time of the result, on the same counter.</param>
/// <param name="Description">The call and its result, for the failure message.</param>
/// <param name="NextStates">
/// Returns the possible states after the call from the state before it, or none if the result is impossible in that state. A null state means that the
/// upload does not exist.
/// </param>
/// <param name="IsBusy">Whether the result was busy or taken over, which requires that another call overlaps.</param>
internal sealed record ConcurrentCall(
    long InvokedAt, long ReturnedAt, string Description, Func<ObservedUpload?, IEnumerable<ObservedUpload?>> NextStates, bool IsBusy)
{
    public bool Overlaps(ConcurrentCall other) => InvokedAt < other.ReturnedAt && other.InvokedAt < ReturnedAt;

    public override string ToString() => $"{InvokedAt,3}-{ReturnedAt,3} {Description}";
}
