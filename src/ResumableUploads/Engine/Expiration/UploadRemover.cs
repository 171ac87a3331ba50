using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Concatenation;
using ResumableUploads.Engine.Quotas;

namespace ResumableUploads.Engine.Expiration;

/// <summary>Removes uploads from the store, the owner's quota, and the pending concatenations.</summary>
internal sealed class UploadRemover(EngineContext context, PendingConcatenations pending)
{
    /// <summary>Removes an upload.</summary>
    /// <param name="info">The upload as it was read.</param>
    /// <param name="ignoreVersion">Whether to remove the upload even if it has changed since it was read.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>True if the upload was removed; false if it has changed, is busy, or does not exist.</returns>
    public async ValueTask<bool> RemoveAsync(UploadInfo info, bool ignoreVersion, CancellationToken cancellationToken)
    {
        DeleteResult result = await context.Store.DeleteAsync(info.Key, ignoreVersion ? null : info.Version, cancellationToken);
        if (result.Status != ChangeStatus.Succeeded)
        {
            return false;
        }

        OnRemoved(info);
        return true;
    }

    /// <summary>Releases what this process holds for an upload that is no longer in the store.</summary>
    public void OnRemoved(UploadInfo info)
    {
        pending.Remove(info.Key);
        context.ContentHasher.Remove(info.Key);
        context.Quota.Add(QuotaAccount.From(info), -QuotaUsage.Of(info));
    }

    /// <summary>Removes an expired upload, unless it has changed since it was read, and notifies the application.</summary>
    public async ValueTask ExpireAsync(UploadInfo info, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        if (!await RemoveAsync(info, ignoreVersion: false, cancellationToken))
        {
            return;
        }

        Log.Expired(context.Logger, info.Key);
        try
        {
            await callbacks.OnExpiredAsync(info, EngineRecord.From(info), cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            Log.ExpirationHandlerFailed(context.Logger, e, info.Key);
        }
    }
}
