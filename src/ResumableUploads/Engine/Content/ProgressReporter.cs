using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Content;

/// <summary>
/// Reports the progress of an upload to the application's progress handler: in order, one call at a time, and at most one call per interval. Offsets
/// that arrive while a call is running, or before the interval has elapsed since the last call started, are dropped. The last offset of an append may
/// therefore not be reported.
/// </summary>
/// <param name="callbacks">The application.</param>
/// <param name="key">The key of the upload.</param>
/// <param name="record">The engine's data in the record of the upload.</param>
/// <param name="length">The length of the whole upload, in bytes, or <see langword="null"/> if it is unknown.</param>
/// <param name="time">The clock.</param>
/// <param name="interval">The minimum time between the starts of two calls.</param>
/// <param name="logger">The logger.</param>
internal sealed class ProgressReporter(
    IUploadCallbacks callbacks, UploadKey key, EngineRecord record, long? length, TimeProvider time, TimeSpan interval, ILogger logger)
{
    private readonly Lock _lock = new();
    private Task _pending = Task.CompletedTask;
    private long _lastReportTimestamp;
    private bool _hasReported;

    /// <summary>
    /// Calls the progress handler on the thread pool, unless a call is running or the interval has not elapsed. Does not wait for the handler.
    /// </summary>
    /// <param name="offset">The durable offset of the upload.</param>
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

    /// <summary>
    /// Returns a task that completes when the running call of the progress handler has ended. The engine awaits it before it completes the upload,
    /// so that no progress is reported after completion.
    /// </summary>
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
            // A disconnect of the client does not cancel the call, because the bytes are stored nevertheless. The callbacks add the other reasons.
            await callbacks.OnProgressAsync(key, record, offset, length, CancellationToken.None);
        }
        catch (Exception e)
        {
            Log.ProgressHandlerFailed(logger, e, key);
        }
    }
}
