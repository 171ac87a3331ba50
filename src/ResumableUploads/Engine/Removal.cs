using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Owners;

namespace ResumableUploads.Engine;

/// <summary>Takes uploads away, and out of what is known about them: the owners' accounts, and what waits for parts.</summary>
internal sealed class Removal(IUploadStore store, OwnerLedger ledger, WaitingJoins waiting, ILogger logger)
{
    /// <summary>Removes an upload as it was read, or whatever is there by now.</summary>
    public async ValueTask<bool> RemoveAsync(UploadInfo info, bool whateverIsThere, CancellationToken cancellationToken)
    {
        DeleteResult result = await store.DeleteAsync(info.Key, whateverIsThere ? null : info.Version, cancellationToken).ConfigureAwait(false);
        if (result.Status != ChangeStatus.Done)
        {
            return false;
        }

        waiting.Remove(info.Key);
        if (info.State == UploadState.Receiving)
        {
            ledger.Left(info.Key.Owner, info.Length ?? info.Offset);
        }

        return true;
    }

    /// <summary>Removes an expired upload, unless it has changed since it was read, and tells the application.</summary>
    public async ValueTask ExpireAsync(UploadInfo info, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        if (!await RemoveAsync(info, whateverIsThere: false, cancellationToken).ConfigureAwait(false))
        {
            return;
        }

        Log.Expired(logger, info.Key);
        try
        {
            await callbacks.ExpiredAsync(info, UploadData.From(info), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Log.ExpiredHandlerFailed(logger, e, info.Key);
        }
    }
}
