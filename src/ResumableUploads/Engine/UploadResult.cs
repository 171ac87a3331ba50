using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine;

/// <summary>The result of a request for an upload.</summary>
/// <param name="Kind">The kind of the result.</param>
/// <param name="Offset">The durable offset of the upload, in bytes, if it is known.</param>
internal sealed record UploadResult(UploadResultKind Kind, long? Offset = null)
{
    /// <summary>Gets the offset in the request.</summary>
    public long? ProvidedOffset { get; init; }

    /// <summary>Gets the length of the upload, in bytes, if it is known.</summary>
    public long? UploadLength { get; init; }

    /// <summary>Gets the maximum size of the upload, in bytes.</summary>
    public long? MaxUploadSize { get; init; }

    /// <summary>Gets the maximum length of the body of the request, in bytes, or null if only the size of the upload is limited.</summary>
    public long? MaxBodyLength { get; init; }

    /// <summary>Gets the application's response as it is stored, or null if the application has none of its own.</summary>
    public ReadOnlyMemory<byte>? Response { get; init; }

    /// <summary>Gets whether the response has a longer body than <see cref="Response"/>, which the application writes to the client itself.</summary>
    public bool IsResponseBodyTruncated { get; init; }

    /// <summary>Gets whether the application's response was stored and cannot be read any more.</summary>
    public bool IsResponseLost { get; init; }

    /// <summary>Gets whether the store failed because the upload is damaged, which does not change if the request is repeated.</summary>
    public bool IsDamaged { get; init; }

    /// <summary>Gets or sets whether this request created the upload.</summary>
    public bool IsCreated { get; set; }

    /// <summary>Gets the digest of the whole content that the client requested, as <c>algorithm=:base64:</c>, or null if it requested none.</summary>
    public string? ReprDigest { get; init; }

    /// <summary>Gets the time at which the upload expires, or null if it is finished or the time is unknown.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>Gets the reason why the application rejected the upload.</summary>
    public Rejection? Rejection { get; init; }

    /// <summary>Returns the result for a failure of the store.</summary>
    public static UploadResult FromException(UploadStoreException e) =>
        new(e.Failure == StoreFailure.Full ? UploadResultKind.StorageFull : UploadResultKind.StorageFailed, e.DurableOffset) { IsDamaged = e.Failure == StoreFailure.Corrupt };
}

/// <summary>The application's rejection of a new upload.</summary>
/// <param name="StatusCode">The status code of the response.</param>
/// <param name="Reason">The reason, which the client sees.</param>
internal sealed record Rejection(int StatusCode, string Reason);
