namespace ResumableUploads.Abstractions;

/// <summary>Stores the bytes and records of uploads. A store knows no HTTP, no quotas and no policy. It keeps nine laws.</summary>
/// <remarks>
/// <list type="number">
/// <item><b>Compare and append.</b> Of several appends at one offset at most one changes the upload; the others return
/// <see cref="AppendStatus.OffsetMismatch"/> or <see cref="AppendStatus.Busy"/> and change nothing. This holds across processes and machines,
/// without an external lock.</item>
/// <item><b>Truthful.</b> <see cref="AppendResult.Offset"/> and <see cref="UploadInfo.Offset"/> are measured, never computed. From
/// <see cref="UploadState.Received"/> on the offset is frozen in the record.</item>
/// <item><b>Prefix.</b> The stored content is always a prefix of what the client sent: no gap, no repetition.</item>
/// <item><b>The end of the content is not an error.</b> <see cref="UploadContent"/> never throws because of a client; its end means: keep what arrived,
/// make it durable, return. A store throws <see cref="UploadStoreException"/> only if its storage failed, with the durable offset.</item>
/// <item><b>All or nothing for a refused append.</b> A refused append has not read the content; an accepted one reads it to its end.</item>
/// <item><b>Durable before acknowledged.</b> What <see cref="AppendAsync"/>, <see cref="GetAsync"/> and
/// <see cref="UploadContent.ReportDurable"/> report survives the death of the process and, with <see cref="Durability.PowerLoss"/>, a loss of
/// power.</item>
/// <item><b>Metadata is opaque.</b> <see cref="UploadRecord.Data"/> and stored responses are returned byte for byte.</item>
/// <item><b>The owner is part of the key.</b> The same id under two owners is two uploads.</item>
/// <item><b>One change at a time.</b> <see cref="UpdateAsync"/> and a conditional <see cref="DeleteAsync"/> succeed only if neither record nor
/// offset has changed since the version was read. During an append they return <see cref="ChangeStatus.Busy"/> at once and never wait for content.
/// No append succeeds once the record has left <see cref="UploadState.Receiving"/>, and an append whose upload is deleted while it runs returns
/// <see cref="AppendStatus.NotFound"/>.</item>
/// </list>
/// <para>
/// Every method can be called from any thread at any time. It throws <see cref="OperationCanceledException"/> if its token is canceled, and has then
/// changed nothing, except that an append keeps the bytes that it has written. It throws <see cref="UploadStoreException"/> if the storage failed.
/// </para>
/// </remarks>
public interface IUploadStore
{
    /// <summary>
    /// Creates an empty upload, unless the key exists. Of several calls with one key, also in other processes, one succeeds. The upload is durable
    /// when the call returns.
    /// </summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="record">The record of the upload. Its state is <see cref="UploadState.Receiving"/>.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The new upload, or <see cref="CreateStatus.AlreadyExists"/>.</returns>
    /// <exception cref="ArgumentException">The record is in another state, or its data is too long.</exception>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken);

    /// <summary>Returns a consistent snapshot of an upload. During an append, its offset is what is durable now.</summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The upload, or <see langword="null"/> if it does not exist.</returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken);

    /// <summary>
    /// Appends content if the upload is in state <see cref="UploadState.Receiving"/>, has exactly <paramref name="offset"/> bytes and no other append
    /// is running. The content is then read to its end; otherwise it is not read at all.
    /// </summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="offset">The offset at which the content starts.</param>
    /// <param name="content">The content.</param>
    /// <param name="mode">Which bytes are kept if the content ends early or is rejected.</param>
    /// <param name="cancellationToken">
    /// The token to monitor for cancellation requests. It is canceled only if the content was ended and the append has not returned some time later,
    /// which means that the storage hangs.
    /// </param>
    /// <returns>How the append ended, with the durable offset and the version.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="offset"/> is negative.</exception>
    /// <exception cref="UploadStoreException">The storage failed. The bytes up to <see cref="UploadStoreException.DurableOffset"/> are kept.</exception>
    ValueTask<AppendResult> AppendAsync(UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken);

    /// <summary>
    /// Replaces the record if the version is current. A record that leaves <see cref="UploadState.Receiving"/> freezes the offset.
    /// </summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="version">The version that was read.</param>
    /// <param name="record">The new record.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>How the update ended, with the upload after it.</returns>
    /// <exception cref="ArgumentException">The state of the record is earlier than the current one, or its data is too long.</exception>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken);

    /// <summary>Opens the content for reading, from its first byte to the current offset.</summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>
    /// A seekable stream that the caller disposes, or <see langword="null"/> if the upload does not exist or its content was moved out of the store.
    /// </returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken);

    /// <summary>Deletes an upload with its content and stored response.</summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="version">
    /// The version that was read, or <see langword="null"/> to delete the upload in any version, also during an append.
    /// </param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>How the deletion ended.</returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken);

    /// <summary>Enumerates uploads in bounded memory. Uploads that cannot be read are skipped.</summary>
    /// <param name="query">Which uploads to return.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The uploads, in an order of the store's choice that does not change.</returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, CancellationToken cancellationToken);

    /// <summary>
    /// Stores a response with the upload and replaces an earlier one. It is durable when the call returns. The version does not change. Does nothing if
    /// the upload does not exist.
    /// </summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="response">The response, opaque to the store, at most 1 MiB.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>A task that completes when the response is durable.</returns>
    /// <exception cref="ArgumentException">The response has more than 1 MiB.</exception>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    ValueTask PutResponseAsync(UploadKey key, ReadOnlyMemory<byte> response, CancellationToken cancellationToken);

    /// <summary>Returns the response that <see cref="PutResponseAsync"/> stored.</summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The response, or <see langword="null"/> if no response is stored.</returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken);

    /// <summary>
    /// Returns an optional capability of the store: <see cref="IStagedAppendStore"/>, <see cref="ISingleRequestStore"/>, <see cref="IContentMover"/>,
    /// <see cref="IStoreStartupCheck"/>, <see cref="ISelfCleaningStore"/> or <see cref="ISweepCheckpointStore"/>. By default, a store has the
    /// capabilities that its class implements. A decorator derives from <see cref="DelegatingUploadStore"/>, which asks the inner store.
    /// </summary>
    /// <typeparam name="T">The interface of the capability.</typeparam>
    /// <returns>The capability, or <see langword="null"/> if the store does not have it. The result is the same for the lifetime of the store.</returns>
    T? GetCapability<T>() where T : class => this as T;
}
