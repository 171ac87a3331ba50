namespace ResumableUploads.Abstractions;

/// <summary>
/// Stores the content and the records of uploads. Implementations do not handle HTTP, quotas or policies, and must satisfy the nine laws in the
/// remarks.
/// </summary>
/// <remarks>
/// <list type="number">
/// <item><b>Compare and append.</b> If several appends start at the same offset, at most one of them changes the upload. The others return
/// <see cref="AppendStatus.OffsetMismatch"/> or <see cref="AppendStatus.Busy"/> and change nothing. This applies across processes and machines,
/// without an external lock.</item>
/// <item><b>Actual offset.</b> <see cref="AppendResult.Offset"/> and <see cref="UploadInfo.Offset"/> are read from the storage, and not
/// calculated from the number of bytes that were passed to it. Once the upload leaves <see cref="UploadState.Receiving"/>, the store saves the offset
/// with the record, and it no longer changes.</item>
/// <item><b>Prefix.</b> The stored content is always a prefix of the bytes that the client sent, without gaps or repetitions.</item>
/// <item><b>The end of the content is not an error.</b> If a client disconnects or fails, <see cref="UploadContent"/> ends; it does not throw. The
/// store then keeps the received bytes as specified by the <see cref="AppendMode"/>, makes them durable, and returns. A store throws
/// <see cref="UploadStoreException"/> only if its storage failed. An append then sets <see cref="UploadStoreException.DurableOffset"/>.</item>
/// <item><b>Checks before reading.</b> An append checks the state, the offset and other running changes before it reads the content. If a check
/// fails, the append does not read the content; otherwise it reads the content to its end, unless the upload is deleted meanwhile.</item>
/// <item><b>Durable before acknowledged.</b> The offsets and records reported by <see cref="AppendAsync"/>, <see cref="GetAsync"/> and
/// <see cref="UploadContent.ReportDurable"/> survive a process crash and, with <see cref="Durability.PowerLoss"/>, a power failure.</item>
/// <item><b>Metadata is opaque.</b> <see cref="UploadRecord.Data"/> and stored responses are returned byte for byte.</item>
/// <item><b>The owner is part of the key.</b> The same id under two owners is two uploads.</item>
/// <item><b>One change at a time.</b> <see cref="UpdateAsync"/>, <see cref="CompleteAsync"/>, and <see cref="DeleteAsync"/> with a version, succeed
/// only if neither the record nor the offset has changed since the version was read. During an append, they return <see cref="ChangeStatus.Busy"/>
/// without waiting. No append succeeds once the record has left <see cref="UploadState.Receiving"/>. If the upload is deleted during an append, the append returns
/// <see cref="AppendStatus.NotFound"/>.</item>
/// </list>
/// <para>
/// All methods are thread-safe. A method whose token is canceled throws <see cref="OperationCanceledException"/> and changes nothing, except that an
/// append in the mode <see cref="AppendMode.KeepPartial"/> keeps the bytes that it has written, and that a change for which the storage hangs may still take
/// effect later.
/// </para>
/// </remarks>
public interface IUploadStore
{
    /// <summary>
    /// Creates an empty upload if there is no upload with the key. If several calls use the same key, in this or other processes, only one succeeds.
    /// The upload is durable when the task completes.
    /// </summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="record">The record of the upload. Its state must be <see cref="UploadState.Receiving"/>.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The status of the creation and, if it succeeded, the new upload.</returns>
    /// <exception cref="ArgumentException">
    /// The record is in another state, or its data is longer than <see cref="UploadRecord.MaxDataLength"/>.
    /// </exception>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken);

    /// <summary>
    /// Returns a consistent snapshot of an upload. During an append, the offset of the snapshot is the offset that is durable at that time.
    /// </summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The upload, or <see langword="null"/> if it does not exist.</returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken);

    /// <summary>
    /// Appends content if the upload is in state <see cref="UploadState.Receiving"/>, has exactly <paramref name="offset"/> bytes, and no other call is
    /// changing it. Otherwise, the content is not read.
    /// </summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="offset">The offset, in bytes, at which the content starts. It must be the current offset of the upload.</param>
    /// <param name="content">The content.</param>
    /// <param name="mode">A value that specifies which bytes the store keeps if the content ends early or fails its verification.</param>
    /// <param name="cancellationToken">
    /// The token to monitor for cancellation requests. The engine cancels it only if the storage hangs: the append has not returned within a grace
    /// period after the content ended early, the client has disconnected, another request has asked for the upload, or the server has begun to stop. The store
    /// may still be reading the content then.
    /// </param>
    /// <returns>The status of the append, and the durable offset and the version of the upload.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="offset"/> is negative.</exception>
    /// <exception cref="UploadStoreException">The storage failed. The bytes up to <see cref="UploadStoreException.DurableOffset"/> are kept.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask<AppendResult> AppendAsync(UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken);

    /// <summary>
    /// Replaces the record if the version is current. After the state has left <see cref="UploadState.Receiving"/>, the offset no longer changes.
    /// </summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="version">The version that was read.</param>
    /// <param name="record">The new record.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The status of the update and, if it succeeded, the updated upload.</returns>
    /// <exception cref="ArgumentException">
    /// The state of the record precedes the current state of the upload, or its data is longer than <see cref="UploadRecord.MaxDataLength"/>.
    /// </exception>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken);

    /// <summary>Opens the content for reading, from its first byte to the current offset.</summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>
    /// A seekable stream that the caller disposes, or <see langword="null"/> if the upload does not exist or its content was moved out of the store. It
    /// never returns bytes of another upload, even if the upload is deleted and a new one is created with the same key.
    /// </returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken);

    /// <summary>Deletes an upload with its content and stored response.</summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="version">
    /// The version that was read, or <see langword="null"/> to delete the upload regardless of its version, even during an append.
    /// </param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The status of the deletion.</returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken);

    /// <summary>
    /// Enumerates uploads without loading all of them into memory. Skips an upload whose data cannot be read, unless
    /// <see cref="UploadQuery.IncludeUnreadable"/> is set.
    /// </summary>
    /// <param name="query">The query that selects the uploads.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The uploads, in a stable order that each store chooses.</returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, CancellationToken cancellationToken);

    /// <summary>
    /// Replaces the record like <see cref="UpdateAsync"/> and stores the response of the completion handler, in one step, if the version is current. If the
    /// record is not replaced, the stored response does not change either. Both are durable when the task completes. After a crash there are both or neither;
    /// a store may write a long response first, if it returns it only with the record.
    /// </summary>
    /// <remarks>A stored response is replaced. Later updates of the record keep it.</remarks>
    /// <param name="key">The key of the upload.</param>
    /// <param name="version">The version that was read.</param>
    /// <param name="record">The new record. Its state must be <see cref="UploadState.Completed"/>.</param>
    /// <param name="response">The response, opaque to the store, at most 1 MiB.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The status of the update and, if it succeeded, the updated upload.</returns>
    /// <exception cref="ArgumentException">
    /// The record is in another state, its data is longer than <see cref="UploadRecord.MaxDataLength"/>, or the response is larger than 1 MiB.
    /// </exception>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask<UpdateResult> CompleteAsync(
        UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte> response, CancellationToken cancellationToken);

    /// <summary>Returns the response that <see cref="CompleteAsync"/> stored.</summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>
    /// The response, or <see langword="null"/> if the upload does not exist, is not in state <see cref="UploadState.Completed"/>, or was completed without a
    /// response.
    /// </returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken);

    /// <summary>
    /// Returns an optional capability of the store: <see cref="IStagedAppendStore"/>, <see cref="ISingleRequestStore"/>, <see cref="IContentMover"/>,
    /// <see cref="IContentCopier"/>, <see cref="IContentUrlProvider"/>, <see cref="IReplacingStore"/>, <see cref="IStoreStartupCheck"/>,
    /// <see cref="ISelfCleaningStore"/>, <see cref="ISweepCheckpointStore"/>, <see cref="IStoreClock"/>, <see cref="IStoreProbe"/> or
    /// <see cref="ITakeoverStore"/>. The default
    /// implementation returns this store if it implements the interface. A decorator should derive from <see cref="DelegatingUploadStore"/>, which
    /// forwards this method to the inner store for most capabilities.
    /// </summary>
    /// <typeparam name="T">The interface of the capability.</typeparam>
    /// <returns>The capability, or <see langword="null"/> if the store does not have it. The result is the same for the lifetime of the store.</returns>
    T? GetCapability<T>() where T : class => this as T;
}
