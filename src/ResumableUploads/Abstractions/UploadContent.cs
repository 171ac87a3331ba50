using System.IO.Pipelines;

namespace ResumableUploads.Abstractions;

/// <summary>
/// The bytes of one append, and what the store says about them while it works. It never fails because of a client: however
/// a request ends, its <see cref="Reader"/> ends, and what came before is to be kept.
/// </summary>
public abstract class UploadContent
{
    /// <summary>
    /// Where the bytes come from. A read gives all that is there. When a result is completed, nothing follows. The store
    /// advances past what it has taken, and does not complete the reader. Reads are not cancelled by a token:
    /// when the content is to end, it ends.
    /// </summary>
    public abstract PipeReader Reader { get; }

    /// <summary>How many bytes may be expected, or null when that is not known: a hint for preallocation, no promise.</summary>
    public virtual long? ExpectedLength => null;

    /// <summary>
    /// The stream behind <see cref="Reader"/>, where it is one that this store gave out by <see cref="IUploadStore.OpenReadAsync"/>; else null.
    /// A store that knows its own stream may copy from it by cheaper means, as long as it moves the position past what it has copied. It reads
    /// <see cref="Reader"/> to its end all the same.
    /// </summary>
    public virtual Stream? SourceStream => null;

    /// <summary>
    /// Tells how many bytes of the upload are durable by now (an offset in the upload, not a count of this append). A store
    /// calls it as often as it likes while it goes on, with rising values, and only with what law 6 holds for.
    /// Not called in <see cref="AppendMode.AllOrNothing"/>.
    /// </summary>
    /// <param name="durableOffset">The offset that would survive a crash now.</param>
    public abstract void ReportDurable(long durableOffset);

    /// <summary>
    /// Asked once in <see cref="AppendMode.AllOrNothing"/>, after the reader has ended and before any byte counts:
    /// whether all of it is to be kept (true) or none (false).
    /// </summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    public abstract ValueTask<bool> ShouldCommitAsync(CancellationToken cancellationToken);
}

/// <summary>What becomes of the bytes of an append.</summary>
public enum AppendMode
{
    /// <summary>Every byte that came counts, also when the content ended early.</summary>
    KeepPartial = 0,

    /// <summary>
    /// The bytes are staged, and count together or not at all: when <see cref="UploadContent.ShouldCommitAsync"/> says so.
    /// A crash before that leaves none of them behind the offset. Only for stores with <see cref="IStagedAppendStore"/>.
    /// </summary>
    AllOrNothing = 1,
}
