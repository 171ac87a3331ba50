namespace ResumableUploads.Abstractions;

/// <summary>A store whose storage service can serve the content of a finished upload to the bearer of a URL.</summary>
/// <remarks><see cref="DelegatingUploadStore"/> does not forward this capability.</remarks>
public interface IContentUrlProvider
{
    /// <summary>Creates a URL that lets its bearer read the content until it expires. If the content consists of several objects, they are composed into one first.</summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="version">The version that was read. It identifies the upload, because an upload can be replaced by another one with the same key.</param>
    /// <param name="lifetime">The time until the URL expires. It must be positive; the service may limit it to seven days.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>
    /// The URL, or <see langword="null"/> if the upload does not exist, has changed since the version was read, or is in state <see cref="UploadState.Receiving"/>.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="lifetime"/> is not positive, or longer than the service allows.</exception>
    /// <exception cref="InvalidOperationException">The store was configured with credentials that cannot sign URLs.</exception>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask<Uri?> CreateReadUrlAsync(UploadKey key, string version, TimeSpan lifetime, CancellationToken cancellationToken);
}
