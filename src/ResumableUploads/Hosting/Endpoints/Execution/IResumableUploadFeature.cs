using ResumableUploads.Abstractions;

namespace ResumableUploads;

/// <summary>
/// Describes the upload behind the request of a resumable endpoint: <c>HttpContext.Features.Get&lt;IResumableUploadFeature&gt;()</c>. A request without the
/// headers of an upload protocol does not have this feature.
/// </summary>
public interface IResumableUploadFeature
{
    /// <summary>Gets the key of the upload. It is the same in every attempt to run the endpoint, so it can be used as an idempotency key.</summary>
    UploadKey Key { get; }

    /// <summary>Gets a file name that is safe on any operating system: no path, no reserved name, at most 200 bytes. It is not unique.</summary>
    string FileName { get; }

    /// <summary>Gets the file name as the client sent it. Encode it when you display it; never use it as a path.</summary>
    string? RawFileName { get; }

    /// <summary>Gets the metadata that a tus client sent (<c>Upload-Metadata</c>), not validated. Empty for other protocols.</summary>
    IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Gets the size of the content, in bytes.</summary>
    long Size { get; }

    /// <summary>
    /// Gets the digest of the complete content that the client sent and the server verified, as <c>sha-256=:base64:</c>, or <see langword="null"/>.
    /// </summary>
    string? Digest { get; }

    /// <summary>Gets the number of this attempt to run the endpoint for the upload, starting with 1.</summary>
    int Attempt { get; }

    /// <summary>
    /// Gets whether the endpoint was started for this upload before. An earlier attempt may have completed its work, but its response was lost when the
    /// process ended.
    /// </summary>
    bool IsRepeat { get; }

    /// <summary>
    /// Moves the content to a file: a rename on the same volume, otherwise a copy that is flushed to disk before the original is deleted. Creates the
    /// directory if it does not exist. Can be repeated after a crash.
    /// </summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="overwrite">Whether to replace an existing file. Defaults to <see langword="false"/>.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The full path of the file.</returns>
    /// <exception cref="IOException">Another file exists at the path.</exception>
    Task<string> MoveToFileAsync(string path, bool overwrite = false, CancellationToken cancellationToken = default);

    /// <summary>
    /// Moves the content into a directory as <see cref="FileName"/> or, if that file exists, as the next free name, such as <c>name (1).txt</c>. Can be
    /// repeated after a crash.
    /// </summary>
    /// <param name="directory">The directory. It is created if it does not exist.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The full path of the file.</returns>
    Task<string> MoveToDirectoryAsync(string directory, CancellationToken cancellationToken = default);
}
