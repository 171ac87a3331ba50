namespace ResumableUploads.Abstractions;

/// <summary>A store that tests its storage before the first request.</summary>
public interface IStoreStartupCheck
{
    /// <summary>Tests everything that the store needs from its storage: access rights, locks, free space and so on.</summary>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>A task that completes when all tests have passed.</returns>
    /// <exception cref="InvalidOperationException">A test failed. The message names the failed step and what to change.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask CheckAsync(CancellationToken cancellationToken);
}
