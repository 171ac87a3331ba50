using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit.Model;

/// <summary>What can be seen of an upload that is there.</summary>
/// <param name="Version">Its version, or null where nobody was told.</param>
/// <param name="Offset">How many bytes it has.</param>
/// <param name="State">How far it has come.</param>
internal sealed record SeenUpload(string? Version, long Offset, UploadState State);

/// <summary>A call that was made beside others, and its answer.</summary>
/// <param name="Called">When it was called, by a counter that all calls share.</param>
/// <param name="Returned">When its answer was there, by the same counter.</param>
/// <param name="Text">The call and its answer, for a person.</param>
/// <param name="Effects">
/// What the upload may be after the call, if it took effect when the upload was so; nothing where the answer does not fit. Null is: there is no upload.
/// </param>
/// <param name="IsBusy">Whether the answer was that somebody else is at work: it says nothing, but that somebody was.</param>
internal sealed record ConcurrentCall(
    long Called, long Returned, string Text, Func<SeenUpload?, IEnumerable<SeenUpload?>> Effects, bool IsBusy)
{
    public bool Overlaps(ConcurrentCall other) => Called < other.Returned && other.Called < Returned;

    public override string ToString() => $"{Called,3}-{Returned,3} {Text}";
}
