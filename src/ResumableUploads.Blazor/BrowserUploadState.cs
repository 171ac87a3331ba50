namespace ResumableUploads.Blazor;

/// <summary>The state of an upload in the browser.</summary>
public enum BrowserUploadState
{
    /// <summary>The upload has not started, because other uploads are running or all are paused.</summary>
    Idle,

    /// <summary>The id of the file is computed, and the server is asked for its limits and the offset.</summary>
    Preparing,

    /// <summary>Bytes are sent.</summary>
    Uploading,

    /// <summary>The upload waits for the network or for the next retry.</summary>
    Waiting,

    /// <summary>The upload is paused. The server keeps the received bytes.</summary>
    Paused,

    /// <summary>The server has the whole file, and its handler has succeeded.</summary>
    Completed,

    /// <summary>The upload has failed. <see cref="BrowserUpload.Failure"/> has the reason.</summary>
    Failed,

    /// <summary>The upload is canceled and deleted from the server.</summary>
    Canceled,
}
