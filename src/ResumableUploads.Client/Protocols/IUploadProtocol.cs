namespace ResumableUploads.Client.Protocols;

/// <summary>Translates between requests and responses of a protocol and values. It sends nothing and keeps no state.</summary>
internal interface IUploadProtocol
{
    /// <summary>Gets a value indicating whether an upload is created by a request of its own.</summary>
    bool HasCreation { get; }

    /// <summary>Returns the request by which the limits of a server are discovered.</summary>
    HttpRequestMessage CreateDiscovery(Uri uri);

    /// <summary>Returns why the server cannot receive this upload, or null.</summary>
    Step? ReadDiscovery(ServerResponse response, UploadDescription description);

    HttpRequestMessage CreateCreation(UploadDescription description);

    Step ReadCreation(ServerResponse response, UploadDescription description);

    HttpRequestMessage CreateStatus(UploadReference upload);

    Step ReadStatus(ServerResponse response);

    /// <summary>Returns the request for an append. Its content is added to it, with the headers that describe it.</summary>
    HttpRequestMessage CreateAppend(UploadReference upload, UploadDescription description, Append append, HttpContent content);

    Step ReadAppend(ServerResponse response, Append append);

    HttpRequestMessage CreateCancellation(UploadReference upload);
}
