namespace ResumableUploads.Abstractions;

/// <summary>A store that several processes share, and that can ask the process that appends to an upload to end its append.</summary>
/// <remarks>
/// A client whose connection broke often reconnects to another process while the first one still waits for bytes. Without this capability, the second process
/// rejects its appends with 503 until the first one notices, and a status request reports only the bytes that are durable so far.
/// </remarks>
public interface ITakeoverStore
{
    /// <summary>
    /// Answers the requests of other processes until the token is canceled: ends running appends of this store with <see cref="UploadContent.RequestRelease"/>.
    /// The server calls this method once per store, when it starts, and again 10 seconds after it has thrown, which is logged.
    /// </summary>
    /// <param name="cancellationToken">The token that is canceled when the server stops.</param>
    /// <returns>A task that completes when the token is canceled, or immediately if the store needs no requests.</returns>
    Task ListenAsync(CancellationToken cancellationToken);

    /// <summary>Asks another process that appends to an upload to end its append, and waits until it has.</summary>
    /// <remarks>
    /// When the task completes with <see cref="TakeoverStatus.Released"/>, no more bytes of that append count: later calls return an offset that it can
    /// no longer change. Appends of this store are not ended.
    /// </remarks>
    /// <param name="key">The key of the upload.</param>
    /// <param name="timeout">The maximum time to wait for the other process.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The status of the append of the other process.</returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask<TakeoverStatus> TakeOverAsync(UploadKey key, TimeSpan timeout, CancellationToken cancellationToken);
}

/// <summary>Specifies how a takeover ended.</summary>
public enum TakeoverStatus
{
    /// <summary>No other process is known that uses the storage.</summary>
    NotShared = 0,

    /// <summary>No other process was appending to the upload.</summary>
    NotAppending = 1,

    /// <summary>Another process was appending to the upload, and has ended its append.</summary>
    Released = 2,

    /// <summary>Another process is still appending to the upload after the timeout.</summary>
    StillAppending = 3,
}
