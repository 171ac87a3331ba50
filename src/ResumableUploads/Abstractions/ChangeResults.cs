namespace ResumableUploads.Abstractions;

/// <summary>Specifies how an update or a deletion ended.</summary>
public enum ChangeStatus
{
    /// <summary>The change was made and is durable.</summary>
    Succeeded = 0,

    /// <summary>The record or the offset has changed since the version was read. Nothing was changed.</summary>
    VersionMismatch = 1,

    /// <summary>Another call is appending to the upload or changing it. Nothing was changed.</summary>
    Busy = 2,

    /// <summary>The upload does not exist.</summary>
    NotFound = 3,
}

/// <summary>The result of <see cref="IUploadStore.UpdateAsync"/> or <see cref="IUploadStore.CompleteAsync"/>.</summary>
/// <param name="Status">The status of the update.</param>
/// <param name="Info">The upload after the update if <paramref name="Status"/> is <see cref="ChangeStatus.Succeeded"/>; otherwise <see langword="null"/>.</param>
public readonly record struct UpdateResult(ChangeStatus Status, UploadInfo? Info);

/// <summary>The result of <see cref="IUploadStore.DeleteAsync"/>.</summary>
/// <param name="Status">The status of the deletion.</param>
public readonly record struct DeleteResult(ChangeStatus Status);
