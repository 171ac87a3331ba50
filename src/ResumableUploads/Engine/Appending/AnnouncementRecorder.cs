using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Quotas;

namespace ResumableUploads.Engine.Appending;

/// <summary>
/// Stores what an append announces about the whole content, its length and its digest. That happens before its body, because the append may not end.
/// </summary>
internal sealed class AnnouncementRecorder(EngineContext context)
{
    /// <param name="command">The append.</param>
    /// <param name="info">The upload as it is under the lock.</param>
    /// <param name="record">The engine's data in its record.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The upload with what the append announces, or the failure.</returns>
    public async ValueTask<(UploadInfo Info, EngineRecord Record, UploadResult? Failure)> RecordAsync(
        AppendCommand command, UploadInfo info, EngineRecord record, CancellationToken cancellationToken)
    {
        (UploadInfo, EngineRecord, UploadResult? Failure) recorded = await TryRecordAsync(command, info, record, cancellationToken);

        // Another process may still hold a connection that is dead.
        if (recorded.Failure is not { Kind: UploadResultKind.Busy }
            || await context.Takeover.TakeOverAsync(info, cancellationToken) == TakeoverStatus.StillAppending
            || await context.Store.GetAsync(info.Key, cancellationToken) is not { State: UploadState.Receiving } current
            || !record.IsOf(current))
        {
            return recorded;
        }

        record = EngineRecord.From(current);
        return AppendValidator.CheckAgainstUpload(command, current, record, context.Settings) is { } failure
            ? (current, record, failure)
            : await TryRecordAsync(command, current, record, cancellationToken);
    }

    private async ValueTask<(UploadInfo Info, EngineRecord Record, UploadResult? Failure)> TryRecordAsync(
        AppendCommand command, UploadInfo info, EngineRecord record, CancellationToken cancellationToken)
    {
        long? newLength = info.Length is null ? command.KnownLength : null;

        // Staged bytes that complete the upload are verified before they are kept.
        bool isVerified = command.IsStaged && AppendValidator.MayComplete(command, newLength ?? info.Length);
        string? newDigest = record.ReprDigest is null && !isVerified ? command.ReprDigest?.ToString() : null;
        if (newLength is null && newDigest is null)
        {
            return (info, record, null);
        }

        QuotaReservation? additional = null;
        if (newLength is { } length)
        {
            var target = new QuotaTarget(info.Key, QuotaAccount.From(info.Key, record)) { Stored = QuotaUsage.Of(info) };
            (additional, _) = await context.Quota.ReserveBytesAsync(target, length - info.Offset, cancellationToken);
            if (additional is null)
            {
                return (info, record, new UploadResult(UploadResultKind.OwnerQuotaExceeded, info.Offset));
            }
        }

        record = record with { ReprDigest = newDigest ?? record.ReprDigest };
        UploadRecord changed = info.Record with { Length = newLength ?? info.Record.Length, Data = newDigest is null ? info.Record.Data : record.ToBytes() };
        QuotaUsage? used = null;
        try
        {
            UpdateResult update = await context.Store.UpdateAsync(info.Key, info.Version, changed, cancellationToken);
            used = update.Info is null ? default(QuotaUsage) : additional?.Usage;
            return update.Info is { } updated
                ? (updated, record, null)
                : (info, record, new UploadResult(update.Status == ChangeStatus.NotFound ? UploadResultKind.NotFound : UploadResultKind.Busy));
        }
        finally
        {
            await (additional?.SettleAsync(used) ?? default);
        }
    }
}
