namespace ResumableUploads.Abstractions;

/// <summary>
/// The metadata of an upload: fields that the store may use, and <see cref="Data"/>, which the store returns unchanged.
/// </summary>
public sealed record UploadRecord
{
    /// <summary>The maximum size, in bytes, of <see cref="Data"/>: 65,536.</summary>
    public const int MaxDataLength = 64 * 1024;

    /// <summary>Gets the state of the upload. The default is <see cref="UploadState.Receiving"/>.</summary>
    public UploadState State { get; init; }

    /// <summary>
    /// Gets the length, in bytes, of the whole content, or <see langword="null"/> if it is unknown. A store may use it for preallocation, but
    /// does not enforce it.
    /// </summary>
    public long? Length { get; init; }

    /// <summary>
    /// Gets the time after the last append or update at which the upload expires, or <see langword="null"/> if it does not expire after inactivity.
    /// </summary>
    public TimeSpan? SlidingExpiration { get; init; }

    /// <summary>Gets the time at which the upload expires regardless of changes, or <see langword="null"/> if there is no such time.</summary>
    public DateTimeOffset? AbsoluteExpiration { get; init; }

    /// <summary>Gets data that is opaque to the store, at most <see cref="MaxDataLength"/> bytes.</summary>
    public ReadOnlyMemory<byte> Data { get; init; }
}

/// <summary>Specifies the state of an upload. The state never returns to a preceding one.</summary>
public enum UploadState
{
    /// <summary>Bytes can be appended.</summary>
    Receiving = 0,

    /// <summary>All bytes are durable and the offset no longer changes. The completion handler has not run yet, is running, or has failed.</summary>
    Received = 1,

    /// <summary>The completion handler has ended and its response is stored. The content may have been moved out of the store.</summary>
    Completed = 2,
}
