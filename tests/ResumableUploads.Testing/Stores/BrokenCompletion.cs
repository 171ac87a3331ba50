using System.Buffers;
using System.Collections.Concurrent;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Testing.Stores;

/// <summary>Stores the response before it compares the version, and keeps it when the upload is deleted.</summary>
internal class CompletesInTwoSteps(IUploadStore innerStore) : BrokenStore(innerStore)
{
    private readonly ConcurrentDictionary<UploadKey, byte[]> _responses = [];

    public override ValueTask<UpdateResult> CompleteAsync(
        UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte> response, CancellationToken cancellationToken)
    {
        _responses[key] = response.ToArray();
        return InnerStore.UpdateAsync(key, version, record, cancellationToken);
    }

    public override async ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken) =>
        await InnerStore.GetAsync(key, cancellationToken) is { State: UploadState.Completed } && _responses.TryGetValue(key, out byte[]? response)
            ? response
            : (ReadOnlyMemory<byte>?)null;
}

/// <summary>Loses responses, as a store does that keeps them in memory, when another process reads them.</summary>
internal sealed class LosesResponses(IUploadStore innerStore) : BrokenStore(innerStore)
{
    public override ValueTask<UpdateResult> CompleteAsync(
        UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte> response, CancellationToken cancellationToken) =>
        InnerStore.UpdateAsync(key, version, record, cancellationToken);
}

/// <summary>Completes without comparing the version, and accepts a record in any state.</summary>
internal sealed class CompletesWithoutVersionCheck(IUploadStore innerStore) : BrokenStore(innerStore)
{
    public override async ValueTask<UpdateResult> CompleteAsync(
        UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte> response, CancellationToken cancellationToken)
    {
        string current = (await InnerStore.GetAsync(key, cancellationToken))?.Version ?? version;
        return await (record.State == UploadState.Completed
            ? InnerStore.CompleteAsync(key, current, record, response, cancellationToken)
            : InnerStore.UpdateAsync(key, current, record, cancellationToken));
    }
}

/// <summary>Keeps the first response of an upload, and returns an empty one if there is none.</summary>
internal sealed class KeepsFirstResponse(IUploadStore innerStore) : BrokenStore(innerStore)
{
    public override async ValueTask<UpdateResult> CompleteAsync(
        UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte> response, CancellationToken cancellationToken) =>
        await InnerStore.CompleteAsync(key, version, record, await InnerStore.GetResponseAsync(key, cancellationToken) ?? response, cancellationToken);

    public override async ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken) =>
        await InnerStore.GetResponseAsync(key, cancellationToken) ?? ReadOnlyMemory<byte>.Empty;
}

/// <summary>Shows deferred updates only to the call that was made for them.</summary>
internal sealed class HidesDeferredUpdates(IUploadStore innerStore) : BrokenStore(innerStore), IDeferredSyncStore
{
    private UpdateResult? _deferred;

    public async ValueTask<UploadInfo?> GetUnsyncedAsync(UploadKey key, CancellationToken cancellationToken) =>
        _deferred?.Info ?? await InnerStore.GetAsync(key, cancellationToken);

    public async ValueTask<UpdateResult> UpdateDeferredAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken)
    {
        UploadInfo? info = await InnerStore.GetAsync(key, cancellationToken);
        UpdateResult result = new(ChangeStatus.Succeeded, info! with { Record = record, Version = version + "+" });
        _deferred = result;
        return result;
    }

    public ValueTask<CreateResult> CreateCompletedDeferredAsync(
        UploadKey key, UploadRecord record, ReadOnlySequence<byte> content, CancellationToken cancellationToken) => throw new NotSupportedException();
}
