namespace ResumableUploads.Abstractions;

/// <summary>Specifies how an append ended.</summary>
public enum AppendStatus
{
    /// <summary>The content was read to its end and its bytes are durable.</summary>
    Appended = 0,

    /// <summary>The content was staged to its end and then discarded. The upload is unchanged.</summary>
    Discarded = 1,

    /// <summary>The upload has a different offset. The content was not read and the upload is unchanged.</summary>
    OffsetMismatch = 2,

    /// <summary>Another call is changing the upload. The content was not read and the upload is unchanged.</summary>
    Busy = 3,

    /// <summary>The upload does not exist, or was deleted during the append.</summary>
    NotFound = 4,

    /// <summary>The upload has left <see cref="UploadState.Receiving"/>. The content was not read and the upload is unchanged.</summary>
    NotReceiving = 5,

    /// <summary>
    /// Another process has taken over the upload during the append, possibly to delete it. The bytes up to <see cref="AppendResult.Offset"/> were durable before that; the others do not count.
    /// </summary>
    TakenOver = 6,
}

/// <summary>The result of <see cref="IUploadStore.AppendAsync"/>.</summary>
/// <param name="Status">The status of the append.</param>
/// <param name="Offset">The durable offset of the upload, in bytes, read after the append, or 0 if the upload does not exist.</param>
/// <param name="Version">
/// The version of the upload after the append, or <see langword="null"/> if <paramref name="Status"/> is <see cref="AppendStatus.NotFound"/>,
/// <see cref="AppendStatus.Busy"/> or <see cref="AppendStatus.TakenOver"/>.
/// </param>
/// <param name="Updated">
/// The upload with the record that <see cref="UploadContent.GetFinalRecord"/> returned, if the store wrote it in the same step; otherwise,
/// <see langword="null"/>.
/// </param>
public readonly record struct AppendResult(AppendStatus Status, long Offset, string? Version, UploadInfo? Updated = null);
