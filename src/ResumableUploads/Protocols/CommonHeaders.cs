namespace ResumableUploads.Protocols;

/// <summary>The headers of responses that are the same in all protocols.</summary>
internal static class CommonHeaders
{
    /// <summary>The condition of the application's response, if the client does not get it.</summary>
    public const string UploadResponse = "X-Upload-Response";

    /// <summary>The value of <see cref="UploadResponse"/> if the upload was completed, and the response of its handler was lost.</summary>
    public const string LostResponse = "lost";
}
