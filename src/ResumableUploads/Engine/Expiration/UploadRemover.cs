using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Concatenation;
using ResumableUploads.Engine.Quotas;

namespace ResumableUploads.Engine.Expiration;

/// <summary>Takes uploads away, and out of what is known about them: the owners' accounts, and what waits for parts.</summary>
internal sealed class UploadRemover(IUploadStore store, OwnerQuota quota, PendingConcatenations pending, ILogger logger)
{
    /// <summary>Removes an upload as it was read, or whatever is there by now.</summary>
    public async ValueTask<bool> RemoveAsync(UploadInfo info, bool ignoreVersion, CancellationToken cancellationToken)
    {
        DeleteResult result = await store.DeleteAsync(info.Key, ignoreVersion ? null : info.Version, cancellationToken);
        if (result.Status != ChangeStatus.Succeeded)
        {
            return false;
        }

        pending.Remove(info.Key);
        if (info.State == UploadState.Receiving)
        {
            quota.ReleaseUpload(info.Key.Owner, info.Length ?? info.Offset);
        }

        return true;
    }

    /// <summary>Removes an expired upload, unless it has changed since it was read, and tells the application.</summary>
    public async ValueTask ExpireAsync(UploadInfo info, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        if (!await RemoveAsync(info, ignoreVersion: false, cancellationToken))
        {
            return;
        }

        Log.Expired(logger, info.Key);
        try
        {
            await callbacks.OnExpiredAsync(info, EngineRecord.From(info), cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Log.ExpirationHandlerFailed(logger, e, info.Key);
        }
    }
}
