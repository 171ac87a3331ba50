using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine;

/// <summary>How a request ended, in the engine's words. Each protocol has one table from these to its answers.</summary>
internal enum UploadResultKind
{
    /// <summary>The bytes are kept, and the upload goes on.</summary>
    Appended,

    /// <summary>The upload is completed; <see cref="UploadResult.Response"/> is the application's stored outcome, if it has one.</summary>
    Completed,

    /// <summary>The upload is gone, or never was.</summary>
    Cancelled,

    NotFound,
    OffsetMismatch,

    /// <summary>The upload is finished and the request has bytes for it.</summary>
    AlreadyComplete,

    /// <summary>The stated length is not the one that is known, or less than what is there.</summary>
    LengthConflict,

    /// <summary>The body goes past the upload length.</summary>
    LengthExceeded,

    /// <summary>The content is larger than the server takes.</summary>
    UploadTooLarge,

    /// <summary>The body is larger than what one request may have.</summary>
    AppendTooLarge,
    DigestMismatch,

    /// <summary>The store cannot stage this body, so its digest cannot be checked before it counts.</summary>
    DigestUnsupported,

    /// <summary>Another request has taken this upload over.</summary>
    Preempted,

    /// <summary>The body was cut off.</summary>
    Interrupted,
    IdleTimeout,
    BelowMinDataRate,
    ShuttingDown,

    /// <summary>Somebody else, perhaps another process, is changing the upload.</summary>
    Busy,

    /// <summary>The handler is still running.</summary>
    HandlerRunning,

    /// <summary>The handler failed; it may be run again without new bytes.</summary>
    HandlerFailed,

    /// <summary>The handler failed as often as it may.</summary>
    DeadLettered,

    /// <summary>The application refused the upload before it was made.</summary>
    Rejected,

    /// <summary>The upload is put together from others: nobody appends to it.</summary>
    ConcatenationNotAppendable,

    /// <summary>One of the uploads to be joined is not there, or is not a part.</summary>
    PartNotFound,

    /// <summary>What the client says about the upload is more than its record has room for.</summary>
    MetadataTooLarge,
    TooManyUploads,
    TooManyAppends,
    OwnerQuotaExceeded,
    StorageFull,
    StorageFailed,
}

/// <summary>How a request ended.</summary>
/// <param name="Kind">In one word.</param>
/// <param name="Offset">How many bytes the upload has, where that is known.</param>
internal sealed record UploadResult(UploadResultKind Kind, long? Offset = null)
{
    /// <summary>The offset that the client stated.</summary>
    public long? ProvidedOffset { get; init; }

    public long? UploadLength { get; init; }

    /// <summary>The largest content that would have been taken.</summary>
    public long? MaxUploadSize { get; init; }

    /// <summary>The application's answer as it was stored, or null where it has none of its own.</summary>
    public ReadOnlyMemory<byte>? Response { get; init; }

    /// <summary>Whether the answer has a body that is longer than what is stored, and follows by itself.</summary>
    public bool IsResponseBodyTruncated { get; init; }

    /// <summary>Whether the digest that does not match is one of the whole content, and all bytes are there: nothing can be sent again.</summary>
    public bool IsFinalDigestMismatch { get; init; }

    /// <summary>Whether there was nothing to match: the digest was to come behind the body, and did not, or cannot be read.</summary>
    public bool IsDigestMissing { get; init; }

    /// <summary>Whether the upload is a part of something larger, and has all its bytes.</summary>
    public bool IsCompletedPart { get; init; }

    /// <summary>Whether this request has made the upload.</summary>
    public bool IsCreated { get; init; }

    /// <summary>Whether the upload was finished, and its answer stored, before this request.</summary>
    public bool IsReplay { get; init; }

    /// <summary>The digest of the whole content that its client wanted to be told, as <c>algorithm=:base64:</c>; null where it wanted none.</summary>
    public string? ReprDigest { get; init; }

    /// <summary>When the upload may be removed, where it is not finished and that is known.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>Why the application refused.</summary>
    public Rejection? Rejection { get; init; }

    /// <summary>What a storage that failed comes to.</summary>
    public static UploadResult FromException(UploadStoreException e) =>
        new(e.Failure == StoreFailure.Full ? UploadResultKind.StorageFull : UploadResultKind.StorageFailed, e.DurableOffset);
}

/// <summary>The application's no.</summary>
/// <param name="StatusCode">The status that it wants sent.</param>
/// <param name="Reason">The words that it wants sent.</param>
internal sealed record Rejection(int StatusCode, string Reason);

/// <summary>What a client is told that asks how far an upload is.</summary>
/// <param name="Exists">Whether there is one.</param>
/// <param name="Offset">How many bytes it has.</param>
/// <param name="UploadLength">The upload length, where it is known.</param>
/// <param name="IsComplete">Whether nothing can be appended any more.</param>
/// <param name="Info">The upload itself, for protocols that tell more of it.</param>
internal readonly record struct UploadStatus(bool Exists, long Offset, long? UploadLength, bool IsComplete, UploadInfo? Info = null)
{
    /// <summary>When the upload may be removed, where it is not finished and that is known.</summary>
    public DateTimeOffset? Expires => Info is { State: UploadState.Receiving } ? Info.Expires : null;
}
