using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Locking;

namespace ResumableUploads.Engine.Expiration;

/// <summary>Removes uploads that their clients or an operator cancel.</summary>
internal sealed class UploadCancellation(EngineContext context, UploadLockTable locks, UploadLookup lookup, CompletionService completion, UploadRemover remover)
{
    private const int MaxAttempts = 3;

    /// <summary>Removes an upload. Succeeds, without an offset, if it does not exist.</summary>
    /// <param name="key">The upload.</param>
    /// <param name="condition">The condition. An upload that does not meet it is not removed.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    public async ValueTask<UploadResult> CancelAsync(UploadKey key, CancelCondition condition, CancellationToken cancellationToken)
    {
        try
        {
            if (condition != default && await lookup.GetUnexpiredAsync(key, cancellationToken) is { } found && condition.GetRefusal(found) is { } refusal)
            {
                return refusal;
            }

            // Waits without the lock, so that status requests are not blocked.
            if (!await completion.WaitForHandlerAsync(key, cancellationToken))
            {
                return new UploadResult(UploadResultKind.HandlerRunning);
            }

            using UploadLock? uploadLock = await locks.AcquireAsync(key, context.Settings.PreemptionTimeout, cancellationToken);
            return uploadLock is null ? new UploadResult(UploadResultKind.Busy) : await RemoveCancelledAsync(key, condition, cancellationToken);
        }
        catch (UploadStoreException e)
        {
            return context.ReportFailure(e, key);
        }
    }

    /// <summary>Removes a locked upload, unless a handler of another process has started.</summary>
    private async ValueTask<UploadResult> RemoveCancelledAsync(UploadKey key, CancelCondition condition, CancellationToken cancellationToken)
    {
        long? offset = null;
        for (int i = 0; i < MaxAttempts; i++)
        {
            if (await lookup.GetUnexpiredAsync(key, cancellationToken) is not { } info)
            {
                return new UploadResult(UploadResultKind.Cancelled, offset);
            }

            if (condition.GetRefusal(info) is { } refusal)
            {
                return refusal;
            }

            offset = info.Offset;
            if (completion.IsHandlerRunning(info))
            {
                return new UploadResult(UploadResultKind.HandlerRunning, offset);
            }

            TakeoverStatus takeover = await context.Takeover.TakeOverAsync(info, cancellationToken);
            if (takeover == TakeoverStatus.StillAppending)
            {
                break;
            }

            if (takeover != TakeoverStatus.Released && await remover.RemoveAsync(info, ignoreVersion: false, cancellationToken))
            {
                context.Lifecycle.Canceled(info, isByClient: condition.IsAllowedForOperator is null);
                return new UploadResult(UploadResultKind.Cancelled, offset);
            }
        }

        return new UploadResult(UploadResultKind.Busy, offset);
    }
}
