namespace ResumableUploads.Abstractions;

/// <summary>How a creation ended.</summary>
public enum CreateStatus
{
    /// <summary>The upload is there, and it was this call that made it: with offset 0, or whole.</summary>
    Created = 0,

    /// <summary>The key is taken; nothing was changed.</summary>
    AlreadyExists = 1,
}

/// <summary>The answer to <see cref="IUploadStore.CreateAsync"/> and <see cref="IUploadStore.CreateCompletedAsync"/>.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Info">The new upload when <see cref="CreateStatus.Created"/>, else null.</param>
public readonly record struct CreateResult(CreateStatus Status, UploadInfo? Info);

/// <summary>How an append ended.</summary>
public enum AppendStatus
{
    /// <summary>The content was taken to its end.</summary>
    Appended = 0,

    /// <summary>The content was staged to its end and then not wanted; nothing was changed.</summary>
    Discarded = 1,

    /// <summary>The upload has another offset; the content was not touched.</summary>
    OffsetMismatch = 2,

    /// <summary>Somebody else is changing the upload; the content was not touched.</summary>
    Busy = 3,

    /// <summary>There is no such upload, or it was deleted while the append ran.</summary>
    NotFound = 4,

    /// <summary>The upload has left <see cref="UploadState.Receiving"/>; the content was not touched.</summary>
    NotReceiving = 5,
}

/// <summary>The answer to <see cref="IUploadStore.AppendAsync"/>.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Offset">The bytes that are really there now, measured and durable; 0 when there is no upload.</param>
/// <param name="Version">The version of the upload now, or null where <paramref name="Status"/> is <see cref="AppendStatus.NotFound"/> or <see cref="AppendStatus.Busy"/>.</param>
public readonly record struct AppendResult(AppendStatus Status, long Offset, string? Version);

/// <summary>How a conditional change ended.</summary>
public enum ChangeStatus
{
    /// <summary>The change is made and durable.</summary>
    Succeeded = 0,

    /// <summary>The record or the offset has changed since the version was read; nothing was changed.</summary>
    VersionMismatch = 1,

    /// <summary>Somebody is appending to or changing the upload; nothing was changed.</summary>
    Busy = 2,

    /// <summary>There is no such upload.</summary>
    NotFound = 3,
}

/// <summary>The answer to <see cref="IUploadStore.UpdateAsync"/>.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Info">The upload after the change when <see cref="ChangeStatus.Succeeded"/>, else null.</param>
public readonly record struct UpdateResult(ChangeStatus Status, UploadInfo? Info);

/// <summary>The answer to <see cref="IUploadStore.DeleteAsync"/>.</summary>
/// <param name="Status">How it ended.</param>
public readonly record struct DeleteResult(ChangeStatus Status);

/// <summary>Which uploads <see cref="IUploadStore.ListAsync"/> gives.</summary>
public sealed record UploadQuery
{
    /// <summary>Only this owner's, or null for everybody's.</summary>
    public string? Owner { get; init; }

    /// <summary>Only those whose <see cref="UploadInfo.Expires"/> is at or before this time, or null for all.</summary>
    public DateTimeOffset? ExpiredAsOf { get; init; }

    /// <summary>
    /// Go on after this key (the last one seen), or null to start at the beginning. The order is the store's own and stays
    /// the same as long as the key is there or not; uploads created meanwhile may or may not be seen.
    /// </summary>
    public UploadKey? StartAfter { get; init; }
}
