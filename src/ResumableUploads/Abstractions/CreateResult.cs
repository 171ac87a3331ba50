namespace ResumableUploads.Abstractions;

/// <summary>Specifies how the creation of an upload ended.</summary>
public enum CreateStatus
{
    /// <summary>This call created the upload.</summary>
    Created = 0,

    /// <summary>An upload with this key exists. Nothing was changed.</summary>
    AlreadyExists = 1,
}

/// <summary>The result of <see cref="IUploadStore.CreateAsync"/> and <see cref="ISingleRequestStore.CreateCompletedAsync"/>.</summary>
/// <param name="Status">The status of the creation.</param>
/// <param name="Info">The new upload if <paramref name="Status"/> is <see cref="CreateStatus.Created"/>; otherwise <see langword="null"/>.</param>
public readonly record struct CreateResult(CreateStatus Status, UploadInfo? Info);
