using ResumableUploads.Abstractions;

namespace ResumableUploads.Testing.Stores;

/// <summary>A store with one mistake in it, of those that have been seen in such stores.</summary>
internal abstract class BrokenStore(IUploadStore innerStore) : DelegatingUploadStore(innerStore);

/// <summary>Looks whether the key is free, and takes it in a second step.</summary>
internal sealed class ClaimsInTwoSteps(IUploadStore innerStore) : BrokenStore(innerStore)
{
    public override async ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken)
    {
        if (await InnerStore.GetAsync(key, cancellationToken) is not null)
        {
            return new CreateResult(CreateStatus.AlreadyExists, null);
        }

        // Long enough for all who race to have looked.
        await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, cancellationToken);
        await InnerStore.DeleteAsync(key, null, cancellationToken);
        CreateResult result = await InnerStore.CreateAsync(key, record, cancellationToken);
        return new CreateResult(CreateStatus.Created, result.Info ?? await InnerStore.GetAsync(key, cancellationToken));
    }
}

/// <summary>Appends where the upload ends, and not where the caller believes it to.</summary>
internal sealed class AppendsWithoutTheCheck(IUploadStore innerStore) : BrokenStore(innerStore)
{
    public override async ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken) =>
        await InnerStore.AppendAsync(key, (await InnerStore.GetAsync(key, cancellationToken))?.Offset ?? 0, content, mode, cancellationToken);
}

/// <summary>Counts what should be there, and does not look.</summary>
internal sealed class ComputesTheOffset(IUploadStore innerStore) : BrokenStore(innerStore)
{
    public override async ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
    {
        AppendResult result = await InnerStore.AppendAsync(key, offset, content, mode, cancellationToken);
        return result.Status == AppendStatus.Appended && content.ExpectedLength is { } expected ? result with { Offset = offset + expected } : result;
    }
}

/// <summary>Updates whatever is there now.</summary>
internal sealed class UpdatesWithoutTheVersion(IUploadStore innerStore) : BrokenStore(innerStore)
{
    public override async ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) =>
        await InnerStore.UpdateAsync(key, (await InnerStore.GetAsync(key, cancellationToken))?.Version ?? version, record, cancellationToken);
}

/// <summary>Looks at the version first, and then deletes whatever is there, also under a running append.</summary>
internal sealed class DeletesUnderAnAppend(IUploadStore innerStore) : BrokenStore(innerStore)
{
    public override async ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken) =>
        version is not null && await InnerStore.GetAsync(key, cancellationToken) is { } info && info.Version != version
            ? new DeleteResult(ChangeStatus.VersionMismatch)
            : await InnerStore.DeleteAsync(key, null, cancellationToken);
}

/// <summary>Gives the same version as long as the record is the same, whatever was appended.</summary>
internal sealed class ForgetsAppendsInTheVersion(IUploadStore innerStore) : BrokenStore(innerStore)
{
    public override async ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken)
    {
        UploadInfo? now = await InnerStore.GetAsync(key, cancellationToken);
        bool hasThatRecord = now is not null && RecordOf(version) == RecordOf(now.Version);
        return await InnerStore.UpdateAsync(key, hasThatRecord ? now!.Version : version, record, cancellationToken);
    }

    // What comes before the last hyphen stays the same while bytes are appended.
    private static string RecordOf(string version) => version[..Math.Max(0, version.LastIndexOf('-'))];
}

/// <summary>Keeps what it was told last in memory, where another process does not see it.</summary>
internal sealed class KeepsOutcomesInMemory(IUploadStore innerStore) : BrokenStore(innerStore)
{
    public override ValueTask PutResponseAsync(UploadKey key, ReadOnlyMemory<byte> response, CancellationToken cancellationToken) =>
        ValueTask.CompletedTask;
}

/// <summary>Loses the first upload of a listing that goes on after a key.</summary>
internal sealed class SkipsInListings(IUploadStore innerStore) : BrokenStore(innerStore)
{
    public override IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, CancellationToken cancellationToken) =>
        query.StartAfter is null ? base.ListAsync(query, cancellationToken) : base.ListAsync(query, cancellationToken).Skip(1);
}
