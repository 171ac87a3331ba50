using ResumableUploads.Client.Protocols;

namespace ResumableUploads.Client.Engine;

/// <summary>Keeps the state of one upload in the state store of the app, if there is one.</summary>
internal sealed class UploadStateKeeper(IUploadStateStore? store, UploadIdentity identity, StateFilter filter, UploadOperations operations)
{
    public UploadIdentity Identity => identity;

    /// <summary>Returns the upload that an earlier call has not completed, or null.</summary>
    public async Task<UploadReference?> FindAsync(CancellationToken cancellationToken)
    {
        if (store is null || identity.StateKey is not { } key || await store.GetAsync(key, cancellationToken) is not { } state || !filter.IsUsable(state))
        {
            return null;
        }

        if (state.Fingerprint == identity.Fingerprint)
        {
            return state.Upload;
        }

        // The content has changed since. A complete upload is left as it is, because nothing shows that it is not wanted any more.
        await operations.DeleteIncompleteAsync(state.Upload, cancellationToken);
        await store.RemoveAsync(key, cancellationToken);
        return null;
    }

    public async Task SaveAsync(UploadReference upload, long? length, CancellationToken cancellationToken)
    {
        if (store is not null && identity.StateKey is { } key)
        {
            await store.SetAsync(key, new UploadStateEntry(upload, length, identity.Fingerprint), cancellationToken);
        }
    }

    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        if (store is not null && identity.StateKey is { } key)
        {
            await store.RemoveAsync(key, cancellationToken);
        }
    }
}
