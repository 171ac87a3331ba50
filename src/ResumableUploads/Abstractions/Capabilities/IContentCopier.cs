namespace ResumableUploads.Abstractions;

/// <summary>A store that can copy the content of a finished upload within its storage service, so that the bytes do not pass through the server.</summary>
/// <remarks>Stores on object storage have this capability. <see cref="DelegatingUploadStore"/> does not forward it.</remarks>
public interface IContentCopier
{
    /// <summary>
    /// Copies the content of an upload that has left <see cref="UploadState.Receiving"/> to an object of the same service. The upload stays in the store.
    /// </summary>
    /// <remarks>
    /// The copy is complete before it gets its name. After a crash, the call can be repeated with the same target and returns <see cref="CopyStatus.Copied"/>:
    /// an object that this store has copied from the same upload counts as the copy. The version is checked when the call starts.
    /// </remarks>
    /// <param name="key">The key of the upload.</param>
    /// <param name="version">The version that was read. It identifies the upload, because an upload can be replaced by another one with the same key.</param>
    /// <param name="container">The name of the container or bucket. It must exist.</param>
    /// <param name="name">The name of the object in the container.</param>
    /// <param name="overwrite">Whether to replace an object that exists.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The status of the copy.</returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask<CopyStatus> CopyContentAsync(
        UploadKey key, string version, string container, string name, bool overwrite, CancellationToken cancellationToken);
}

/// <summary>Specifies how a call of <see cref="IContentCopier.CopyContentAsync"/> ended.</summary>
public enum CopyStatus
{
    /// <summary>The target has the content, durable.</summary>
    Copied = 0,

    /// <summary>Another object exists at the target. Nothing was changed.</summary>
    TargetExists = 1,

    /// <summary>The upload does not exist.</summary>
    NotFound = 2,

    /// <summary>The upload is in state <see cref="UploadState.Receiving"/>, or another call is changing it. Nothing was changed.</summary>
    Busy = 3,

    /// <summary>The record has changed since the version was read. Nothing was changed.</summary>
    VersionMismatch = 4,
}
