namespace ResumableUploads;

/// <summary>Configures the protocol <see href="https://tus.io/protocols/resumable-upload">tus 1.0.0</see>.</summary>
public sealed class ResumableUploadTusOptions
{
    /// <summary>
    /// Gets or sets whether a successful response to the last request of an upload has the body of the handler's response. If not, only clients that send
    /// <c>Prefer: return=representation</c> get it. With a body, the status of the last <c>PATCH</c> is 200, which some clients of tus treat as an error.
    /// </summary>
    /// <remarks>Defaults to <see langword="false"/>: the last <c>PATCH</c> returns 204 without a body.</remarks>
    public bool SendResponseBody { get; set; }
}
