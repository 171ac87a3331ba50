using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Completion;

namespace ResumableUploads.Engine.Expiration;

/// <summary>Finds uploads that have not expired.</summary>
internal sealed class UploadLookup(EngineContext context, CompletionService completion)
{
    /// <summary>Gets an upload, or null if it does not exist or has expired.</summary>
    public async ValueTask<UploadInfo?> GetUnexpiredAsync(UploadKey key, CancellationToken cancellationToken) =>
        await context.Store.GetAsync(key, cancellationToken) is { } info && !IsExpired(info) ? info : null;

    /// <summary>
    /// Returns whether an upload has expired. An upload whose handler runs or has attempts left does not expire; the lease of an expiring upload is that of its
    /// notification.
    /// </summary>
    public bool IsExpired(UploadInfo info) =>
        context.RecordPolicy.IsExpired(info) && (RecordPolicy.IsExpiring(info) || !completion.IsHandlerPending(info));
}
