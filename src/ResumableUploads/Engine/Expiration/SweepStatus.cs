using ResumableUploads.Engine.Diagnostics;

namespace ResumableUploads.Engine.Expiration;

/// <summary>The health of a sweeper.</summary>
/// <param name="LastSucceeded">The time at which the last successful sweep ended, or null if none has ended yet.</param>
/// <param name="LastActivity">The time at which the sweeper last started, visited an upload, or ended a sweep.</param>
/// <param name="ConsecutiveFailures">The number of sweeps that have failed since the last successful one.</param>
/// <param name="LastFailure">The exception of the last failed sweep, or null after a successful one.</param>
internal sealed record SweepStatus(DateTimeOffset? LastSucceeded, DateTimeOffset LastActivity, int ConsecutiveFailures, Exception? LastFailure)
{
    /// <summary>Gets the uploads that the last successful sweep has found, or null if none has ended yet.</summary>
    public HeldUploads? Held { get; init; }

    /// <summary>Gets those uploads by endpoint, those with the most bytes first.</summary>
    public IReadOnlyList<KeyValuePair<UploadOrigin, UploadCount>> Endpoints { get; init; } = [];

    /// <summary>Gets the owners that have the most bytes of those uploads.</summary>
    public IReadOnlyList<KeyValuePair<string, UploadCount>> TopOwners { get; init; } = [];

    /// <summary>Gets the free space of the storage, in bytes, after the last successful sweep, or null if it is unknown.</summary>
    public long? FreeSpace { get; init; }
}
