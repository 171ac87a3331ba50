using System.IO.Pipelines;

namespace ResumableUploads.Abstractions;

/// <summary>
/// The content of one append, and the callbacks of the store during the append. It never throws because of a client: however a request ends, the
/// <see cref="Reader"/> ends, and the store keeps what it has read.
/// </summary>
public abstract class UploadContent
{
    /// <summary>
    /// Gets the reader of the content. A read returns all bytes that are available; a completed result is the end of the content.
    /// </summary>
    /// <remarks>
    /// The store advances past the bytes that it has written, and does not complete the reader. It does not cancel a read with a token: if the
    /// content is to end, the read ends.
    /// </remarks>
    public abstract PipeReader Reader { get; }

    /// <summary>
    /// Gets the expected number of bytes, or <see langword="null"/> if it is not known. It is a hint for preallocation; fewer bytes may follow.
    /// </summary>
    public virtual long? ExpectedLength => null;

    /// <summary>
    /// Gets the stream that <see cref="Reader"/> reads if <see cref="IUploadStore.OpenReadAsync"/> of this store opened it; otherwise
    /// <see langword="null"/>.
    /// </summary>
    /// <remarks>
    /// A store that recognizes its own stream may copy from it in a cheaper way. It advances the position of the stream past what it has copied,
    /// and then reads <see cref="Reader"/> to its end.
    /// </remarks>
    public virtual Stream? SourceStream => null;

    /// <summary>
    /// Reports that more bytes are durable. A store calls it as often as it likes during an append, with increasing values, but not in the mode
    /// <see cref="AppendMode.AllOrNothing"/>.
    /// </summary>
    /// <param name="durableOffset">The durable offset: the number of bytes of the whole upload, not of this append, that would survive a crash now.</param>
    public abstract void ReportDurable(long durableOffset);

    /// <summary>
    /// Returns whether the store keeps the staged bytes. In the mode <see cref="AppendMode.AllOrNothing"/>, the store calls it once, after the end of
    /// the content and before it commits.
    /// </summary>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns><see langword="true"/> to keep all bytes; <see langword="false"/> to keep none.</returns>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    public abstract ValueTask<bool> ShouldCommitAsync(CancellationToken cancellationToken);
}

/// <summary>Specifies which bytes of an append a store keeps.</summary>
public enum AppendMode
{
    /// <summary>Every received byte is kept, also if the content ends early.</summary>
    KeepPartial = 0,

    /// <summary>
    /// The bytes are staged. All of them are kept if <see cref="UploadContent.ShouldCommitAsync"/> returns <see langword="true"/>, otherwise
    /// none. After a crash before the commit, none are kept. Used only with a store that has <see cref="IStagedAppendStore"/>.
    /// </summary>
    AllOrNothing = 1,
}
