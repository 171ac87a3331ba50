namespace ResumableUploads.Client;

/// <summary>Keeps the states of uploads, so that they can be continued after a restart. The URL of an upload is a capability: store it like a password.</summary>
public interface IUploadStateStore
{
    /// <summary>Returns the state of an upload.</summary>
    /// <param name="key">The key: 64 hexadecimal digits.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The state, or <see langword="null"/> if there is none.</returns>
    ValueTask<UploadStateEntry?> GetAsync(string key, CancellationToken cancellationToken);

    /// <summary>Stores the state of an upload. An earlier state with the same key is replaced.</summary>
    /// <param name="key">The key: 64 hexadecimal digits.</param>
    /// <param name="state">The state.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>A task that completes when the state is stored.</returns>
    ValueTask SetAsync(string key, UploadStateEntry state, CancellationToken cancellationToken);

    /// <summary>Removes the state of an upload, if there is one.</summary>
    /// <param name="key">The key: 64 hexadecimal digits.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>A task that completes when the state is removed.</returns>
    ValueTask RemoveAsync(string key, CancellationToken cancellationToken);
}
