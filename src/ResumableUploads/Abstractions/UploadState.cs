namespace ResumableUploads.Abstractions;

/// <summary>How far an upload has come. It only ever goes forward.</summary>
public enum UploadState
{
    /// <summary>Bytes may be appended.</summary>
    Receiving = 0,

    /// <summary>All bytes are durable; the application has not answered for good yet. The offset is frozen.</summary>
    Received = 1,

    /// <summary>The application has run and its outcome is stored. The content may have been taken away.</summary>
    Completed = 2,
}
