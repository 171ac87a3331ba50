using ResumableUploads.Abstractions;

namespace ResumableUploads;

/// <summary>
/// Lists, cancels, retries and discards the uploads of all endpoints of the application, for its operator. <c>AddResumableUploads()</c> registers it as a
/// singleton.
/// </summary>
/// <remarks>
/// <para>
/// The manager does not check who calls it: it returns and changes the uploads of all owners. Require authorization for every endpoint that uses it.
/// </para>
/// <para>
/// An upload that does not exist or has expired is a result, and not an exception. Every call that changes uploads or opens their content is logged at level Information (event 310).
/// </para>
/// </remarks>
public interface IUploadManager
{
    /// <summary>Returns a page of uploads. Does not stop a running append.</summary>
    /// <remarks>
    /// A page reads at most one record more than <see cref="UploadListQuery.MaxScannedUploads"/>, so a page of a rare state can be empty and still have a
    /// <see cref="UploadPage.Continuation"/>. Uploads that have expired are omitted. So are uploads whose record cannot be read; they are logged (events 109 and 280).
    /// </remarks>
    /// <param name="query">The query that selects the uploads.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The page, in an order that each store chooses.</returns>
    /// <exception cref="ArgumentException"><see cref="UploadListQuery.Continuation"/> is not the continuation of a page.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number in the query is outside its range.</exception>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    Task<UploadPage> ListAsync(UploadListQuery query, CancellationToken cancellationToken = default);

    /// <summary>Returns an upload. Does not stop a running append.</summary>
    /// <param name="key">The key of the upload, as in <see cref="UploadEvent.Key"/>.</param>
    /// <param name="store">
    /// The store, as in <see cref="ManagedUpload.Store"/>, or <see langword="null"/> to search the stores of the application in their order. Two stores can have
    /// uploads with the same key.
    /// </param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The upload, or <see langword="null"/> if it does not exist, has expired, or its record cannot be read.</returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    Task<ManagedUpload?> GetAsync(UploadKey key, string? store = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Removes an upload in any state with its content, as the <c>DELETE</c> request of its client does. A running append is stopped first, also in another
    /// process if the store supports that. Waits for a running completion handler for at most <see cref="ResumableUploadHandlerOptions.CompletionTimeout"/>.
    /// </summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="condition">The condition under which the upload is changed, or <see langword="null"/> for none.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>
    /// <see cref="UploadActionStatus.Succeeded"/> if the upload was removed; <see cref="UploadActionStatus.NotFound"/> if it does not exist or has expired;
    /// <see cref="UploadActionStatus.Busy"/> if its handler is still running, or another request or process did not release it in time;
    /// <see cref="UploadActionStatus.InvalidState"/> if its state is not that of the condition.
    /// </returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    Task<UploadActionStatus> CancelAsync(UploadKey key, UploadActionCondition? condition = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Runs the handler of a received upload again, with all its attempts, whether it is dead-lettered or waits for its next attempt. Restarts the expiration of
    /// the upload.
    /// </summary>
    /// <remarks>
    /// <see cref="ResumableUploadOptions.OnCompleted"/> starts at once, in the background. An endpoint with <c>WithResumableUploads()</c> runs when the
    /// client next requests the result, because it needs a request.
    /// </remarks>
    /// <param name="key">The key of the upload.</param>
    /// <param name="condition">The condition under which the upload is changed, or <see langword="null"/> for none.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>
    /// <see cref="UploadActionStatus.Succeeded"/> if the handler runs again; <see cref="UploadActionStatus.NotFound"/> if the upload does not exist or has expired;
    /// <see cref="UploadActionStatus.Busy"/> if its handler is running or another process changes the upload; <see cref="UploadActionStatus.InvalidState"/> if it
    /// has no bytes to process (it is receiving or completed), or the application no longer has the endpoint that created it.
    /// </returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    Task<UploadActionStatus> RetryAsync(UploadKey key, UploadActionCondition? condition = null, CancellationToken cancellationToken = default);

    /// <summary>Removes a dead-lettered upload with its content. An upload in another state is not changed; <see cref="CancelAsync"/> removes it.</summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="condition">The condition under which the upload is changed, or <see langword="null"/> for none.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>
    /// <see cref="UploadActionStatus.Succeeded"/> if the upload was removed; <see cref="UploadActionStatus.NotFound"/> if it does not exist or has expired;
    /// <see cref="UploadActionStatus.InvalidState"/> if it is not dead-lettered; <see cref="UploadActionStatus.Busy"/> if another request or process changes it.
    /// </returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    Task<UploadActionStatus> DiscardAsync(UploadKey key, UploadActionCondition? condition = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Opens the content of an upload whose bytes are all stored, from its first to its last byte. It is what the client sent: do not show it in a browser. Logged as action
    /// <c>open</c> (event 310).
    /// </summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="condition">The condition under which the content is opened, or <see langword="null"/> for none.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>
    /// A seekable stream that the caller disposes, or <see langword="null"/> if the upload does not exist, has expired, is <see cref="ManagedUploadState.Receiving"/>, is not
    /// the one of the condition, or its content was moved out of the store. The stream never has bytes of a later upload with the same key.
    /// </returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    Task<Stream?> OpenReadAsync(UploadKey key, UploadActionCondition? condition = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Returns the totals of the last sweep of each store, and what the requests of this process do. Reads no store, so it can be called every second.
    /// </summary>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The statistics.</returns>
    Task<UploadStatistics> GetStatisticsAsync(CancellationToken cancellationToken = default);
}
