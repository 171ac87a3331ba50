using System.Diagnostics.CodeAnalysis;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Hosting.Health;

/// <summary>Tests a store for the health check: one test at a time, and none while a recent result is known.</summary>
internal sealed class StoreProber(IUploadStore store, TimeProvider time)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(5);

    /// <summary>No upload has this key, whose owner and id are no hashes.</summary>
    private static readonly UploadKey MissingUpload = new("health-check", "missing");

    private readonly IStoreProbe? _probe = store.GetCapability<IStoreProbe>();
    private readonly Lock _lock = new();
    private Task<StoreHealth>? _running;
    private long _startTimestamp;

    /// <summary>Tests the store.</summary>
    /// <param name="timeout">The time within which the store must respond.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The health, or null if the store has not responded in time. The test continues, and the next call waits for it.</returns>
    public async Task<StoreHealth?> ProbeAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        Task<StoreHealth> running;
        lock (_lock)
        {
            if (_running is null || (_running.IsCompleted && time.GetElapsedTime(_startTimestamp) >= Lifetime))
            {
                _startTimestamp = time.GetTimestamp();
                _running = Task.Run(RunAsync, CancellationToken.None);
            }

            running = _running;
        }

        try
        {
            return await running.WaitAsync(timeout, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // It may have ended meanwhile.
            return running.IsCompletedSuccessfully ? running.Result : null;
        }
    }

    /// <summary>Gets how long the oldest operation waits inside the store.</summary>
    public TimeSpan LongestWait => _probe?.LongestWait ?? TimeSpan.Zero;

    [SuppressMessage("Design", "CA1031", Justification = "The health check reports any exception of a store.")]
    private async Task<StoreHealth> RunAsync()
    {
        try
        {
            if (_probe is null)
            {
                await store.GetAsync(MissingUpload, CancellationToken.None);
                return new StoreHealth(null, null);
            }

            await _probe.ProbeAsync(CancellationToken.None);
            return new StoreHealth(null, await _probe.GetFreeSpaceAsync(CancellationToken.None));
        }
        catch (Exception e)
        {
            return new StoreHealth(e, null);
        }
    }
}

/// <summary>The result of a test of a store.</summary>
/// <param name="Failure">The exception of the store, or null if it works.</param>
/// <param name="FreeSpace">The free space, in bytes, or null if it is unknown.</param>
internal sealed record StoreHealth(Exception? Failure, long? FreeSpace);
