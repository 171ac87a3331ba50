using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit.Model;

/// <summary>What can be seen of an upload that is there.</summary>
/// <param name="Version">Its version, or null where nobody was told.</param>
/// <param name="Offset">How many bytes it has.</param>
/// <param name="State">How far it has come.</param>
internal sealed record ObservedUpload(string? Version, long Offset, UploadState State);

/// <summary>A call that was made beside others, and its answer.</summary>
/// <param name="InvokedAt">When it was called, by a counter that all calls share.</param>
/// <param name="ReturnedAt">When its answer was there, by the same counter.</param>
/// <param name="Description">The call and its answer, for a person.</param>
/// <param name="NextStates">
/// What the upload may be after the call, if it took effect when the upload was so; nothing where the answer does not fit. Null is: there is no upload.
/// </param>
/// <param name="IsBusy">Whether the answer was that somebody else is at work: it says nothing, but that somebody was.</param>
internal sealed record ConcurrentCall(
    long InvokedAt, long ReturnedAt, string Description, Func<ObservedUpload?, IEnumerable<ObservedUpload?>> NextStates, bool IsBusy)
{
    public bool Overlaps(ConcurrentCall other) => InvokedAt < other.ReturnedAt && other.InvokedAt < ReturnedAt;

    public override string ToString() => $"{InvokedAt,3}-{ReturnedAt,3} {Description}";
}
