using System.Diagnostics;
using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Infrastructure;

namespace ResumableUploads.Engine.Diagnostics;

/// <summary>Reports what happens to uploads, as metrics and in the log.</summary>
internal sealed class UploadLifecycle(UploadMetrics metrics, TimeProvider time, ILogger logger)
{
    private readonly RequestCounts _requests = new();

    /// <summary>Reports an upload that was created.</summary>
    public void Created(UploadKey key, EngineRecord record)
    {
        _requests.Remove(key);
        metrics.UploadCreated(UploadOrigin.From(record));
        Log.Created(logger, key);
    }

    /// <summary>Counts a request whose content the store is about to read.</summary>
    public bool AppendStarted(AppendCommand command)
    {
        if (logger.IsEnabled(LogLevel.Information))
        {
            _requests.Add(command.Key);
        }

        return metrics.AppendStarted(command.Origin);
    }

    /// <summary>Reports an upload all of whose bytes are stored.</summary>
    /// <param name="info">The upload.</param>
    /// <param name="record">The engine's data in its record.</param>
    /// <param name="isCompleted">Whether it is also completed, because it has no handler.</param>
    public void Received(UploadInfo info, EngineRecord record, bool isCompleted)
    {
        metrics.UploadReceived(UploadOrigin.From(record));
        UploadTracing.AddEvent(UploadTracing.ReceivedEvent);
        Log.Received(logger, info.Key, info.Offset);
        if (isCompleted)
        {
            Completed(info, record);
        }
    }

    /// <summary>Reports a completed upload.</summary>
    public void Completed(UploadInfo info, EngineRecord record)
    {
        TimeSpan duration = time.GetUtcNow() - record.Created;
        duration = duration > TimeSpan.Zero ? duration : TimeSpan.Zero;
        metrics.UploadCompleted(UploadOrigin.From(record), duration, record.Handler?.TotalRuns ?? 0);
        UploadTracing.AddEvent(UploadTracing.CompletedEvent);
        LogCompleted(info, record, duration);
    }

    /// <summary>Reports an upload whose handler does not run again.</summary>
    /// <param name="info">The upload.</param>
    /// <param name="record">The engine's data in its record.</param>
    /// <param name="isClientFault">Whether the client caused it, so that it is no error of the server.</param>
    public void DeadLettered(UploadInfo info, EngineRecord record, bool isClientFault)
    {
        UploadTracing.AddEvent(UploadTracing.DeadLetteredEvent);
        metrics.UploadDeadLettered(UploadOrigin.From(record), record.Handler?.TotalRuns ?? 0);
        if (isClientFault)
        {
            Log.RejectedByEndpoint(logger, info.Key);
        }
        else
        {
            Log.DeadLettered(logger, info.Key, record.Handler?.Attempts ?? 0);
        }
    }

    /// <summary>Reports a concatenation that was removed because it can never be completed.</summary>
    public void ConcatenationFailed(UploadInfo info, UploadResultKind reason)
    {
        metrics.UploadFailed(UploadOrigin.From(EngineRecord.From(info)), "concatenation");
        Log.ConcatenationFailed(logger, info.Key, reason);
    }

    /// <summary>Reports an upload that was removed because it expired.</summary>
    public void Expired(UploadInfo info, EngineRecord record)
    {
        metrics.UploadExpired(UploadOrigin.From(record), info.State);
        Log.Expired(logger, info.Key);
    }

    /// <summary>Reports an upload that was removed before its expiration.</summary>
    /// <param name="info">The upload.</param>
    /// <param name="isByClient">Whether its client has removed it. Otherwise, the operator reports it in the log.</param>
    public void Canceled(UploadInfo info, bool isByClient)
    {
        metrics.UploadCanceled(EngineRecord.IsDamaged(info) ? default : UploadOrigin.From(EngineRecord.From(info)));
        if (isByClient)
        {
            Log.Cancelled(logger, info.Key);
        }
    }

    /// <summary>Forgets uploads that have received nothing since the sweep before.</summary>
    public void SweepCompleted() => _requests.RemoveUnused();

    /// <summary>Forgets what the process knows about an upload that is no longer in the store.</summary>
    public void Removed(UploadKey key) => _requests.Remove(key);

    /// <summary>Runs a completion handler, and measures it.</summary>
    public async ValueTask<HandlerResult> RunHandlerAsync(
        IUploadCallbacks callbacks, UploadInfo info, EngineRecord record, CancellationToken cancellationToken)
    {
        UploadOrigin origin = UploadOrigin.From(record);
        using Activity? activity = UploadTracing.StartHandler(info, record);
        UploadTracing.AddEvent(UploadTracing.HandlerStartedEvent, UploadTracing.AttemptTag, record.Handler?.TotalRuns ?? 1);
        long start = time.GetTimestamp();
        string outcome = "failed";
        try
        {
            HandlerResult result = await callbacks.RunHandlerAsync(info, record, cancellationToken);
            outcome = result.Kind switch
            {
                HandlerResultKind.Final => "completed",
                HandlerResultKind.Retry => "retry",
                _ => "dead_lettered",
            };
            return result;
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            outcome = "canceled";
            throw;
        }
        finally
        {
            UploadTracing.AddEvent(UploadTracing.HandlerEndedEvent, DiagnosticNames.Outcome, outcome);
            metrics.HandlerFinished(origin, outcome, time.GetElapsedTime(start));
            if (outcome is not ("completed" or "canceled") && record.Handler is null or { TotalRuns: <= 1 })
            {
                metrics.UploadFailed(origin, "handler");
            }
        }
    }

    private void LogCompleted(UploadInfo info, EngineRecord record, TimeSpan duration)
    {
        int requests = _requests.Remove(info.Key);
        if (!logger.IsEnabled(LogLevel.Information))
        {
            return;
        }

        long rate = duration > TimeSpan.Zero ? (long)(info.Offset / duration.TotalSeconds) : info.Offset;
        Log.Completed(logger, info.Key, info.Offset, duration, requests, rate);
        if (logger.IsEnabled(LogLevel.Debug) && (record.FileName ?? record.RawFileName) is { } name)
        {
            Log.FileName(logger, info.Key, string.Concat(name.Where(static letter => !char.IsControl(letter))));
        }
    }
}
