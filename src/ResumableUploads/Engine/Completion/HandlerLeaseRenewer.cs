using ResumableUploads.Abstractions;
using ResumableUploads.Infrastructure;

namespace ResumableUploads.Engine.Completion;

/// <summary>
/// Renews the lease of a completion handler while the handler runs, so that no other process starts it. A renewal that fails, for example because the
/// store is busy, is repeated with increasing delays until it succeeds or another process has the lease. If none succeeds in time, the token of the handler is
/// canceled before another process can start the handler.
/// </summary>
internal sealed class HandlerLeaseRenewer : IAsyncDisposable
{
    private readonly EngineContext _context;
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _handlerCancellation = new();
    private readonly CancellationTokenRegistration _stopRegistration;
    private readonly ITimer _deadline;
    private readonly Task _renewal;
    private EngineRecord _record;

    public HandlerLeaseRenewer(EngineContext context, UploadInfo info, EngineRecord record)
    {
        _context = context;
        Info = info;
        _record = record;
        HandlerToken = _handlerCancellation.Token;
        _stopRegistration = context.Stopping.UnsafeRegister(static self => ((HandlerLeaseRenewer)self!).CancelHandler(), this);
        _deadline = context.Time.CreateTimer(static self => ((HandlerLeaseRenewer)self!).OnDeadline(), this, TimeUntilDeadline, Timeout.InfiniteTimeSpan);
        _renewal = RenewLoopAsync();
    }

    /// <summary>
    /// Gets the token for the handler. It is canceled when the server stops, when the lease could not be renewed in time, when another process has leased or
    /// completed the upload, or when the upload was deleted or replaced.
    /// </summary>
    public CancellationToken HandlerToken { get; }

    /// <summary>Gets whether the token of the handler was canceled because no renewal succeeded in time.</summary>
    public bool IsExpired { get; private set; }

    /// <summary>Gets the upload as this process last wrote it.</summary>
    public UploadInfo Info { get; private set; }

    private TimeSpan Duration => _context.Settings.HandlerLeaseDuration;

    /// <summary>Gets the time that the handler can still run without a renewal. The last tenth of the lease is left to the handler to react to its token.</summary>
    private TimeSpan TimeUntilDeadline
    {
        get
        {
            TimeSpan elapsed = _record.Handler?.LeaseTimestamp is { } renewed ? _context.Time.GetElapsedTime(renewed) : TimeSpan.Zero;
            TimeSpan remaining = (Duration * 0.9) - elapsed;
            return remaining > TimeSpan.Zero ? remaining : TimeSpan.Zero;
        }
    }

    /// <summary>Stops the renewal.</summary>
    /// <returns>The engine's data as last written.</returns>
    public async ValueTask<EngineRecord> StopAsync()
    {
        await _stop.CancelAsync();
        await _renewal;
        await _deadline.DisposeAsync();
        return _record;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _stopRegistration.DisposeAsync();
        _stop.Dispose();
    }

    private async Task RenewLoopAsync()
    {
        TimeSpan interval = Duration / 3;
        TimeSpan delay = interval;
        int failures = 0;
        bool isLost = false;
        while (!isLost)
        {
            await Task.Delay(delay, _context.Time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_stop.IsCancellationRequested)
            {
                return;
            }

            bool isRenewed = false;
            try
            {
                (isRenewed, isLost) = await TryRenewAsync();
            }
            catch (Exception e)
            {
                Log.LeaseRenewalFailed(_context.Logger, e, Info.Key);
            }

            // Repeated also after the deadline: a handler that ignores its token still runs, and another run at the same time is prevented as long as possible.
            failures = isRenewed ? 0 : failures + 1;
            delay = isRenewed ? interval : Backoff.GetDelay(Duration / 100, Duration / 10, failures);
        }

        Log.LeaseLost(_context.Logger, Info.Key);
        CancelHandler();
    }

    private async ValueTask<(bool IsRenewed, bool IsLost)> TryRenewAsync()
    {
        // A call of the store that hangs must not prevent another attempt before the lease runs out.
        using var timeout = new CancellationTokenSource(Duration / 2, _context.Time);
        long timestamp = _context.Time.GetTimestamp();
        if (await _context.Store.GetAsync(Info.Key, timeout.Token) is not { } info
            || _record.Handler is not { } handler
            || !HandlerLeases.HasSameLease(info, _record))
        {
            return (IsRenewed: false, IsLost: true);
        }

        EngineRecord renewed = _record with { Handler = HandlerLeases.Renew(handler, timestamp) };
        UpdateResult update = await _context.Store.UpdateAsync(
            info.Key, info.Version, info.Record with { Data = renewed.ToBytes() }, timeout.Token);
        if (update.Status != ChangeStatus.Succeeded)
        {
            return (IsRenewed: false, IsLost: false);
        }

        _record = renewed;
        Info = update.Info!;
        _deadline.Change(TimeUntilDeadline, Timeout.InfiniteTimeSpan);
        return (IsRenewed: true, IsLost: false);
    }

    private void OnDeadline()
    {
        IsExpired = true;
        Log.LeaseNotRenewed(_context.Logger, Info.Key);
        CancelHandler();
    }

    /// <summary>Cancels the token of the handler. Does not wait for the callbacks of the token, which are code of the application and may block.</summary>
    private void CancelHandler() => _ = CancelHandlerAsync();

    private async Task CancelHandlerAsync()
    {
        try
        {
            await _handlerCancellation.CancelAsync();
        }
        catch (Exception e)
        {
            Log.CancellationCallbackFailed(_context.Logger, e, Info.Key);
        }
    }
}
