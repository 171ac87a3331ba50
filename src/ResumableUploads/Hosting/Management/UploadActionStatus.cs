namespace ResumableUploads;

/// <summary>Specifies the result of an action of <see cref="IUploadManager"/>.</summary>
public enum UploadActionStatus
{
    /// <summary>The upload was changed.</summary>
    Succeeded,

    /// <summary>The upload does not exist, has expired, or was created at another time than <see cref="UploadActionCondition.Created"/>.</summary>
    NotFound,

    /// <summary>The completion handler of the upload is running, or another request or process changes the upload. The action can be repeated later.</summary>
    Busy,

    /// <summary>The action does not apply to the state of the upload, or the state is not <see cref="UploadActionCondition.State"/>. Read the upload again.</summary>
    InvalidState,
}
