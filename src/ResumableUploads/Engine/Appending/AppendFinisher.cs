using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Engine.Quotas;

namespace ResumableUploads.Engine.Appending;

/// <summary>
/// Updates the state of an upload whose last byte is durable to <see cref="UploadState.Received"/>, or to <see cref="UploadState.Completed"/> if there
/// is no completion handler.
/// </summary>
internal sealed class AppendFinisher(EngineContext context, ReprDigestVerifier reprDigestVerifier, HandlerLeases leases)
{
    /// <param name="append">The request that appended the last byte.</param>
    /// <param name="info">The upload, with the offset and the version after the append.</param>
    /// <param name="record">The engine's data in its record.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests. The change of the record has a grace period.</param>
    public async ValueTask<AppendStep> FinishAsync(LockedAppend append, UploadInfo info, EngineRecord record, CancellationToken cancellationToken)
    {
        // The client may disconnect during the verification: it has sent everything, and no other request may follow. A stop of the server ends it.
        EngineRecord verified;
        bool isMatch;
        try
        {
            (verified, isMatch) = await reprDigestVerifier.VerifyAsync(append.Command, record, info.Offset, context.Stopping);
        }
        catch (OperationCanceledException) when (context.Stopping.IsCancellationRequested)
        {
            return new UploadResult(UploadResultKind.ShuttingDown, info.Offset) { UploadLength = info.Length };
        }

        if (!isMatch)
        {
            await RememberDigestsAsync(info, record, verified, cancellationToken);
            return new UploadResult(UploadResultKind.ReprDigestMismatch, info.Offset) { UploadLength = info.Length };
        }

        FinishAttempt attempt = StartAttempt(append.Callbacks, info.Key, verified, info.Offset);
        bool isOurs = false;
        UploadRecord? CreateRecord(UploadInfo current)
        {
            isOurs = current.State == UploadState.Receiving && current.Offset == info.Offset && record.IsOf(current);
            return isOurs ? attempt.Final.Record : null;
        }

        UploadInfo? received = await context.WithGracePeriodAsync(
            info.Key, token => context.RecordUpdater.UpdateAsync(info, CreateRecord, token, attempt.Final.IsDeferrable), cancellationToken);
        if (received is null)
        {
            return new UploadResult(UploadResultKind.NotFound);
        }

        if (received.State == UploadState.Receiving)
        {
            return new UploadResult(UploadResultKind.Busy);
        }

        if (!isOurs && !record.IsOf(received))
        {
            // Another process has deleted the upload, and created another one with the same key.
            return new UploadResult(UploadResultKind.NotFound);
        }

        AppendStep step = Finish(append.Callbacks, info, attempt, received);
        return isOurs ? step : new AppendStep.ResultPending(received, IsRepeat: false);
    }

    /// <summary>Returns the record that completes an upload, or null if its content must be verified first.</summary>
    /// <param name="append">The request that appends the last byte.</param>
    /// <param name="key">The key of the upload.</param>
    /// <param name="record">The engine's data in its record.</param>
    /// <param name="length">The length of the content, in bytes.</param>
    public FinishAttempt? TryStartAttempt(LockedAppend append, UploadKey key, EngineRecord record, long length) =>
        ReprDigestVerifier.HasDigests(append.Command, record) ? null : StartAttempt(append.Callbacks, key, record, length);

    /// <summary>Returns the next step for an upload whose final record has been written.</summary>
    /// <param name="callbacks">The application.</param>
    /// <param name="info">The upload from before the record was written, with the offset after the append.</param>
    /// <param name="attempt">The attempt that wrote the record.</param>
    /// <param name="received">The upload with its final record.</param>
    public AppendStep Finish(IUploadCallbacks callbacks, UploadInfo info, FinishAttempt attempt, UploadInfo received)
    {
        // The bytes count until the content is moved or removed.
        context.Quota.Release(QuotaAccount.From(info.Key, attempt.EngineRecord), QuotaUsage.Of(info) - QuotaUsage.Of(received), attempt.CountNumber);
        return CreateReceivedStep(received, attempt.EngineRecord, callbacks);
    }

    private FinishAttempt StartAttempt(IUploadCallbacks callbacks, UploadKey key, EngineRecord record, long length)
    {
        bool hasHandler = callbacks.HasCompletionHandler;
        EngineRecord written = hasHandler ? record with { Handler = leases.StartAttempt(record.Handler) } : record with { IsContentStored = true };
        UploadRecord final = hasHandler ? context.RecordPolicy.CreateReceived(written, length) : context.RecordPolicy.CreateCompleted(written, length);
        return new FinishAttempt(written, new FinalRecord(final, hasHandler), context.Quota.GetCountNumber(key.Owner));
    }

    /// <summary>Stores the computed digests of a content that does not match, so that no request computes them again.</summary>
    private async ValueTask RememberDigestsAsync(UploadInfo info, EngineRecord record, EngineRecord verified, CancellationToken cancellationToken)
    {
        if (verified.ContentDigests != record.ContentDigests)
        {
            UploadRecord? CreateRecord(UploadInfo current) =>
                current.State == UploadState.Receiving && current.Offset == info.Offset && record.IsOf(current) ? current.Record with { Data = verified.ToBytes() } : null;

            await context.WithGracePeriodAsync(info.Key, token => context.RecordUpdater.UpdateAsync(info, CreateRecord, token), cancellationToken);
        }
    }

    /// <summary>Returns the next step for an upload that this request has received completely.</summary>
    public AppendStep CreateReceivedStep(UploadInfo received, EngineRecord record, IUploadCallbacks callbacks)
    {
        context.Lifecycle.Received(received, record, isCompleted: !callbacks.HasCompletionHandler);
        return callbacks.HasCompletionHandler
            ? new AppendStep.HandlerLeased(received, record)
            : new UploadResult(UploadResultKind.Completed, received.Offset) { UploadLength = received.Length, ReprDigest = record.ComputedReprDigest };
    }
}
