namespace ResumableUploads.Abstractions;

/// <summary>A store that tests its storage before the first request.</summary>
public interface IStoreStartupCheck
{
    /// <summary>Tests whether the storage meets the requirements of the store, such as access rights, locks and free space.</summary>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>A task that completes when all tests have passed.</returns>
    /// <exception cref="InvalidOperationException">A test failed. The message describes the failed step and how to fix it.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask CheckAsync(CancellationToken cancellationToken);
}
