using System.Buffers;

namespace ResumableUploads.Abstractions;

/// <summary>
/// Keeps the bytes and records of uploads. A store knows no HTTP, no limits and no policy. These are its laws:
/// <list type="number">
/// <item><b>Compare and append.</b> Of several appends at one offset at most one changes the upload; the others answer
/// <see cref="AppendStatus.OffsetMismatch"/> or <see cref="AppendStatus.Busy"/> and change nothing. That holds across processes and
/// machines, with no lock from outside.</item>
/// <item><b>Truthful.</b> <see cref="AppendResult.Offset"/> and <see cref="UploadInfo.Offset"/> are the bytes that are really there,
/// measured and not computed. From <see cref="UploadState.Received"/> on the offset is frozen in the record.</item>
/// <item><b>Prefix.</b> What is stored is always a prefix of what was sent: never a gap, never twice.</item>
/// <item><b>Ends, not errors.</b> Content never throws because of a client. Its end means: keep all that came, make it durable,
/// return. A store throws <see cref="UploadStoreException"/> only when the storage itself failed, and says how far it got.</item>
/// <item><b>To the end or not at all.</b> A refused append has not touched the content.</item>
/// <item><b>Durable before acknowledged.</b> What an append, <see cref="GetAsync"/> or <see cref="UploadContent.ReportDurable"/> reports
/// survives the death of the process and, with <see cref="Durability.PowerLoss"/>, the loss of power.</item>
/// <item><b>Metadata is opaque.</b> <see cref="UploadRecord.Data"/> and outcomes come back byte for byte.</item>
/// <item><b>The owner is a wall.</b> The same id under two owners is two uploads.</item>
/// <item><b>One change at a time.</b> <see cref="UpdateAsync"/> and a conditional <see cref="DeleteAsync"/> succeed only if neither
/// record nor offset changed since the version was read; while somebody appends they answer <see cref="ChangeStatus.Busy"/> at once and never
/// wait for a content. No append succeeds once the record has left <see cref="UploadState.Receiving"/>, and one that runs while its
/// upload is deleted ends in <see cref="AppendStatus.NotFound"/>.</item>
/// </list>
/// </summary>
/// <remarks>Every method may be called from any thread at any time, and throws <see cref="OperationCanceledException"/> when its token fires.</remarks>
public interface IUploadStore
{
    /// <summary>Makes an upload with offset 0, unless the key is taken. Atomic between processes; durable when it returns.</summary>
    /// <param name="key">The name of the upload.</param>
    /// <param name="record">What to keep about it; its state is <see cref="UploadState.Receiving"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken);

    /// <summary>
    /// The most bytes that <see cref="CreateCompletedAsync"/> takes, or 0 where the store has no such step. Default: 0. It is not a capability, so that
    /// a decorator which knows nothing of it sees a creation and an append as ever.
    /// </summary>
    long MaxCompletedLength => 0;

    /// <summary>
    /// Makes an upload that has left <see cref="UploadState.Receiving"/>, with all of its bytes, unless the key is taken: for a short content that
    /// is at hand, in place of a creation, an append and an update. Atomic between processes; record and bytes are durable when it returns, and
    /// are there together or not at all.
    /// </summary>
    /// <param name="key">The name of the upload.</param>
    /// <param name="record">What to keep about it; its state is <see cref="UploadState.Received"/> or <see cref="UploadState.Completed"/>.</param>
    /// <param name="content">The bytes, at most <see cref="MaxCompletedLength"/>. They are the caller's again when the call has ended.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<CreateResult> CreateCompletedAsync(
        UploadKey key, UploadRecord record, ReadOnlySequence<byte> content, CancellationToken cancellationToken) =>
        throw new NotSupportedException("This store does not make whole uploads: its MaxWholeLength is 0.");

    /// <summary>Reads an upload in one step, also while somebody appends to it (then the offset is what is durable by now).</summary>
    /// <param name="key">The name of the upload.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The upload, or null when there is none.</returns>
    ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken);

    /// <summary>
    /// Appends the content if the upload is receiving and has exactly <paramref name="offset"/> bytes, and reads the content to its
    /// end in that case. The end of the content is no error.
    /// </summary>
    /// <param name="key">The name of the upload.</param>
    /// <param name="offset">How many bytes the caller believes to be there.</param>
    /// <param name="content">The bytes.</param>
    /// <param name="mode">Whether they count one by one or together.</param>
    /// <param name="cancellationToken">Fires only some time after the content was asked to end: the storage hangs.</param>
    ValueTask<AppendResult> AppendAsync(UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken);

    /// <summary>
    /// Replaces the record if the version is still the one that was read. A record that leaves <see cref="UploadState.Receiving"/> freezes
    /// the offset that is measured then; a state never goes back.
    /// </summary>
    /// <param name="key">The name of the upload.</param>
    /// <param name="version">The version that was read.</param>
    /// <param name="record">The new record.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken);

    /// <summary>Opens the content for reading, from its beginning to the present offset.</summary>
    /// <param name="key">The name of the upload.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>A seekable stream that the caller disposes, or null when there is no upload or its content was taken away.</returns>
    ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken);

    /// <summary>Removes an upload with its content and outcome.</summary>
    /// <param name="key">The name of the upload.</param>
    /// <param name="version">The version that was read, or null to remove whatever is there, also while somebody appends.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken);

    /// <summary>Gives the uploads one by one, in bounded memory. What is damaged is skipped.</summary>
    /// <param name="query">Which ones.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, CancellationToken cancellationToken);

    /// <summary>
    /// Keeps a small blob beside the record, replacing the one before; durable when it returns. It does not change the version, and does
    /// nothing when there is no upload.
    /// </summary>
    /// <param name="key">The name of the upload.</param>
    /// <param name="response">The bytes, at most 1 MiB.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask PutResponseAsync(UploadKey key, ReadOnlyMemory<byte> response, CancellationToken cancellationToken);

    /// <summary>Reads what <see cref="PutResponseAsync"/> kept.</summary>
    /// <param name="key">The name of the upload.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The bytes, or null when there are none.</returns>
    ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken);

    /// <summary>
    /// What else this store can do (<see cref="IStagedAppendStore"/>, <see cref="IContentMover"/> and so on), or null. A decorator passes the
    /// question on.
    /// </summary>
    /// <typeparam name="T">The interface that is asked for.</typeparam>
    T? GetCapability<T>() where T : class => this as T;
}
