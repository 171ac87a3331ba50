using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Content;

/// <summary>
/// Reports the progress of an upload to the application: in order, one call at a time, at most one call per interval. An offset
/// that is reported while a call is running or before the interval has elapsed is skipped.
/// </summary>
internal sealed class ProgressReporter(
    IUploadCallbacks callbacks, UploadKey key, EngineRecord record, long? length, TimeProvider time, TimeSpan interval, ILogger logger)
{
    private readonly Lock _lock = new();
    private Task _pending = Task.CompletedTask;
    private long _lastReportTimestamp;
    private bool _hasReported;

    /// <summary>Starts a call of the progress handler unless it is skipped. Does not wait for the handler.</summary>
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

    /// <summary>Waits for a running call, so that no progress is reported after completion.</summary>
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
