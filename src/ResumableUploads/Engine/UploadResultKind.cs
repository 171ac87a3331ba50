namespace ResumableUploads.Engine;

/// <summary>Specifies the kind of a result. Each protocol has one table that maps the kinds to responses.</summary>
internal enum UploadResultKind
{
    /// <summary>The bytes are durable, and the upload is still receiving.</summary>
    Appended,

    /// <summary>The upload is completed. <see cref="UploadResult.Response"/> is the application's response, if it has one.</summary>
    Completed,

    /// <summary>As <see cref="Completed"/>, but the upload was completed before this request, which only requested the response.</summary>
    Replayed,

    /// <summary>The upload is removed. The result has no offset if the upload did not exist.</summary>
    Cancelled,

    /// <summary>The upload does not exist.</summary>
    NotFound,

    /// <summary>The request differs from the one that created the upload in a property that must be the same.</summary>
    DifferentRequest,

    /// <summary>The offset in the request is not the offset of the upload.</summary>
    OffsetMismatch,

    /// <summary>The upload already has all its bytes, and the request contains more.</summary>
    AlreadyComplete,

    /// <summary>The size or the digest in the request differs from that of the upload, which has all its bytes. The request is about other content.</summary>
    DifferentContent,

    /// <summary>The content coding of the body differs from that of the upload.</summary>
    ContentCodingMismatch,

    /// <summary>The length in the request differs from the length of the upload, or is less than the offset.</summary>
    LengthConflict,

    /// <summary>The body exceeds the length of the upload.</summary>
    LengthExceeded,

    /// <summary>The upload is larger than the maximum size of an upload.</summary>
    UploadTooLarge,

    /// <summary>The body is larger than the maximum size of one append.</summary>
    AppendTooLarge,

    /// <summary>The body does not match its digest and was discarded.</summary>
    DigestMismatch,

    /// <summary>The digest that was announced for the trailer is missing or malformed, and the body was discarded.</summary>
    DigestMissing,

    /// <summary>All bytes are stored, but the whole content does not match its digest. The client cannot fix this by resending bytes.</summary>
    ReprDigestMismatch,

    /// <summary>The store cannot stage this body, so its digest cannot be verified before the bytes are committed.</summary>
    DigestUnsupported,

    /// <summary>Another request for the upload preempted this one.</summary>
    Preempted,

    /// <summary>The client disconnected, or the body was malformed.</summary>
    Interrupted,

    /// <summary>No bytes arrived within the idle timeout.</summary>
    IdleTimeout,

    /// <summary>The bytes arrived more slowly than the minimum data rate.</summary>
    BelowMinDataRate,

    /// <summary>The server is stopping.</summary>
    ShuttingDown,

    /// <summary>Another request or process is changing the upload.</summary>
    Busy,

    /// <summary>The completion handler is still running.</summary>
    HandlerRunning,

    /// <summary>The completion handler failed. It can run again without new bytes.</summary>
    HandlerFailed,

    /// <summary>The completion handler failed too often. The engine does not run it again.</summary>
    DeadLettered,

    /// <summary>The application rejected the upload before it was created.</summary>
    Rejected,

    /// <summary>The permission of the request belongs to another upload, or its upload was removed.</summary>
    PermitUsed,

    /// <summary>The upload is a concatenation of others, so no bytes can be appended.</summary>
    ConcatenationNotAppendable,

    /// <summary>One of the uploads to concatenate does not exist or is not a part.</summary>
    PartNotFound,

    /// <summary>The metadata of the upload does not fit into its record.</summary>
    MetadataTooLarge,

    /// <summary>The owner has too many unfinished uploads.</summary>
    TooManyUploads,

    /// <summary>The owner has too many appends running.</summary>
    TooManyAppends,

    /// <summary>The owner's uploads in the store have too many bytes.</summary>
    OwnerQuotaExceeded,

    /// <summary>The store has no free space.</summary>
    StorageFull,

    /// <summary>The store failed.</summary>
    StorageFailed,
}
