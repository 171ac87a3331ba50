using System.IO.Pipelines;

namespace ResumableUploads.Abstractions;

/// <summary>
/// The content of one append, and the methods that a store calls during the append. If a client disconnects or fails, the <see cref="Reader"/> ends;
/// it does not throw.
/// </summary>
public abstract class UploadContent
{
    /// <summary>
    /// Gets the reader of the content. A read returns all bytes that are available; a completed result is the end of the content.
    /// </summary>
    /// <remarks>
    /// The store advances past the bytes that it has written, and does not complete the reader. It does not pass a token to a read: if the
    /// engine ends the content, the read completes.
    /// </remarks>
    public abstract PipeReader Reader { get; }

    /// <summary>
    /// Gets the expected number of bytes, or <see langword="null"/> if it is unknown. It is a hint for preallocation; the content may be shorter.
    /// </summary>
    public virtual long? ExpectedLength => null;

    /// <summary>
    /// Gets the stream that <see cref="Reader"/> reads if <see cref="IUploadStore.OpenReadAsync"/> of this store opened it; otherwise
    /// <see langword="null"/>.
    /// </summary>
    /// <remarks>
    /// A store that recognizes its own stream may copy from it more efficiently. It advances the position of the stream past the bytes that it has copied,
    /// and then reads <see cref="Reader"/> to its end. Before each block, it checks with <see cref="PipeReader.TryRead"/> whether the engine has ended the
    /// content, and does not copy more if it has.
    /// </remarks>
    public virtual Stream? SourceStream => null;

    /// <summary>
    /// Reports that more bytes are durable. A store may call this method any number of times during an append, with increasing values, but not in
    /// the mode <see cref="AppendMode.AllOrNothing"/>.
    /// </summary>
    /// <param name="durableOffset">The durable offset: the number of bytes of the whole upload, not of this append, that would survive a crash.</param>
    public abstract void ReportDurable(long durableOffset);

    /// <summary>
    /// Returns whether the store must commit the staged bytes. In the mode <see cref="AppendMode.AllOrNothing"/>, the store calls this method once,
    /// after the end of the content and before it commits.
    /// </summary>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns><see langword="true"/> to keep all bytes; <see langword="false"/> to keep none.</returns>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    public abstract ValueTask<bool> ShouldCommitAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Returns the record that the upload has next if the append ends at <paramref name="offset"/>. A store may write it in the same step as the last bytes, which
    /// takes fewer operations than a later <see cref="IUploadStore.UpdateAsync"/>, and then sets <see cref="AppendResult.Updated"/>. A store that does not call
    /// this method loses nothing but time.
    /// </summary>
    /// <remarks>
    /// The store calls this method at most once, after the end of the content, and only in the mode <see cref="AppendMode.KeepPartial"/>. It makes the bytes durable
    /// before the record, and writes the record only if the upload has exactly <paramref name="offset"/> bytes then. No other call changes the upload between the
    /// append and the update. If the record cannot be written, the append fails with the durable offset of the bytes.
    /// </remarks>
    /// <param name="offset">The offset of the upload after the append.</param>
    /// <returns>The record, or <see langword="null"/> if the store must leave the record unchanged. The default implementation returns <see langword="null"/>.</returns>
    public virtual FinalRecord? GetFinalRecord(long offset) => null;

    /// <summary>
    /// Returns whether the content belongs to the upload with a record. Since the engine read the upload, another process can have announced its length, or
    /// have deleted it and created one with the same key and offset. The default implementation returns <see langword="true"/>.
    /// </summary>
    /// <remarks>
    /// A store calls this method with the record that counts when no other call can change the upload, and before it reads the content. If the result is
    /// <see langword="false"/>, it appends nothing and returns <see cref="AppendStatus.Busy"/>.
    /// </remarks>
    /// <param name="record">The current record of the upload.</param>
    public virtual bool CanAppendTo(UploadRecord record) => true;

    /// <summary>
    /// Asks the engine to end the content, because another process continues the upload. The bytes received so far are kept, and the response says that another
    /// request has taken over. A store calls this method for <see cref="ITakeoverStore"/>, at any time and from any thread. The default implementation does nothing.
    /// </summary>
    public virtual void RequestRelease()
    {
    }
}

/// <summary>Specifies which bytes of an append a store keeps.</summary>
public enum AppendMode
{
    /// <summary>All received bytes are kept, even if the content ends early.</summary>
    KeepPartial = 0,

    /// <summary>
    /// The bytes are staged. All of them are kept if <see cref="UploadContent.ShouldCommitAsync"/> returns <see langword="true"/>, otherwise
    /// none. After a crash before the commit, none are kept. Used only with a store that has <see cref="IStagedAppendStore"/>.
    /// </summary>
    AllOrNothing = 1,
}
