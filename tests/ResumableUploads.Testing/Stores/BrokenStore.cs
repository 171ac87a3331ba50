using System.IO.Pipelines;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Testing.Stores;

/// <summary>A store with one bug, of a kind that real stores have.</summary>
internal abstract class BrokenStore(IUploadStore innerStore) : DelegatingUploadStore(innerStore);

/// <summary>Checks whether the key is unused and creates the upload in two steps.</summary>
internal sealed class CreatesInTwoSteps(IUploadStore innerStore) : BrokenStore(innerStore)
{
    public override async ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken)
    {
        if (await InnerStore.GetAsync(key, cancellationToken) is not null)
        {
            return new CreateResult(CreateStatus.AlreadyExists, null);
        }

        // Long enough for all concurrent callers to pass the check.
        await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, cancellationToken);
        await InnerStore.DeleteAsync(key, null, cancellationToken);
        CreateResult result = await InnerStore.CreateAsync(key, record, cancellationToken);
        return new CreateResult(CreateStatus.Created, result.Info ?? await InnerStore.GetAsync(key, cancellationToken));
    }
}

/// <summary>Appends at the end of the upload instead of the requested offset.</summary>
internal sealed class AppendsWithoutOffsetCheck(IUploadStore innerStore) : BrokenStore(innerStore)
{
    public override async ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken) =>
        await base.AppendAsync(key, (await InnerStore.GetAsync(key, cancellationToken))?.Offset ?? 0, content, mode, cancellationToken);
}

/// <summary>Computes the offset instead of measuring it.</summary>
internal sealed class ComputesOffset(IUploadStore innerStore) : BrokenStore(innerStore)
{
    public override async ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
    {
        AppendResult result = await base.AppendAsync(key, offset, content, mode, cancellationToken);
        return result.Status == AppendStatus.Appended && content.ExpectedLength is { } expected ? result with { Offset = offset + expected } : result;
    }
}

/// <summary>Updates without comparing the version.</summary>
internal sealed class UpdatesWithoutVersionCheck(IUploadStore innerStore) : BrokenStore(innerStore)
{
    public override async ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) =>
        await InnerStore.UpdateAsync(key, (await InnerStore.GetAsync(key, cancellationToken))?.Version ?? version, record, cancellationToken);
}

/// <summary>Compares the version before the deletion and not atomically, so that it deletes during a running append.</summary>
internal sealed class DeletesDuringAppend(IUploadStore innerStore) : BrokenStore(innerStore)
{
    public override async ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken) =>
        version is not null && await InnerStore.GetAsync(key, cancellationToken) is { } info && info.Version != version
            ? new DeleteResult(ChangeStatus.VersionMismatch)
            : await InnerStore.DeleteAsync(key, null, cancellationToken);
}

/// <summary>Returns the same version as long as the record is unchanged, even if bytes were appended.</summary>
internal sealed class IgnoresOffsetInVersion(IUploadStore innerStore) : BrokenStore(innerStore)
{
    public override async ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken)
    {
        UploadInfo? now = await InnerStore.GetAsync(key, cancellationToken);
        bool isSameRecord = now is not null && GetRecordVersion(version) == GetRecordVersion(now.Version);
        return await InnerStore.UpdateAsync(key, isSameRecord ? now!.Version : version, record, cancellationToken);
    }

    // The text before the last hyphen does not change when bytes are appended.
    private static string GetRecordVersion(string version) => version[..Math.Max(0, version.LastIndexOf('-'))];
}

/// <summary>Reports a final record that it has not written.</summary>
internal sealed class ReportsUnwrittenRecord(IUploadStore innerStore) : BrokenStore(innerStore)
{
    public override async ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
    {
        AppendResult result = await base.AppendAsync(key, offset, content, mode, cancellationToken);
        return result.Status == AppendStatus.Appended && mode == AppendMode.KeepPartial && content.GetFinalRecord(result.Offset) is { } final
            ? result with { Updated = await InnerStore.GetAsync(key, cancellationToken) is { } info ? info with { Record = final.Record } : null }
            : result;
    }
}

/// <summary>Writes the final record even if the append was refused.</summary>
internal sealed class WritesFinalRecordOfRefusedAppend(IUploadStore innerStore) : BrokenStore(innerStore)
{
    public override async ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
    {
        AppendResult result = await base.AppendAsync(key, offset, content, mode, cancellationToken);
        if (result.Version is null || content.GetFinalRecord(result.Offset) is not { } final)
        {
            return result;
        }

        UpdateResult update = await InnerStore.UpdateAsync(key, result.Version, final.Record, cancellationToken);
        return result with { Version = update.Info!.Version, Updated = update.Info };
    }
}

/// <summary>Skips the first upload of a listing that continues after a key.</summary>
internal sealed class SkipsInListings(IUploadStore innerStore) : BrokenStore(innerStore)
{
    public override IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, CancellationToken cancellationToken) =>
        query.StartAfter is null ? base.ListAsync(query, cancellationToken) : base.ListAsync(query, cancellationToken).Skip(1);
}

/// <summary>Returns content of whole blocks of 64 KiB without its last byte, and other content with a wrong byte where a block begins in the middle of an append.</summary>
internal sealed class LosesLastByteOfFullBlock(IUploadStore innerStore) : BrokenStore(innerStore)
{
    private const int BlockSize = 64 * 1024;

    public override async ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken)
    {
        await using Stream? content = await InnerStore.OpenReadAsync(key, cancellationToken);
        if (content is null)
        {
            return null;
        }

        var copy = new MemoryStream();
        await content.CopyToAsync(copy, cancellationToken);
        byte[] bytes = copy.ToArray();
        if (bytes.Length > BlockSize)
        {
            bytes[BlockSize] ^= 1;
        }

        return new MemoryStream(bytes.Length % BlockSize == 0 ? bytes[..^1] : bytes);
    }
}

/// <summary>Reports the offset at which its own last append ended, whatever another process has appended since.</summary>
internal sealed class RemembersOffset(IUploadStore innerStore) : BrokenStore(innerStore)
{
    private long? _offset;

    public override async ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
    {
        AppendResult result = await base.AppendAsync(key, offset, content, mode, cancellationToken);
        _offset ??= result.Offset;
        return result with { Offset = _offset.Value };
    }
}

/// <summary>Does not ask the content whether it belongs to the current record, or asks it about the record that the store has read first.</summary>
internal sealed class IgnoresRefusals(IUploadStore innerStore, bool asksAboutFirstRecord = false) : BrokenStore(innerStore)
{
    private UploadRecord? _first;

    public override async ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken)
    {
        UploadInfo? info = await base.GetAsync(key, cancellationToken);
        _first ??= info?.Record;
        return info;
    }

    public override async ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken) =>
        asksAboutFirstRecord && _first is not null && !content.CanAppendTo(_first)
            ? new AppendResult(AppendStatus.Busy, offset, null)
            : await base.AppendAsync(key, offset, new WillingContent(content), mode, cancellationToken);

    private sealed class WillingContent(UploadContent inner) : UploadContent
    {
        public override PipeReader Reader => inner.Reader;

        public override long? ExpectedLength => inner.ExpectedLength;

        public override void ReportDurable(long durableOffset) => inner.ReportDurable(durableOffset);

        public override ValueTask<bool> ShouldCommitAsync(CancellationToken cancellationToken) => inner.ShouldCommitAsync(cancellationToken);
    }
}
