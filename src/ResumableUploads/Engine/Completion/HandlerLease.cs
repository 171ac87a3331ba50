using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Completion;

/// <summary>Keeps other processes from running a handler that runs here: renews the lease in the record while it does.</summary>
internal sealed class HandlerLease : IAsyncDisposable
{
    private readonly IUploadStore _store;
    private readonly Records _records;
    private readonly EngineSettings _settings;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _end = new();
    private readonly Task _renewing;
    private readonly UploadKey _key;
    private UploadData _data;

    public HandlerLease(IUploadStore store, Records records, EngineSettings settings, TimeProvider time, UploadKey key, UploadData data)
    {
        _store = store;
        _records = records;
        _settings = settings;
        _time = time;
        _key = key;
        _data = data;
        _renewing = RenewAsync();
    }

    /// <summary>Stops renewing, and gives the data as it was written last.</summary>
    public async ValueTask<UploadData> EndAsync()
    {
        await _end.CancelAsync().ConfigureAwait(false);
        await _renewing.ConfigureAwait(false);
        return _data;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync().ConfigureAwait(false);
        await _renewing.ConfigureAwait(false);
        _end.Dispose();
    }

    private async Task RenewAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(_settings.HandlerLease / 3, _time, _end.Token).ConfigureAwait(false);
                UploadInfo? info = await _store.GetAsync(_key, CancellationToken.None).ConfigureAwait(false);
                if (info is not { State: UploadState.Received } || _data.Handler is null
                    || UploadData.From(info).Handler?.LeasedBy != _data.Handler.LeasedBy)
                {
                    // Where another process has claimed the upload, this one was too slow, and does not take it back.
                    return;
                }

                UploadData renewed = _data with { Handler = _data.Handler with { LeasedUntil = _time.GetUtcNow() + _settings.HandlerLease } };
                UpdateResult update = await _store
                    .UpdateAsync(info.Key, info.Version, _records.Received(renewed, info.Offset), CancellationToken.None).ConfigureAwait(false);
                if (update.Status == ChangeStatus.Done)
                {
                    _data = renewed;
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
