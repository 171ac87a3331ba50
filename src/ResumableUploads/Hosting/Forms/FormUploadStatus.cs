namespace ResumableUploads;

/// <summary>Specifies what an id in a form refers to.</summary>
public enum FormUploadStatus
{
    /// <summary>A completed upload of the client that sent the form. Its content is in the store.</summary>
    Completed = 0,

    /// <summary>An upload that is not complete: bytes are missing, or its completion handler has not succeeded.</summary>
    Incomplete = 1,

    /// <summary>An upload that its completion handler has rejected with a status code of 400 or greater, or whose stored response was lost.</summary>
    Rejected = 2,

    /// <summary>An upload whose content was moved out of the store by its completion handler.</summary>
    Moved = 3,

    /// <summary>No upload of this client: the id is unknown or malformed, the upload has expired or was deleted, or it belongs to another owner.</summary>
    NotFound = 4,
}
