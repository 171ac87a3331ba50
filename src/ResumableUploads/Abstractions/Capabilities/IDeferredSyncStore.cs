using System.Buffers;

namespace ResumableUploads.Abstractions;

/// <summary>
/// A capability of stores that can make two changes of one upload durable together. The engine uses it for changes that it has not reported to
/// a client, so that a completion handler waits for fewer syncs.
/// </summary>
/// <remarks>
/// A deferred change is visible immediately and survives the death of the process. It becomes durable with the next change of the same upload that is not
/// deferred, or when another call returns it: what <see cref="IUploadStore.GetAsync"/> returns is durable. A power loss before that reverts it as a whole.
/// </remarks>
public interface IDeferredSyncStore
{
    /// <summary>Returns an upload like <see cref="IUploadStore.GetAsync"/>, without making deferred changes durable.</summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The upload, or <see langword="null"/> if it does not exist. It must not be reported to a client.</returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask<UploadInfo?> GetUnsyncedAsync(UploadKey key, CancellationToken cancellationToken);

    /// <summary>Updates a record like <see cref="IUploadStore.UpdateAsync"/>, as a deferred change.</summary>
    /// <inheritdoc cref="IUploadStore.UpdateAsync"/>
    ValueTask<UpdateResult> UpdateDeferredAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken);

    /// <summary>
    /// Creates an upload with its content like <see cref="ISingleRequestStore.CreateCompletedAsync"/>, as a deferred change. The content is durable when the task
    /// completes, the name of the upload is not.
    /// </summary>
    /// <inheritdoc cref="ISingleRequestStore.CreateCompletedAsync"/>
    ValueTask<CreateResult> CreateCompletedDeferredAsync(UploadKey key, UploadRecord record, ReadOnlySequence<byte> content, CancellationToken cancellationToken);
}
