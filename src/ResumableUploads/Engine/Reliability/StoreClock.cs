using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Infrastructure;

namespace ResumableUploads.Engine.Reliability;

/// <summary>
/// The clock of a storage. All times in records are times of this clock, so that a wrong clock of one machine neither expires the uploads of others nor delays
/// their handlers.
/// </summary>
internal sealed class StoreClock(IStoreClock store, TimeProvider time, ILogger logger) : AnchoredClock(time)
{
    /// <summary>The difference from the clock of the machine above which a warning is logged.</summary>
    private static readonly TimeSpan MaxDifference = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan ReadInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(10);
    private bool _isDifferent;
    private bool _hasFailed;

    /// <summary>Reads the clock of the storage. After a failure, the last reading stays in use.</summary>
    public async Task SynchronizeAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var timeout = new CancellationTokenSource(ReadTimeout, this);
            using var source = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
            long start = GetTimestamp();
            SetUtcNow(await store.GetUtcNowAsync(source.Token).AsTask().WaitAsync(source.Token), start);
            _hasFailed = false;
            ReportDifference();
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            if (!_hasFailed)
            {
                Log.StoreClockNotRead(logger, e);
            }

            _hasFailed = true;
        }
    }

    /// <summary>Reads the clock of the storage at intervals, until the token is canceled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(ReadInterval, this, cancellationToken);
                await SynchronizeAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The server is stopping.
        }
    }

    private void ReportDifference()
    {
        TimeSpan difference = Machine.GetUtcNow() - GetUtcNow();
        bool isDifferent = difference.Duration() > MaxDifference;
        if (isDifferent && !_isDifferent)
        {
            Log.ClockDiffers(logger, difference);
        }

        _isDifferent = isDifferent;
    }
}
