using System.Buffers;

namespace ResumableUploads.Abstractions;

/// <summary>A store that can create a short upload together with all of its bytes, for an upload that arrives in a single request.</summary>
/// <remarks>
/// Without this capability, the engine calls <see cref="IUploadStore.CreateAsync"/>, <see cref="IUploadStore.AppendAsync"/> and
/// <see cref="IUploadStore.UpdateAsync"/>. <see cref="DelegatingUploadStore"/> does not forward it.
/// </remarks>
public interface ISingleRequestStore
{
    /// <summary>Gets the maximum size, in bytes, of the content of <see cref="CreateCompletedAsync"/>.</summary>
    long MaxCompletedLength { get; }

    /// <summary>
    /// Creates an upload that has already left <see cref="UploadState.Receiving"/>, with all of its bytes, if there is no upload with the key. If
    /// several calls of this method or <see cref="IUploadStore.CreateAsync"/> use the same key, in this or other processes, only one succeeds. Record
    /// and bytes become visible together, and are durable when the task completes.
    /// </summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="record">The record of the upload. Its state must be <see cref="UploadState.Received"/> or <see cref="UploadState.Completed"/>.</param>
    /// <param name="content">
    /// The content, at most <see cref="MaxCompletedLength"/> bytes. The caller reuses the memory after the task has completed.
    /// </param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The status of the creation and, if it succeeded, the new upload.</returns>
    /// <exception cref="ArgumentException">
    /// The record is in state <see cref="UploadState.Receiving"/>, its data is longer than <see cref="UploadRecord.MaxDataLength"/>, or the content is
    /// longer than <see cref="MaxCompletedLength"/>.
    /// </exception>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask<CreateResult> CreateCompletedAsync(
        UploadKey key, UploadRecord record, ReadOnlySequence<byte> content, CancellationToken cancellationToken);
}
