using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Content;

/// <summary>Tells the application how far an upload is: in order, one call at a time, at most one each interval, none after completion.</summary>
internal sealed class ProgressFeed(
    IUploadCallbacks callbacks, UploadKey key, UploadData data, long? length, TimeProvider time, TimeSpan interval, ILogger logger)
{
    private readonly Lock _lock = new();
    private Task _running = Task.CompletedTask;
    private long _lastTold;
    private bool _toldBefore;

    public void Report(long offset)
    {
        lock (_lock)
        {
            if (!_running.IsCompleted || (_toldBefore && time.GetElapsedTime(_lastTold) < interval))
            {
                return;
            }

            _toldBefore = true;
            _lastTold = time.GetTimestamp();
            _running = Task.Run(() => TellAsync(offset));
        }
    }

    /// <summary>Waits for a call that still runs.</summary>
    public Task DrainAsync()
    {
        lock (_lock)
        {
            return _running;
        }
    }

    private async Task TellAsync(long offset)
    {
        try
        {
            await callbacks.ProgressAsync(key, data, offset, length, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.ProgressHandlerFailed(logger, e, key);
        }
    }
}
