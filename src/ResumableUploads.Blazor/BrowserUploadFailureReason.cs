namespace ResumableUploads.Blazor;

/// <summary>Why an upload has failed or, in state <see cref="BrowserUploadState.Waiting"/>, why its last request has failed.</summary>
public enum BrowserUploadFailureReason
{
    /// <summary>A reason that this version does not know.</summary>
    Unknown,

    /// <summary>The file is larger than the limit of the server or of the component.</summary>
    TooLarge,

    /// <summary>The type of the file is refused.</summary>
    TypeRefused,

    /// <summary>The session of the user has ended.</summary>
    SignedOut,

    /// <summary>The user is not allowed to upload.</summary>
    Forbidden,

    /// <summary>Another tab or device continues the upload.</summary>
    TakenOver,

    /// <summary>The file has changed since the upload started.</summary>
    FileChanged,

    /// <summary>The browser cannot read the file, for example because it was moved.</summary>
    FileUnreadable,

    /// <summary>The quota of the user is used up.</summary>
    Quota,

    /// <summary>The server has no storage space left.</summary>
    ServerFull,

    /// <summary>The server received other bytes than the browser sent.</summary>
    DigestMismatch,

    /// <summary>The handler of the app has failed and is not tried again.</summary>
    HandlerFailed,

    /// <summary>The app has rejected the file.</summary>
    Rejected,

    /// <summary>The server has deleted the upload.</summary>
    Gone,

    /// <summary>The server cannot be reached, and the retries have ended.</summary>
    Network,

    /// <summary>The server responded with an error, and the retries have ended.</summary>
    Server,

    /// <summary>The URL is not an upload endpoint, or the browser lacks a required feature.</summary>
    Unsupported,
}
