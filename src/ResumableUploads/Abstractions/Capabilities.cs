namespace ResumableUploads.Abstractions;

/// <summary>A store that can take an append under <see cref="AppendMode.AllOrNothing"/>.</summary>
public interface IStagedAppendStore
{
    /// <summary>The most bytes that one such append may have, or <see cref="long.MaxValue"/> for no bound.</summary>
    long MaxStagedLength { get; }
}

/// <summary>A store that looks at its storage before the first request.</summary>
public interface IStoreStartupCheck
{
    /// <summary>Tries what the store needs from its storage.</summary>
    /// <param name="cancellationToken">Ends the check.</param>
    /// <exception cref="InvalidOperationException">A step failed. The message names the step and what to change.</exception>
    ValueTask CheckAsync(CancellationToken cancellationToken);
}

/// <summary>A store that can clear what a crash left behind.</summary>
public interface ISelfCleaningStore
{
    /// <summary>Removes leftovers that belong to no upload. Called from time to time; safe at any time, from several processes.</summary>
    /// <param name="cancellationToken">Ends the work early.</param>
    ValueTask CleanUpAsync(CancellationToken cancellationToken);
}

/// <summary>A store that can keep how far a walk over it has come, so that after a restart the walk goes on from there.</summary>
public interface ISweepCheckpointStore
{
    /// <summary>Gives what was kept last, or null. It is a hint: it need not be durable, and its upload may be gone.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<UploadKey?> GetSweepCheckpointAsync(CancellationToken cancellationToken);

    /// <summary>Keeps the last upload that was seen, or forgets it. Called every few seconds in a long walk; the last call counts.</summary>
    /// <param name="checkpoint">The upload, or null when the walk is over.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask PutSweepCheckpointAsync(UploadKey? checkpoint, CancellationToken cancellationToken);
}

/// <summary>A store that can hand a finished content over as a file, without copying where the file system allows.</summary>
public interface IContentMover
{
    /// <summary>
    /// Moves the content of an upload that has left <see cref="UploadState.Receiving"/> to a path. The record stays.
    /// The target is recorded first, so the call may be repeated after a crash with the same target and then answers
    /// <see cref="MoveStatus.Moved"/>. A file that is there and is not this content is never overwritten unless told.
    /// </summary>
    /// <param name="key">The upload.</param>
    /// <param name="path">The full path of the target. Its directory exists.</param>
    /// <param name="overwrite">Whether a file that is there may be replaced.</param>
    /// <param name="cancellationToken">Ends a copy across volumes; the content is then still in the store.</param>
    ValueTask<MoveResult> MoveContentAsync(UploadKey key, string path, bool overwrite, CancellationToken cancellationToken);
}

/// <summary>How a move ended.</summary>
public enum MoveStatus
{
    /// <summary>The content is at <see cref="MoveResult.Path"/>, durable, and no longer in the store.</summary>
    Moved = 0,

    /// <summary>Another file is at the target; nothing was changed.</summary>
    TargetExists = 1,

    /// <summary>There is no such upload.</summary>
    NotFound = 2,

    /// <summary>The upload is still receiving, or somebody is changing it; nothing was changed.</summary>
    Busy = 3,
}

/// <summary>The answer to <see cref="IContentMover.MoveContentAsync"/>.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Path">
/// Where the content is when <see cref="MoveStatus.Moved"/>: the target, or, when the content had been moved before, the place
/// that it was moved to. Else null.
/// </param>
public readonly record struct MoveResult(MoveStatus Status, string? Path);

/// <summary>How much an acknowledged byte survives.</summary>
public enum Durability
{
    /// <summary>The loss of power, and everything below: data and directories are synced before anything is acknowledged.</summary>
    PowerLoss = 0,

    /// <summary>The death of the process: the operating system has the bytes. Faster; the last seconds may be lost with the machine's power.</summary>
    ProcessCrash = 1,
}
