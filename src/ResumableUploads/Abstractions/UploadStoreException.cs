namespace ResumableUploads.Abstractions;

/// <summary>Why a store could not do its work.</summary>
public enum StoreFailure
{
    /// <summary>It does not answer, or answers with an error that may pass.</summary>
    Unavailable = 0,

    /// <summary>There is no room: the disk, a quota of the disk, or the store's own cap.</summary>
    Full = 1,

    /// <summary>It can be read and not written.</summary>
    ReadOnly = 2,

    /// <summary>What it holds cannot be understood.</summary>
    Corrupt = 3,
}

/// <summary>
/// The storage itself failed: the only exception (beside cancellation and bad arguments) that a store throws.
/// What was acknowledged before is still true.
/// </summary>
public sealed class UploadStoreException : IOException
{
    /// <summary>Makes the exception.</summary>
    /// <param name="failure">Why.</param>
    /// <param name="message">What failed, for the operator. It is logged, and not sent to clients.</param>
    /// <param name="durableOffset">How many bytes of the upload are durable, or null when that is not known.</param>
    /// <param name="innerException">What the system said.</param>
    public UploadStoreException(StoreFailure failure, string message, long? durableOffset = null, Exception? innerException = null)
        : base(message, innerException)
    {
        Failure = failure;
        DurableOffset = durableOffset;
    }

    /// <summary>Why.</summary>
    public StoreFailure Failure { get; }

    /// <summary>How many bytes of the upload are durable after the failure, or null when that is not known.</summary>
    public long? DurableOffset { get; }
}
