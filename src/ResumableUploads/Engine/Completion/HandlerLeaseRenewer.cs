using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Completion;

/// <summary>Keeps other processes from running a handler that runs here: renews the lease in the record while it does.</summary>
internal sealed class HandlerLeaseRenewer : IAsyncDisposable
{
    private readonly IUploadStore _store;
    private readonly RecordPolicy _recordPolicy;
    private readonly EngineSettings _settings;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _renewal;
    private readonly UploadKey _key;
    private EngineRecord _record;

    public HandlerLeaseRenewer(IUploadStore store, RecordPolicy recordPolicy, EngineSettings settings, TimeProvider time, UploadKey key, EngineRecord record)
    {
        _store = store;
        _recordPolicy = recordPolicy;
        _settings = settings;
        _time = time;
        _key = key;
        _record = record;
        _renewal = RenewLoopAsync();
    }

    /// <summary>Stops renewing, and gives the data as it was written last.</summary>
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
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(_settings.HandlerLeaseDuration / 3, _time, _stop.Token);
                UploadInfo? info = await _store.GetAsync(_key, CancellationToken.None);
                if (info is not { State: UploadState.Received } || _record.Handler is null
                    || EngineRecord.From(info).Handler?.LeasedBy != _record.Handler.LeasedBy)
                {
                    // Where another process has claimed the upload, this one was too slow, and does not take it back.
                    return;
                }

                EngineRecord renewed = _record with { Handler = _record.Handler with { LeasedUntil = _time.GetUtcNow() + _settings.HandlerLeaseDuration } };
                UpdateResult update = await _store
                    .UpdateAsync(info.Key, info.Version, _recordPolicy.CreateReceived(renewed, info.Offset), CancellationToken.None);
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
                // The next round tries again; if the lease runs out meanwhile, at-least-once is what was promised.
            }
        }
    }
}
