namespace ResumableUploads.Abstractions;

/// <summary>A store that can move the content of a finished upload to a file, without copying it if the file system supports that.</summary>
/// <remarks>Without this capability, the content is copied. <see cref="DelegatingUploadStore"/> does not forward it.</remarks>
public interface IContentMover
{
    /// <summary>Moves the content of an upload that has left <see cref="UploadState.Receiving"/> to a file. The record stays in the store.</summary>
    /// <remarks>
    /// <para>
    /// The store records the target first. After a crash, the call can be repeated with the same target and returns <see cref="MoveStatus.Moved"/>. A file
    /// at the target counts as the content only if the store has put it there; that its bytes are equal is not enough, because it may belong to another upload.
    /// </para>
    /// <para>
    /// The version is checked when the call starts. Updates of the record during a copy do not end the move, but if the upload is deleted or replaced
    /// meanwhile, the content of the new upload is never moved.
    /// </para>
    /// </remarks>
    /// <param name="key">The key of the upload.</param>
    /// <param name="version">The version that was read. It identifies the upload, because an upload can be replaced by another one with the same key.</param>
    /// <param name="path">The full path of the file. Its directory must exist.</param>
    /// <param name="overwrite">
    /// <see langword="true"/> to replace an existing file; <see langword="false"/> to return <see cref="MoveStatus.TargetExists"/> if there is one
    /// that does not come from an earlier call for this upload.
    /// </param>
    /// <param name="cancellationToken">
    /// The token to monitor for cancellation requests. If it is canceled during a copy to another volume, the content stays in the store.
    /// </param>
    /// <returns>The status of the move, and the path of the content.</returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask<MoveResult> MoveContentAsync(UploadKey key, string version, string path, bool overwrite, CancellationToken cancellationToken);
}

/// <summary>Specifies how a move of content ended.</summary>
public enum MoveStatus
{
    /// <summary>The content is in the file <see cref="MoveResult.Path"/>, durable, and no longer in the store.</summary>
    Moved = 0,

    /// <summary>Another file exists at the target. Nothing was changed.</summary>
    TargetExists = 1,

    /// <summary>The upload does not exist.</summary>
    NotFound = 2,

    /// <summary>The upload is in state <see cref="UploadState.Receiving"/>, or another call is changing it. Nothing was changed.</summary>
    Busy = 3,

    /// <summary>The record has changed since the version was read. Nothing was changed.</summary>
    VersionMismatch = 4,
}

/// <summary>The result of <see cref="IContentMover.MoveContentAsync"/>.</summary>
/// <param name="Status">The status of the move.</param>
/// <param name="Path">
/// The path of the content if <paramref name="Status"/> is <see cref="MoveStatus.Moved"/>: the target or, if an earlier call has moved the content
/// elsewhere, that path. Otherwise <see langword="null"/>.
/// </param>
public readonly record struct MoveResult(MoveStatus Status, string? Path);
