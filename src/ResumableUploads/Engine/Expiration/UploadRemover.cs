using System.Collections.Concurrent;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Concatenation;
using ResumableUploads.Engine.Quotas;

namespace ResumableUploads.Engine.Expiration;

/// <summary>Removes uploads from the store, the owner's quota, and the pending concatenations.</summary>
internal sealed class UploadRemover(EngineContext context, PendingConcatenations pending)
{
    private readonly ConcurrentDictionary<Task, UploadKey> _expiring = new();

    /// <summary>Removes an upload.</summary>
    /// <param name="info">The upload as it was read.</param>
    /// <param name="ignoreVersion">Whether to remove the upload even if it has changed since it was read.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>True if the upload was removed; false if it has changed, is busy, or does not exist.</returns>
    public async ValueTask<bool> RemoveAsync(UploadInfo info, bool ignoreVersion, CancellationToken cancellationToken)
    {
        await context.UsedPermits.AddAsync(info, cancellationToken);
        return await DeleteAsync(info, ignoreVersion, cancellationToken);
    }

    /// <summary>Removes an upload without bytes that a request has created and that failed. A permit of the upload can be used again.</summary>
    /// <returns>True if the upload was removed.</returns>
    public async ValueTask<bool> RemoveUnusedAsync(UploadKey key, EngineRecord record, CancellationToken cancellationToken) =>
        await context.Store.GetAsync(key, cancellationToken) is { State: UploadState.Receiving, Offset: 0 } info
        && record.IsOf(info)
        && await DeleteAsync(info, ignoreVersion: false, cancellationToken);

    private async ValueTask<bool> DeleteAsync(UploadInfo info, bool ignoreVersion, CancellationToken cancellationToken)
    {
        long countNumber = context.Quota.GetCountNumber(info.Key.Owner);
        DeleteResult result;
        try
        {
            result = await context.Store.DeleteAsync(info.Key, ignoreVersion ? null : info.Version, cancellationToken);
        }
        catch
        {
            context.Quota.Invalidate(info.Key.Owner);
            throw;
        }

        if (result.Status != ChangeStatus.Succeeded)
        {
            return false;
        }

        OnRemoved(info, countNumber);
        return true;
    }

    /// <summary>Removes an upload that is still receiving, if it exists and satisfies a condition.</summary>
    /// <returns>True if the upload was removed.</returns>
    public async ValueTask<bool> RemoveIfReceivingAsync(UploadKey key, CancellationToken cancellationToken, Func<UploadInfo, bool>? condition = null) =>
        await context.Store.GetAsync(key, cancellationToken) is { State: UploadState.Receiving } info
        && condition?.Invoke(info) is not false
        && await RemoveAsync(info, ignoreVersion: false, cancellationToken);

    /// <summary>Releases what this process holds for an upload that is no longer in the store.</summary>
    /// <param name="info">The upload.</param>
    /// <param name="countNumber">The result of <see cref="OwnerQuota.GetCountNumber"/> from before the upload was removed.</param>
    public void OnRemoved(UploadInfo info, long countNumber)
    {
        pending.Remove(info.Key);
        context.Lifecycle.Removed(info.Key);
        context.ContentHasher.Remove(info.Key);
        context.Quota.Release(QuotaAccount.From(info), QuotaUsage.Of(info), countNumber);
    }

    /// <summary>
    /// Removes an expired upload, unless it has changed since it was read or the server stops. Notifies the application if the upload is one of this engine, and
    /// not an orphaned one.
    /// </summary>
    /// <exception cref="UploadStoreException">The record is damaged, or was written by a newer version. The upload was not removed.</exception>
    public async ValueTask ExpireAsync(UploadInfo info, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        EngineRecord record = EngineRecord.From(info);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _expiring.TryAdd(ended.Task, info.Key);
        try
        {
            // The next start of the server removes the upload, and has time for the event.
            if (!context.Stopping.IsCancellationRequested && await RemoveAsync(info, ignoreVersion: false, cancellationToken))
            {
                context.Lifecycle.Expired(info, record);
                await NotifyAsync(info, record, callbacks, cancellationToken);
            }
        }
        finally
        {
            _expiring.TryRemove(ended.Task, out _);
            ended.SetResult();
        }
    }

    /// <summary>Waits until the removals and events that have begun have ended, and logs those that do not end within the grace period.</summary>
    public async Task WaitForExpirationsAsync()
    {
        try
        {
            await Task.WhenAll(_expiring.Keys).WaitAsync(context.Settings.AppendGracePeriod, context.Time);
        }
        catch (TimeoutException)
        {
            foreach (UploadKey key in _expiring.Values)
            {
                Log.ExpirationEventLost(context.Logger, key);
            }
        }
    }

    private async ValueTask NotifyAsync(UploadInfo info, EngineRecord record, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        try
        {
            if (context.RecordPolicy.BelongsToThisEngine(info))
            {
                await callbacks.OnExpiredAsync(info, record, cancellationToken);
            }
            else if (info.State == UploadState.Received)
            {
                Log.OrphanedUploadExpired(context.Logger, info.Key, record.EngineName);
            }
        }
        catch (Exception e)
        {
            Log.ExpirationHandlerFailed(context.Logger, e, info.Key);
        }
    }
}
