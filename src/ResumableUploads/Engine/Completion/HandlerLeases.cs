using ResumableUploads.Abstractions;
using ResumableUploads.Infrastructure;

namespace ResumableUploads.Engine.Completion;

/// <summary>
/// Manages the leases in the records of received uploads, which ensure that only one process at a time runs the completion handler. A lease has no time: its
/// holder changes the record at intervals, and another process may take over an upload whose record has not changed for the lease duration.
/// </summary>
internal sealed class HandlerLeases(EngineContext context)
{
    private const int MaxNotificationAttempts = 14;

    private readonly string _processId = Guid.NewGuid().ToString("n");
    private readonly LeaseObserver _observer = new(context.Time);

    /// <summary>Returns the handler state for a new run of the handler by this process.</summary>
    public HandlerState StartAttempt(HandlerState? previous) =>
        WithLease(new((previous?.Attempts ?? 0) + 1, null, (previous?.TotalRuns ?? 0) + 1, RetryAt: previous?.RetryAt));

    /// <summary>
    /// Returns the state after a failed run. A run that a client requested before the next attempt was due does not count as an attempt, so that a client
    /// that retries often does not use up the attempts during a short outage.
    /// </summary>
    /// <param name="state">The state during the run.</param>
    /// <param name="startTime">The time at which the run started.</param>
    public HandlerState AfterFailure(HandlerState state, DateTimeOffset startTime)
    {
        if (IsPending(state.RetryAt, startTime))
        {
            return state with { Attempts = state.Attempts - 1 };
        }

        TimeSpan delay = Backoff.GetDelay(context.Settings.HandlerRetryDelay, context.Settings.MaxHandlerRetryDelay, state.Attempts);
        return state with { RetryAt = delay > TimeSpan.Zero ? context.Time.GetUtcNow() + Backoff.AddJitter(delay) : null };
    }

    /// <summary>
    /// Returns the state of a dead-lettered upload after a failed notification of the application. After the last attempt, only the expiration of the upload
    /// starts the notification again.
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
        (record.Handler is { DeadLetterAttempts: > 0 } || !IsExhausted(record)) && IsPending(record.Handler?.RetryAt, context.Time.GetUtcNow());

    /// <summary>Returns whether the notification of the application has failed in all its attempts.</summary>
    public static bool IsNotificationExhausted(EngineRecord record) => record.Handler is { DeadLetterAttempts: >= MaxNotificationAttempts };

    /// <summary>Returns the same state with a lease of this process that begins now. It must be written to the record.</summary>
    public HandlerState WithLease(HandlerState state) => Renew(
        state with { LeasedBy = _processId, LeaseDuration = context.Settings.HandlerLeaseDuration }, context.Time.GetTimestamp());

    /// <summary>Returns the state of a lease that is renewed. It differs from that before, so that the version of the upload changes in every store.</summary>
    /// <param name="state">The state with the lease.</param>
    /// <param name="timestamp">The time from which the lease lasts: from before the record is written.</param>
    public static HandlerState Renew(HandlerState state, long timestamp) =>
        state with { Renewals = (state.Renewals ?? 0) + 1, LeaseTimestamp = timestamp };

    /// <summary>Returns a state with the same numbers of attempts and runs, and without a lease.</summary>
    public static HandlerState WithoutLease(EngineRecord record) =>
        new(record.Handler?.Attempts ?? 1, null, record.Handler?.TotalRuns ?? 1, RetryAt: record.Handler?.RetryAt) { IsClientFault = record.Handler?.IsClientFault };

    /// <summary>
    /// Returns whether a process runs the handler. That is assumed until this process has seen the same version for the lease duration, so a caller whose
    /// upload is leased must ask again with the upload as it is then.
    /// </summary>
    public bool IsLeased(UploadInfo info, EngineRecord record) => record.Handler is { LeasedBy: not null } && GetRemaining(info, record) > TimeSpan.Zero;

    /// <summary>Returns the time after which the lease of an upload ends if its record does not change.</summary>
    public TimeSpan GetRemaining(UploadInfo info, EngineRecord record) =>
        (record.Handler?.LeaseDuration ?? context.Settings.HandlerLeaseDuration) - _observer.GetUnchangedTime(info);

    /// <summary>Returns whether an upload is the one of the record, is not completed, and has not been leased by another process since the record was read.</summary>
    public static bool HasSameLease(UploadInfo info, EngineRecord record) =>
        IsLeased(info, record, record.Handler?.LeasedBy);

    /// <summary>Returns whether the handler has no attempts left.</summary>
    public bool IsExhausted(EngineRecord record) => record.Handler?.IsExhausted(context.Settings.MaxHandlerAttempts) is true;

    /// <summary>
    /// Renews a lease that was taken a while ago, before the handler starts or its result is stored: the lease may have run out, and another process may have
    /// run the handler.
    /// </summary>
    /// <returns>The record with the lease, or null if another process has leased or completed the upload.</returns>
    public async ValueTask<EngineRecord?> EnsureLeasedAsync(UploadInfo info, EngineRecord record)
    {
        if (record.Handler is not { } handler
            || (handler.LeaseTimestamp is { } taken && context.Time.GetElapsedTime(taken) < context.Settings.HandlerLeaseDuration / 2))
        {
            return record;
        }

        EngineRecord renewed = record with { Handler = WithLease(handler) };
        return await UpdateIfLeasedAsync(info, renewed) is null ? null : renewed;
    }

    /// <summary>Writes the engine's data if this process still holds the lease.</summary>
    /// <returns>The upload as written, or null if another process has leased or completed it.</returns>
    public async ValueTask<UploadInfo?> UpdateIfLeasedAsync(UploadInfo info, EngineRecord record)
    {
        bool isOurs = false;
        UploadInfo? written = await context.RecordUpdater.UpdateAsync(
            info,
            current => (isOurs = IsLeased(current, record, _processId)) ? context.RecordPolicy.UpdateReceived(record, current) : null,
            CancellationToken.None);
        return isOurs ? written : null;
    }

    /// <summary>
    /// Returns whether the time of the next attempt is in the future. A time that is further away than the longest delay was computed while the clock was wrong.
    /// </summary>
    private bool IsPending(DateTimeOffset? retryAt, DateTimeOffset now) =>
        retryAt > now && (retryAt == DateTimeOffset.MaxValue || (retryAt.Value - now).Ticks <= (context.Settings.MaxHandlerRetryDelay.Ticks * Backoff.MaxJitter) + 1);

    private static bool IsLeased(UploadInfo info, EngineRecord record, string? processId) =>
        info.State == UploadState.Received && EngineRecord.From(info) is var stored && stored.Created == record.Created && stored.Handler?.LeasedBy == processId;
}
