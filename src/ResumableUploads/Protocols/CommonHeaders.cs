namespace ResumableUploads.Protocols;

/// <summary>The headers of responses that are the same in all protocols.</summary>
internal static class CommonHeaders
{
    /// <summary>The preferences of the client (<see href="https://www.rfc-editor.org/rfc/rfc7240#section-2">RFC 7240 section 2</see>).</summary>
    public const string Prefer = "Prefer";

    /// <summary>The preferences that the server has applied (<see href="https://www.rfc-editor.org/rfc/rfc7240#section-3">RFC 7240 section 3</see>).</summary>
    public const string PreferenceApplied = "Preference-Applied";

    /// <summary>The condition of the application's response, if the client does not get it.</summary>
    public const string UploadResponse = "X-Upload-Response";

    /// <summary>The value of <see cref="UploadResponse"/> if the upload was completed, and the response of its handler was lost.</summary>
    public const string LostResponse = "lost";
}
