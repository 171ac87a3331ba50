using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Content;

/// <summary>Tells the application how far an upload is: in order, one call at a time, at most one each interval, none after completion.</summary>
internal sealed class ProgressReporter(
    IUploadCallbacks callbacks, UploadKey key, EngineRecord record, long? length, TimeProvider time, TimeSpan interval, ILogger logger)
{
    private readonly Lock _lock = new();
    private Task _pending = Task.CompletedTask;
    private long _lastReportTimestamp;
    private bool _hasReported;

    public void Report(long offset)
    {
        lock (_lock)
        {
            if (!_pending.IsCompleted || (_hasReported && time.GetElapsedTime(_lastReportTimestamp) < interval))
            {
                return;
            }

            _hasReported = true;
            _lastReportTimestamp = time.GetTimestamp();
            _pending = Task.Run(() => InvokeHandlerAsync(offset));
        }
    }

    /// <summary>Waits for a call that still runs.</summary>
    public Task WaitForPendingAsync()
    {
        lock (_lock)
        {
            return _pending;
        }
    }

    private async Task InvokeHandlerAsync(long offset)
    {
        try
        {
            await callbacks.OnProgressAsync(key, record, offset, length, CancellationToken.None);
        }
        catch (Exception e)
        {
            Log.ProgressHandlerFailed(logger, e, key);
        }
    }
}
