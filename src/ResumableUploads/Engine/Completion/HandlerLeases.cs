using ResumableUploads.Abstractions;
using ResumableUploads.Infrastructure;

namespace ResumableUploads.Engine.Completion;

/// <summary>Manages the leases in the records of received uploads, which ensure that only one process at a time runs the completion handler.</summary>
internal sealed class HandlerLeases(EngineContext context)
{
    private const int MaxNotificationAttempts = 14;
    private readonly string _processId = Guid.NewGuid().ToString("n");

    /// <summary>Returns the handler state for a new run of the handler by this process.</summary>
    public HandlerState StartAttempt(HandlerState? previous) =>
        WithLease(new((previous?.Attempts ?? 0) + 1, null, default, (previous?.TotalRuns ?? 0) + 1, RetryAt: previous?.RetryAt));

    /// <summary>
    /// Returns the state after a failed run. A run that a client requested before the next attempt was due does not count as an attempt, so that a client
    /// that retries often does not use up the attempts during a short outage.
    /// </summary>
    /// <param name="state">The state during the run.</param>
    /// <param name="startTime">The time at which the run started.</param>
    public HandlerState AfterFailure(HandlerState state, DateTimeOffset startTime)
    {
        if (state.RetryAt > startTime)
        {
            return state with { Attempts = state.Attempts - 1 };
        }

        TimeSpan delay = Backoff.GetDelay(context.Settings.HandlerRetryDelay, context.Settings.MaxHandlerRetryDelay, state.Attempts);
        return state with { RetryAt = delay > TimeSpan.Zero ? context.Time.GetUtcNow() + Backoff.AddJitter(delay) : null };
    }

    /// <summary>
    /// Returns the state of a dead-lettered upload after a failed notification of the application. Only an upload that is about to expire is reported again
    /// after the last attempt, because each attempt extends its lifetime.
    /// </summary>
    public HandlerState AfterFailedNotification(HandlerState state)
    {
        int attempts = (state.DeadLetterAttempts ?? 0) + 1;
        TimeSpan delay = Backoff.GetDelay(context.Settings.HandlerRetryDelay, context.Settings.MaxHandlerRetryDelay, attempts);
        return state with
        {
            DeadLetterAttempts = attempts,
            RetryAt = attempts < MaxNotificationAttempts ? context.Time.GetUtcNow() + Backoff.AddJitter(delay) : DateTimeOffset.MaxValue,
        };
    }

    /// <summary>Returns whether the handler failed, or the notification that it failed too often, and the next attempt is not due yet.</summary>
    public bool IsRetryPending(EngineRecord record) =>
        (record.Handler is { DeadLetterAttempts: > 0 } || !IsExhausted(record)) && record.Handler?.RetryAt > context.Time.GetUtcNow();

    /// <summary>Returns the same state with a lease of this process.</summary>
    public HandlerState WithLease(HandlerState state) =>
        state with { LeasedBy = _processId, LeasedUntil = context.Time.GetUtcNow() + context.Settings.HandlerLeaseDuration };

    /// <summary>Returns a state with the same numbers of attempts and runs, and without a lease.</summary>
    public static HandlerState WithoutLease(EngineRecord record) =>
        new(record.Handler?.Attempts ?? 1, null, default, record.Handler?.TotalRuns ?? 1, RetryAt: record.Handler?.RetryAt);

    public bool IsLeased(EngineRecord record) => record.Handler is { LeasedBy: not null } handler && handler.LeasedUntil > context.Time.GetUtcNow();

    /// <summary>Returns whether the handler has no attempts left.</summary>
    public bool IsExhausted(EngineRecord record) => record.Handler?.IsExhausted(context.Settings.MaxHandlerAttempts) is true;

    /// <summary>Writes the record if this process still holds the lease.</summary>
    /// <returns>The upload as written, or null if another process has leased or completed it.</returns>
    public async ValueTask<UploadInfo?> UpdateIfLeasedAsync(UploadInfo info, EngineRecord record)
    {
        bool isOurs = false;
        UploadInfo? written = await context.RecordUpdater.UpdateAsync(
            info,
            current =>
            {
                isOurs = current.State == UploadState.Received
                    && EngineRecord.From(current) is var stored && stored.Created == record.Created && stored.Handler?.LeasedBy == _processId;
                return isOurs ? context.RecordPolicy.CreateReceived(record, current.Offset) : null;
            },
            CancellationToken.None);
        return isOurs ? written : null;
    }
}
