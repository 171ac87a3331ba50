namespace ResumableUploads.Client;

/// <summary>The options of one upload.</summary>
public sealed class UploadOptions
{
    /// <summary>Gets or sets the protocol. The default is <see cref="UploadProtocol.FileId"/>.</summary>
    public UploadProtocol Protocol { get; set; } = UploadProtocol.FileId;

    /// <summary>
    /// Gets or sets the id under which the upload is continued: the value of <c>X-File-Id</c> in the file-id protocol, and part of the key in the state store.
    /// </summary>
    /// <remarks>
    /// By default, it is made of the name, size and modification time of the file and a digest of its path and its first and last 64 KiB. A stream that is not a file has a random id by default, so that its upload
    /// cannot be continued by another call. Different content must have different ids. Characters other than visible ASCII are percent-encoded.
    /// </remarks>
    public string? Id { get; set; }

    /// <summary>Gets or sets the file name for the server. The default is the name of the file, if there is one.</summary>
    public string? FileName { get; set; }

    /// <summary>Gets or sets the media type of the content. The default is none.</summary>
    public string? ContentType { get; set; }

    /// <summary>
    /// Gets or sets the length, in bytes, of a stream that cannot seek. The default is <see langword="null"/>: the length is not known before the stream ends. Ignored for files and seekable streams.
    /// </summary>
    public long? Length { get; set; }

    /// <summary>
    /// Gets or sets the maximum size, in bytes, of the body of one request. The default is <see langword="null"/>: a request has all the remaining bytes of a file or seekable stream, and at most
    /// 4 MiB of a stream that cannot seek, which is also the size of its buffer. A lower limit of the server has precedence.
    /// </summary>
    public int? ChunkSize { get; set; }

    /// <summary>
    /// Gets or sets the digest of the whole content that is sent in <c>Repr-Digest</c> of the last request. The default is <see cref="UploadDigest.None"/>.
    /// </summary>
    /// <remarks>The last 64 KiB of a file or seekable stream are then sent in a request of their own. If an upload is continued after a restart, the bytes that the server has are read again.</remarks>
    public UploadDigest Digest { get; set; }

    /// <summary>
    /// Gets or sets the digest of the content of each request, which is sent in <c>Content-Digest</c>. The default is <see cref="UploadDigest.None"/>.
    /// </summary>
    /// <remarks>
    /// The server stores a request only completely, after it has verified the digest. If the digest does not match, the request is sent once more. A request therefore has at most 4 MiB, unless
    /// <see cref="ChunkSize"/> is set, and its bytes are read twice from a file or seekable stream.
    /// </remarks>
    public UploadDigest ChunkDigest { get; set; }

    /// <summary>Gets the options of the HTTP requests.</summary>
    public UploadRequestOptions Request { get; } = new();

    /// <summary>Gets the options of retries.</summary>
    public UploadRetryOptions Retry { get; } = new();
}
