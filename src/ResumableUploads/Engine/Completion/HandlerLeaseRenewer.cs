using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Completion;

/// <summary>Renews the lease of a completion handler while the handler runs, so that no other process starts it.</summary>
internal sealed class HandlerLeaseRenewer : IAsyncDisposable
{
    private readonly EngineContext _context;
    private readonly UploadKey _key;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _renewal;
    private EngineRecord _record;

    public HandlerLeaseRenewer(EngineContext context, UploadKey key, EngineRecord record)
    {
        _context = context;
        _key = key;
        _record = record;
        _renewal = RenewLoopAsync();
    }

    /// <summary>Stops the renewal.</summary>
    /// <returns>The engine's data as last written.</returns>
    public async ValueTask<EngineRecord> StopAsync()
    {
        await _stop.CancelAsync();
        await _renewal;
        return _record;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _renewal;
        _stop.Dispose();
    }

    private async Task RenewLoopAsync()
    {
        TimeSpan duration = _context.Settings.HandlerLeaseDuration;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(duration / 3, _context.Time, _stop.Token);
                UploadInfo? info = await _context.Store.GetAsync(_key, CancellationToken.None);
                if (info is not { State: UploadState.Received } || _record.Handler is null
                    || EngineRecord.From(info).Handler?.LeasedBy != _record.Handler.LeasedBy)
                {
                    // The lease expired and another process acquired it, so it is no longer renewed.
                    return;
                }

                EngineRecord renewed = _record with { Handler = _record.Handler with { LeasedUntil = _context.Time.GetUtcNow() + duration } };
                UpdateResult update = await _context.Store.UpdateAsync(
                    info.Key, info.Version, _context.RecordPolicy.CreateReceived(renewed, info.Offset), CancellationToken.None);
                if (update.Status == ChangeStatus.Succeeded)
                {
                    _record = renewed;
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (UploadStoreException)
            {
                // Retried in the next iteration. If the lease expires before, another process may run the handler too: handlers run at least once.
            }
        }
    }
}
