using System.Collections.Concurrent;
using ResumableUploads.Abstractions;
using ResumableUploads.S3.Storage;

namespace ResumableUploads.S3.Appending;

/// <summary>
/// Finds writers that have died: a living writer changes the state at least three times per timeout. Measured by the clock of this process, from the first time that
/// it has seen a state.
/// </summary>
internal sealed class WriterWatch(TimeSpan timeout, TimeProvider timeProvider)
{
    private const int MaxEntries = 10_000;

    private readonly ConcurrentDictionary<UploadKey, (string ETag, long SeenAt)> _seen = new();

    /// <summary>Gets the time after which a writer changes the state although nothing has arrived.</summary>
    public TimeSpan HeartbeatInterval { get; } = timeout / 3;

    /// <summary>Returns whether a state that says that it is being changed has not changed for the timeout.</summary>
    public bool IsDead(StoredState state)
    {
        if (_seen.TryGetValue(state.Key, out (string ETag, long SeenAt) seen) && seen.ETag == state.ETag)
        {
            return timeProvider.GetElapsedTime(seen.SeenAt) >= timeout;
        }

        if (_seen.Count >= MaxEntries)
        {
            _seen.Clear();
        }

        _seen[state.Key] = (state.ETag, timeProvider.GetTimestamp());
        return false;
    }

    /// <summary>Forgets a state that is no longer being changed.</summary>
    public void Forget(UploadKey key) => _seen.TryRemove(key, out _);
}
