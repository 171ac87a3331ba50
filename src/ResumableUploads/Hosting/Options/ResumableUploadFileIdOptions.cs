namespace ResumableUploads;

/// <summary>Configures the file-id protocol.</summary>
public sealed class ResumableUploadFileIdOptions
{
    /// <summary>Gets or sets whether a request with start byte 0 and a body discards the bytes received so far.</summary>
    /// <remarks>Defaults to <see langword="false"/>: such a request is rejected with 409 if the upload has bytes.</remarks>
    public bool RestartOnZero { get; set; }

    /// <summary>
    /// Gets or sets whether a request body that was received in full completes an upload without a declared size. Turn it off for clients
    /// that send chunks and never a size.
    /// </summary>
    /// <remarks>Defaults to <see langword="true"/>.</remarks>
    public bool CompleteOnFullBody { get; set; } = true;
}
