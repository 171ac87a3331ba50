namespace ResumableUploads;

/// <summary>
/// The condition under which an action of <see cref="IUploadManager"/> changes an upload. An action for an upload that a person has chosen from a list should have the
/// condition that the upload is still the one of the list.
/// </summary>
public sealed record UploadActionCondition
{
    /// <summary>
    /// Gets the store of the upload, as in <see cref="ManagedUpload.Store"/>. The default is <see langword="null"/>, which searches the stores of the application in their
    /// order. Two stores can have uploads with the same key.
    /// </summary>
    public string? Store { get; init; }

    /// <summary>
    /// Gets the time at which the upload was created, as in <see cref="ManagedUpload.Created"/>. An upload that was created at another time is not found: a client can send
    /// another upload with the same key. The default is <see langword="null"/>, which means any time.
    /// </summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>
    /// Gets the state of the upload, as in <see cref="ManagedUpload.State"/>. An upload in another state is not changed. The default is <see langword="null"/>, which
    /// means any state.
    /// </summary>
    public ManagedUploadState? State { get; init; }

    /// <summary>Returns the condition that an upload is the one that was listed, and in the same state.</summary>
    /// <param name="upload">The upload.</param>
    /// <returns>The condition.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="upload"/> is null.</exception>
    public static UploadActionCondition Unchanged(ManagedUpload upload)
    {
        ArgumentNullException.ThrowIfNull(upload);
        return new UploadActionCondition { Store = upload.Store, Created = upload.Created, State = upload.State };
    }
}
