using System.Buffers;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Testing.Stores;

/// <summary>A store with deferred changes, which stores the response before it compares the version.</summary>
internal class CompletesInTwoSteps(IUploadStore innerStore) : BrokenStore(innerStore), IDeferredSyncStore
{
    public virtual ValueTask<UploadInfo?> GetUnsyncedAsync(UploadKey key, CancellationToken cancellationToken) => InnerStore.GetAsync(key, cancellationToken);

    public virtual ValueTask<UpdateResult> UpdateDeferredAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) =>
        InnerStore.UpdateAsync(key, version, record, cancellationToken);

    public ValueTask<CreateResult> CreateCompletedDeferredAsync(
        UploadKey key, UploadRecord record, ReadOnlySequence<byte> content, CancellationToken cancellationToken) => throw new NotSupportedException();

    public async ValueTask<UpdateResult> CompleteAsync(
        UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte> response, CancellationToken cancellationToken)
    {
        await InnerStore.PutResponseAsync(key, response, cancellationToken);
        return await InnerStore.UpdateAsync(key, version, record, cancellationToken);
    }
}

/// <summary>Shows deferred updates only to the call that was made for them.</summary>
internal sealed class HidesDeferredUpdates(IUploadStore innerStore) : CompletesInTwoSteps(innerStore)
{
    private UpdateResult? _deferred;

    public override async ValueTask<UploadInfo?> GetUnsyncedAsync(UploadKey key, CancellationToken cancellationToken) =>
        _deferred?.Info ?? await InnerStore.GetAsync(key, cancellationToken);

    public override async ValueTask<UpdateResult> UpdateDeferredAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken)
    {
        UploadInfo? info = await InnerStore.GetAsync(key, cancellationToken);
        UpdateResult result = new(ChangeStatus.Succeeded, info! with { Record = record, Version = version + "+" });
        _deferred = result;
        return result;
    }
}
