namespace ResumableUploads.Abstractions;

/// <summary>A store that can replace an upload by another one in a single step.</summary>
/// <remarks>
/// The engine uses it if a client starts an upload over: the new upload is created under a temporary key, and replaces the old one after it was accepted.
/// Without this capability, the engine deletes the old upload and creates the new one instead, and rejects a new upload whose digest can be verified only
/// after its content has arrived. <see cref="DelegatingUploadStore"/> does not forward it.
/// </remarks>
public interface IReplacingStore
{
    /// <summary>
    /// Moves an upload to the key of another upload, which is deleted with its content and stored response. After a crash, either the old upload exists
    /// under <paramref name="key"/>, or the new one does, with all of its content.
    /// </summary>
    /// <param name="key">The key of the upload to replace.</param>
    /// <param name="version">The version of the upload to replace that was read.</param>
    /// <param name="replacementKey">
    /// The key of the upload that takes its place, which must be in state <see cref="UploadState.Receiving"/>. No upload has this key afterwards.
    /// </param>
    /// <param name="replacementVersion">The version of the replacement that was read.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>
    /// The status of the replacement and, if it succeeded, the new upload under <paramref name="key"/>. If it did not succeed, both uploads are unchanged.
    /// </returns>
    /// <exception cref="ArgumentException">The two keys are equal, or the replacement has left <see cref="UploadState.Receiving"/>.</exception>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask<UpdateResult> ReplaceAsync(
        UploadKey key, string version, UploadKey replacementKey, string replacementVersion, CancellationToken cancellationToken);
}
