namespace ResumableUploads;

/// <summary>Specifies the state of an upload for an operator.</summary>
public enum ManagedUploadState
{
    /// <summary>Bytes or parts of the upload are missing.</summary>
    Receiving,

    /// <summary>All bytes are stored, and the completion handler is running or has not run yet.</summary>
    Received,

    /// <summary>All bytes are stored. The completion handler has failed and runs again.</summary>
    Failed,

    /// <summary>All bytes are stored. The completion handler has failed and does not run again, unless an operator retries it.</summary>
    DeadLettered,

    /// <summary>The upload is completed.</summary>
    Completed,
}
