namespace ResumableUploads.Abstractions;

/// <summary>Specifies why a storage failed.</summary>
public enum StoreFailure
{
    /// <summary>The storage does not respond, or fails with a transient error. The client receives status code 503.</summary>
    Unavailable = 0,

    /// <summary>There is no free space, or a quota of the storage or of the store is exceeded. The client receives status code 507.</summary>
    Full = 1,

    /// <summary>The storage can be read but not written. The client receives status code 503.</summary>
    ReadOnly = 2,

    /// <summary>The stored data is invalid or incomplete. The client receives status code 503.</summary>
    Corrupt = 3,
}

/// <summary>
/// The exception that a store throws if its storage failed. The only other exceptions of a store are <see cref="ArgumentException"/> and
/// <see cref="OperationCanceledException"/>. All bytes and records that were acknowledged before are still durable.
/// </summary>
public sealed class UploadStoreException : IOException
{
    /// <summary>Initializes a new instance of the <see cref="UploadStoreException"/> class.</summary>
    /// <param name="failure">The reason for the failure.</param>
    /// <param name="message">The message, which describes the failure to an operator. It is logged, and not sent to clients.</param>
    /// <param name="durableOffset">The durable offset of the upload, or <see langword="null"/> if it is unknown.</param>
    /// <param name="innerException">The exception of the storage, or <see langword="null"/>.</param>
    public UploadStoreException(StoreFailure failure, string message, long? durableOffset = null, Exception? innerException = null)
        : base(message, innerException)
    {
        Failure = failure;
        DurableOffset = durableOffset;
    }

    /// <summary>Gets the reason for the failure.</summary>
    public StoreFailure Failure { get; }

    /// <summary>Gets the durable offset of the upload after the failure, or <see langword="null"/> if it is unknown.</summary>
    public long? DurableOffset { get; }
}
