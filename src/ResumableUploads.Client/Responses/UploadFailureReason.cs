namespace ResumableUploads.Client;

/// <summary>The reason for which an upload has failed.</summary>
public enum UploadFailureReason
{
    /// <summary>The server or the app has rejected the upload. <see cref="UploadException.Response"/> has its response.</summary>
    Rejected,

    /// <summary>The content is larger than the server allows.</summary>
    TooLarge,

    /// <summary>The uploads of the user have more bytes than the server allows.</summary>
    QuotaExceeded,

    /// <summary>The server requires authentication, or has redirected to another page, such as a sign-in page.</summary>
    SignedOut,

    /// <summary>The server has denied access.</summary>
    Forbidden,

    /// <summary>Another client or call has continued the upload.</summary>
    TakenOver,

    /// <summary>The content has changed during the upload.</summary>
    SourceChanged,

    /// <summary>The content could not be read.</summary>
    SourceFailed,

    /// <summary>The digest of the content on the server differs. The upload was deleted, so that the next call starts again.</summary>
    DigestMismatch,

    /// <summary>The server has an upload of other content under this id.</summary>
    DifferentContent,

    /// <summary>The upload no longer exists on the server, and the content cannot be read again from its start.</summary>
    Gone,

    /// <summary>The server does not support the protocol, or an extension that this upload requires.</summary>
    NotSupported,

    /// <summary>The response does not come from an upload endpoint, or violates the protocol.</summary>
    UnexpectedResponse,

    /// <summary>The last retry has failed. A later call can continue the upload.</summary>
    RetriesExhausted,
}
