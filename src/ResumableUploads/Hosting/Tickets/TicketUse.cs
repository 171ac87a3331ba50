using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Requests;

namespace ResumableUploads.Hosting.Tickets;

/// <summary>
/// Checks whether the ticket of a request can still be used, before the request is handled. The engine checks it again under the lock of the upload, so
/// concurrent requests cannot use a ticket twice.
/// </summary>
internal sealed class TicketUse(UploadEngine engine, StoreQueries store)
{
    /// <summary>Checks a request for the upload of a ticket.</summary>
    /// <param name="request">The request. If it has no ticket, there is nothing to check.</param>
    /// <param name="key">The upload.</param>
    /// <param name="isCancellation">Whether the request removes the upload. It can be repeated after the upload was removed.</param>
    /// <returns>The result of a request that is refused, or <see langword="null"/>; and the upload of the ticket, or <see langword="null"/>.</returns>
    public async ValueTask<(UploadResult? Refusal, UploadInfo? Info)> CheckAsync(UploadRequest request, UploadKey key, bool isCancellation = false)
    {
        if (request.Permit is not { } permit)
        {
            return default;
        }

        try
        {
            UploadInfo? info = await store.FindAsync(key, request.Aborted) is { } found && !engine.IsExpired(found) ? found : null;
            bool isRemoved = !isCancellation && await engine.UsedPermits.ContainsAsync(key, info, request.Aborted);
            return isRemoved || (info is not null && !permit.Allows(EngineRecord.From(info)))
                ? (new UploadResult(UploadResultKind.PermitUsed), null)
                : (null, info);
        }
        catch (UploadStoreException e)
        {
            return (UploadResult.FromException(e) with { Offset = null }, null);
        }
    }
}
