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

    /// <summary>Gets the ticket with which the upload was created, or <see langword="null"/> if it was created without one.</summary>
    UploadTicketInfo? Ticket { get; }

    /// <summary>
    /// Moves the content to a file: a rename on the same volume, otherwise a copy that is flushed to disk before the original is deleted. Creates the
    /// directory if it does not exist. Can be repeated after a crash.
    /// </summary>
    /// <remarks>
    /// If the store does not have <see cref="IContentMover"/>, like most stores on object storage, this is a download: all bytes pass through the server, and
    /// the original stays in the store. Use <see cref="CopyToContainerAsync"/> to copy the content within the storage service.
    /// </remarks>
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
    /// <remarks>
    /// If the store does not have <see cref="IContentMover"/>, like most stores on object storage, this is a download: all bytes pass through the server, and
    /// the original stays in the store. Use <see cref="CopyToContainerAsync"/> to copy the content within the storage service.
    /// </remarks>
    /// <param name="directory">The directory. It is created if it does not exist.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The full path of the file.</returns>
    Task<string> MoveToDirectoryAsync(string directory, CancellationToken cancellationToken = default);

    /// <summary>
    /// Copies the content to an object of the storage service in which the store keeps it, so that the bytes do not pass through the server. The upload stays
    /// in the store. The call can be repeated after a crash.
    /// </summary>
    /// <param name="container">The name of the container or bucket. It must exist.</param>
    /// <param name="name">The name of the object in the container. Never derive it from <see cref="RawFileName"/> without validation.</param>
    /// <param name="overwrite">Whether to replace an existing object. Default: <see langword="false"/>.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>A task that completes when the copy is durable.</returns>
    /// <exception cref="IOException">Another object exists at the target.</exception>
    /// <exception cref="NotSupportedException">The store does not have <see cref="IContentCopier"/>.</exception>
    /// <exception cref="InvalidOperationException">The upload was deleted or replaced.</exception>
    /// <exception cref="UploadStoreException">The storage failed, or the upload was locked by another request or process for 30 seconds.</exception>
    Task CopyToContainerAsync(string container, string name, bool overwrite = false, CancellationToken cancellationToken = default);

    /// <summary>Creates a URL of the storage service that lets its bearer read the content until it expires.</summary>
    /// <param name="lifetime">The time until the URL expires. It must be positive; the service may limit it to seven days.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The URL. It is valid only as long as the upload is in the store. Treat it as a secret.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="lifetime"/> is not positive, or longer than the service allows.</exception>
    /// <exception cref="NotSupportedException">The store does not have <see cref="IContentUrlProvider"/>.</exception>
    /// <exception cref="InvalidOperationException">The upload was deleted or replaced, or the credentials of the store cannot sign URLs.</exception>
    /// <exception cref="UploadStoreException">The storage failed, or the upload was locked by another request or process for 30 seconds.</exception>
    Task<Uri> CreateReadUrlAsync(TimeSpan lifetime, CancellationToken cancellationToken = default);
}
