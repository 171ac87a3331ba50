namespace ResumableUploads.Client;

/// <summary>The options of the HTTP requests of an upload.</summary>
public sealed class UploadRequestOptions
{
    /// <summary>
    /// Gets or sets the method of the requests that create or, in the file-id protocol, append. The default is <see cref="HttpMethod.Post"/>. Ignored by tus.
    /// </summary>
    public HttpMethod Method { get; set; } = HttpMethod.Post;

    /// <summary>Gets additional headers of each request. They must not be headers of the protocol.</summary>
    public IDictionary<string, string> Headers { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Gets additional metadata of tus. <c>filename</c> and <c>filetype</c> are added if they are not here. Ignored by the other protocols.</summary>
    public IDictionary<string, string> Metadata { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>
    /// Gets or sets a callback that runs before each request is sent, for example to set a new access token. If a request with this callback gets a 401, it is sent once more.
    /// </summary>
    public Func<UploadRequestContext, CancellationToken, ValueTask>? BeforeRequest { get; set; }
}
