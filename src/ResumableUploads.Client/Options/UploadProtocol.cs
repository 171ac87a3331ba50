namespace ResumableUploads.Client;

/// <summary>The protocol of an upload.</summary>
public enum UploadProtocol
{
    /// <summary>The file-id protocol, in which the client names the upload in the header <c>X-File-Id</c>.</summary>
    FileId,

    /// <summary>tus 1.0.0.</summary>
    Tus,

    /// <summary>Resumable Uploads for HTTP, interop version 10 of the IETF draft.</summary>
    Ietf,
}
