namespace ResumableUploads.Abstractions;

/// <summary>Specifies why a storage failed.</summary>
public enum StoreFailure
{
    /// <summary>The storage does not respond, or fails with an error that may pass. The client gets status code 503.</summary>
    Unavailable = 0,

    /// <summary>There is no space left, or a quota of the storage or of the store is used up. The client gets status code 507.</summary>
    Full = 1,

    /// <summary>The storage can be read but not written. The client gets status code 503.</summary>
    ReadOnly = 2,

    /// <summary>The stored data cannot be understood. The client gets status code 503.</summary>
    Corrupt = 3,
}

/// <summary>
/// The exception that a store throws if its storage failed. Apart from it, a store throws only <see cref="ArgumentException"/> and
/// <see cref="OperationCanceledException"/>. Everything that was acknowledged before is still durable.
/// </summary>
public sealed class UploadStoreException : IOException
{
    /// <summary>Initializes a new instance of the <see cref="UploadStoreException"/> class.</summary>
    /// <param name="failure">Why the storage failed.</param>
    /// <param name="message">What failed, for an operator. The message is logged and not sent to clients.</param>
    /// <param name="durableOffset">The durable offset of the upload, or <see langword="null"/> if it is not known.</param>
    /// <param name="innerException">The exception of the storage, or <see langword="null"/>.</param>
    public UploadStoreException(StoreFailure failure, string message, long? durableOffset = null, Exception? innerException = null)
        : base(message, innerException)
    {
        Failure = failure;
        DurableOffset = durableOffset;
    }

    /// <summary>Gets why the storage failed.</summary>
    public StoreFailure Failure { get; }

    /// <summary>Gets the durable offset of the upload after the failure, or <see langword="null"/> if it is not known.</summary>
    public long? DurableOffset { get; }
}
