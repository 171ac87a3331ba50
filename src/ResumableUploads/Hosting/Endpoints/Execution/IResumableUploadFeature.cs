using ResumableUploads.Abstractions;

namespace ResumableUploads;

/// <summary>
/// What an endpoint can know about the upload that its request was put together from: <c>HttpContext.Features.Get&lt;IResumableUploadFeature&gt;()</c>.
/// A request that came in one piece, without a protocol's headers, has none.
/// </summary>
public interface IResumableUploadFeature
{
    /// <summary>The name of the upload: the same for every run of the endpoint for it. An idempotency key.</summary>
    UploadKey Key { get; }

    /// <summary>A file name that is safe to use below a directory on any system: no path, no reserved name, at most 200 bytes. It is not unique.</summary>
    string FileName { get; }

    /// <summary>The name as the client sent it. Show it encoded; never use it as a path.</summary>
    string? RawFileName { get; }

    /// <summary>What the client said about the upload in pairs (<c>Upload-Metadata</c> of tus), unchecked. Empty for other protocols.</summary>
    IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>How many bytes the content has.</summary>
    long Size { get; }

    /// <summary>A digest of the whole content that the client sent and the server has verified, as <c>sha-256=:base64:</c>, or null.</summary>
    string? Digest { get; }

    /// <summary>Which run of the endpoint this is for this upload, from 1.</summary>
    int Attempt { get; }

    /// <summary>
    /// Whether the endpoint has been started for this upload before: it may have done its work, and its answer been lost with the process.
    /// </summary>
    bool IsRepeat { get; }

    /// <summary>
    /// Moves the content to a path: a rename on one volume, else a copy that is synced before the original goes. The directory is made where
    /// it is missing. It may be repeated after a crash.
    /// </summary>
    /// <param name="path">Where to.</param>
    /// <param name="overwrite">Whether a file that is there is replaced. Default: false.</param>
    /// <param name="cancellationToken">Ends a copy.</param>
    /// <returns>The full path of the file.</returns>
    /// <exception cref="IOException">Another file is at the path.</exception>
    Task<string> MoveToFileAsync(string path, bool overwrite = false, CancellationToken cancellationToken = default);

    /// <summary>
    /// Moves the content into a directory, under <see cref="FileName"/> or, where that is taken, under the next free name like
    /// <c>name (1).txt</c>. It may be repeated after a crash.
    /// </summary>
    /// <param name="directory">Where to. It is made where it is missing.</param>
    /// <param name="cancellationToken">Ends a copy.</param>
    /// <returns>The full path of the file.</returns>
    Task<string> MoveToDirectoryAsync(string directory, CancellationToken cancellationToken = default);
}
