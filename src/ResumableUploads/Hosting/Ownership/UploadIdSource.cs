namespace ResumableUploads.Hosting.Ownership;

/// <summary>Specifies who has chosen the id of the upload that a request is about.</summary>
internal enum UploadIdSource
{
    /// <summary>The client, so that others can guess the id.</summary>
    Client,

    /// <summary>The server: 160 random bits, so that knowing the URL proves that the server or the creator has disclosed it.</summary>
    Server,
}
