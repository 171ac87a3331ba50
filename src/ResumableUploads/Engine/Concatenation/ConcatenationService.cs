using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Appending;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Engine.Locking;
using ResumableUploads.Engine.Quotas;

namespace ResumableUploads.Engine.Concatenation;

/// <summary>
/// Concatenates uploads. In the store, a concatenation is an upload whose bytes come from its parts and not from a client. No bytes are therefore lost
/// in a crash: the next attempt resumes at the offset of the concatenation, and does not need the parts that were copied before. The parts are removed after
/// the last byte is durable, and cannot expire until then.
/// </summary>
internal sealed class ConcatenationService(
    EngineContext context,
    UploadLockTable locks,
    UploadCreator creator,
    AppendExecutor executor,
    CompletionService completion,
    UploadRemover remover,
    PendingConcatenations pending)
{
    /// <summary>The minimum time between two visits of a concatenation that waits for its parts, which another process may receive.</summary>
    public static readonly TimeSpan MinCheckInterval = TimeSpan.FromSeconds(2);

    private const int MaxRemovalAttempts = 5;
    private static readonly TimeSpan MaxCheckInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan CheckIntervalPerPart = TimeSpan.FromMilliseconds(20);
    private readonly ConcatenationParts _parts = new(context, remover);

    /// <summary>Creates a concatenation, and concatenates its parts if all of them are received.</summary>
    /// <param name="command">The upload to create, with the ids of the parts.</param>
    /// <param name="callbacks">The application.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    public async ValueTask<UploadResult> CreateAsync(AppendCommand command, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        UploadKey[] keys = ConcatenationParts.GetKeys(command.Key, command.CreateIfMissing!.Concatenation!);
        long? length = 0;
        bool areComplete = true;
        foreach (UploadKey key in keys)
        {
            if (await _parts.GetAsync(key, cancellationToken) is not { } info)
            {
                return new UploadResult(UploadResultKind.PartNotFound);
            }

            if (!command.Matches(EngineRecord.From(info)))
            {
                return new UploadResult(UploadResultKind.DifferentRequest);
            }

            areComplete &= info.Offset == info.Length;

            // A sum that overflows is above any limit.
            length = info.Length > long.MaxValue - length ? long.MaxValue : length + info.Length;
        }

        AppendCommand sizedCommand = command with { UploadLength = length };
        if (AppendValidator.CheckCommand(sizedCommand, context.Settings) is { } failure)
        {
            return failure;
        }

        // Held until the parts are referenced and copied, so that a sweep does not complete the concatenation and remove its parts before that.
        using UploadLock? uploadLock = await locks.AcquireAsync(command.Key, context.Settings.PreemptionTimeout, cancellationToken);
        if (uploadLock is null)
        {
            return new UploadResult(UploadResultKind.Busy);
        }

        uploadLock.CannotBePreempted = true;
        CreationResult creation = await creator.CreateAsync(sizedCommand, WithMaxUploadSize(command), callbacks, content: null, cancellationToken);
        if (creation is CreationResult.Failed failed)
        {
            return failed.Result;
        }

        UploadInfo created = ((CreationResult.Created)creation).Info;
        if (!await TryReferencePartsAsync(created, keys, cancellationToken))
        {
            return new UploadResult(UploadResultKind.PartNotFound);
        }

        EngineRecord record = EngineRecord.From(created);
        Track(created, record, keys);
        if (areComplete && record.Request is not null)
        {
            return await ConcatenateOrRemoveAsync(created, uploadLock, callbacks, cancellationToken);
        }

        UploadResult? result = await ConcatenateAndCompleteAsync(uploadLock, callbacks, cancellationToken);
        if (result is null or { Kind: UploadResultKind.StorageFailed, IsDamaged: false } or { Kind: UploadResultKind.IdleTimeout or UploadResultKind.ShuttingDown })
        {
            // A later request or the sweep continues. A client that received an error would create another upload.
            DateTimeOffset? expires = context.RecordPolicy.GetExpirationAfterChange(created.Record);
            result = new UploadResult(UploadResultKind.Appended) { UploadLength = length, Expires = expires };
        }

        bool isRemoved = result.Kind is UploadResultKind.PartNotFound or UploadResultKind.UploadTooLarge or UploadResultKind.ReprDigestMismatch;
        return isRemoved ? result : result with { IsCreated = true };
    }

    /// <summary>Concatenates the parts of an upload, or removes it: only a request can run its endpoint, and the client may send none any more.</summary>
    private async ValueTask<UploadResult> ConcatenateOrRemoveAsync(
        UploadInfo created, UploadLock uploadLock, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        UploadResult result = new(UploadResultKind.Busy);
        bool isRemoved;
        try
        {
            result = await ConcatenateAndCompleteAsync(uploadLock, callbacks, cancellationToken) ?? result;
        }
        finally
        {
            // Does nothing if all bytes are copied.
            isRemoved = result.Kind != UploadResultKind.Completed && await TryRemoveAsync(created);
        }

        return result with { IsCreated = !isRemoved };
    }

    /// <summary>Completes the concatenations that were waiting for a received part.</summary>
    public async ValueTask OnPartReceivedAsync(UploadKey part, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        var knownParts = new KnownParts();
        foreach (UploadKey key in pending.GetPendingFor(part))
        {
            await TryConcatenateAsync(key, waitForLock: true, callbacks.ForOtherUpload(), cancellationToken, knownParts);
        }
    }

    /// <summary>Adds an upload to the pending concatenations if it waits for parts.</summary>
    public void TrackIfPending(UploadInfo info, EngineRecord record)
    {
        if (info.State == UploadState.Receiving && record.Concatenation is { IsPart: false } concatenation)
        {
            Track(info, record, ConcatenationParts.GetKeys(info.Key, concatenation));
        }
    }

    /// <summary>Concatenates the parts of an upload if all of them are received, and completes the upload.</summary>
    /// <param name="key">The upload.</param>
    /// <param name="waitForLock">Whether to wait for another request that holds the lock, and that may have checked the parts before the last one was received.</param>
    /// <param name="callbacks">The application.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <param name="knownParts">The parts that were read for other concatenations, or null.</param>
    /// <returns>The result, or null if the upload still waits for parts or another request is concatenating them.</returns>
    public async ValueTask<UploadResult?> TryConcatenateAsync(
        UploadKey key, bool waitForLock, IUploadCallbacks callbacks, CancellationToken cancellationToken, KnownParts? knownParts = null)
    {
        UploadLock? uploadLock = locks.TryAcquire(key)
            ?? (waitForLock ? await locks.AcquireAsync(key, context.Settings.PreemptionTimeout, cancellationToken) : null);
        return uploadLock is null ? null : await ConcatenateAndCompleteAsync(uploadLock, callbacks, cancellationToken, knownParts);
    }

    /// <summary>
    /// Removes the parts of a concatenation that has all its bytes and no longer needs them. This is necessary if a crash or a failure of the store
    /// followed the last byte.
    /// </summary>
    /// <returns>False if the removal must be tried again.</returns>
    public async ValueTask<bool> RemovePartsAsync(UploadInfo info) =>
        EngineRecord.From(info) is not { Concatenation: { IsPart: false } concatenation }
        || await _parts.RemoveUnneededAsync(info.Key, ConcatenationParts.GetKeys(info.Key, concatenation));

    /// <summary>Concatenates the parts of a locked upload, releases the lock, and completes the upload.</summary>
    private async ValueTask<UploadResult?> ConcatenateAndCompleteAsync(
        UploadLock uploadLock, IUploadCallbacks callbacks, CancellationToken cancellationToken, KnownParts? knownParts = null)
    {
        try
        {
            AppendStep? step;
            UploadKey[] unneeded;
            UploadKey key = uploadLock.Key;
            using (uploadLock)
            {
                (step, unneeded) = await ConcatenateAsync(uploadLock, callbacks, knownParts ?? new KnownParts(), cancellationToken);
            }

            if (step is null)
            {
                return null;
            }

            // The handler starts first: its lease is renewed while it runs, and the removal of many parts may take longer than the lease.
            Task<UploadResult> completing = completion.CompleteAsync(step, callbacks, cancellationToken).AsTask();
            await _parts.RemoveUnneededAsync(key, unneeded);
            return await completing;
        }
        catch (UploadStoreException e)
        {
            // The copied bytes are kept, and a later request resumes. The part that started the concatenation is durable.
            context.LogStoreFailure(e, e.Failure, uploadLock.Key, e.DurableOffset);
            return UploadResult.FromException(e);
        }
    }

    /// <returns>The result, or null if there is nothing to do now, and the parts that this concatenation does not need any more.</returns>
    private async ValueTask<(AppendStep? Step, UploadKey[] UnneededParts)> ConcatenateAsync(
        UploadLock uploadLock, IUploadCallbacks callbacks, KnownParts knownParts, CancellationToken cancellationToken)
    {
        UploadKey key = uploadLock.Key;
        uploadLock.CannotBePreempted = true;
        if (await context.Store.GetAsync(key, cancellationToken) is not { State: UploadState.Receiving } info
            || EngineRecord.From(info) is not { Concatenation: { IsPart: false } concatenation } record)
        {
            pending.Remove(key);
            return (null, []);
        }

        UploadKey[] keys = ConcatenationParts.GetKeys(key, concatenation);
        if (await FindRemainingAsync(info, keys, concatenation.PartLengths, knownParts, cancellationToken) is not { } parts)
        {
            return (await FailAsync(info, new UploadResult(UploadResultKind.PartNotFound)), []);
        }

        if (concatenation.PartLengths is null)
        {
            if (Array.Exists(parts, static part => part!.Offset != part.Length))
            {
                UploadInfo?[] received = [.. parts.Where(part => part!.Offset == part.Length && part.Expires < info.Expires).DistinctBy(static part => part!.Key)];
                await _parts.ExtendAsync(received, info, cancellationToken);
                knownParts.Add(received);
                return (null, []);
            }

            // Checked again, because the length of a part may become known after the concatenation was created.
            long maxUploadSize = concatenation.MaxUploadSize ?? context.Settings.MaxUploadSize;
            if (parts.Sum(static part => part!.Offset) > maxUploadSize)
            {
                return (await FailAsync(info, new UploadResult(UploadResultKind.UploadTooLarge) { MaxUploadSize = maxUploadSize }), []);
            }

            if (await StartAsync(info, record, [.. parts.Select(static part => part!.Offset)], cancellationToken) is not { } started)
            {
                return (null, []);
            }

            info = started;
        }

        QuotaAccount account = QuotaAccount.From(key, record);
        if (!context.Quota.TryReserveAppend(account))
        {
            // A later request or the sweep copies the parts.
            return (null, []);
        }

        AppendStep step;
        try
        {
            step = await new PartCopier(context, executor, _parts).CopyAsync(info, parts, uploadLock, callbacks, cancellationToken);
        }
        finally
        {
            context.Quota.ReleaseAppend(account);
        }

        if (step is AppendStep.Finished { Result.Kind: UploadResultKind.OffsetMismatch or UploadResultKind.AlreadyComplete or UploadResultKind.Busy })
        {
            // Another process is concatenating the parts or has completed the upload.
            return (null, []);
        }

        if (step is AppendStep.Finished { Result: { Kind: UploadResultKind.ReprDigestMismatch or UploadResultKind.PartNotFound } failure })
        {
            return (await FailAsync(info, failure), []);
        }

        if (step is AppendStep.Finished { Result.Kind: not UploadResultKind.Completed })
        {
            return (step, []);
        }

        pending.Remove(key);
        return (step, keys);
    }

    /// <summary>Finds the parts that are not copied yet.</summary>
    /// <param name="info">The concatenation.</param>
    /// <param name="keys">Its parts.</param>
    /// <param name="lengths">The lengths of the parts, or null if no attempt to copy them was made yet.</param>
    /// <param name="knownParts">The parts that were read before. Each part is read once, however often it is named.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The parts, with null for each that is copied; or null if one does not exist.</returns>
    private async ValueTask<UploadInfo?[]?> FindRemainingAsync(
        UploadInfo info, UploadKey[] keys, List<long>? lengths, KnownParts knownParts, CancellationToken cancellationToken)
    {
        var parts = new UploadInfo?[keys.Length];
        long end = 0;
        for (int i = 0; i < keys.Length; i++)
        {
            end += lengths?[i] ?? 0;
            if (lengths is not null && end <= info.Offset)
            {
                continue;
            }

            // A known state may be old. That a part does not have its bytes counts only if it was read now.
            UploadInfo? part = knownParts.Find(keys[i]) is { } known && (lengths is null || known.Offset == lengths[i])
                ? known
                : await _parts.GetAsync(keys[i], cancellationToken);
            if (part is null || (lengths is not null && part.Offset != lengths[i]))
            {
                return null;
            }

            parts[i] = part;
            knownParts.Add(part);
        }

        return parts;
    }

    /// <summary>Records the lengths of the parts, which are needed to resume after a part was copied and removed.</summary>
    /// <returns>The concatenation, or null if another process has completed or removed it.</returns>
    private async ValueTask<UploadInfo?> StartAsync(UploadInfo info, EngineRecord record, List<long> lengths, CancellationToken cancellationToken)
    {
        UploadInfo? started = await context.RecordUpdater.UpdateAsync(
            info,
            current => current.State == UploadState.Receiving && record.IsOf(current)
                && EngineRecord.From(current) is { Concatenation: { PartLengths: null } concatenation } stored
                    ? current.Record with { Data = (stored with { Concatenation = concatenation with { PartLengths = lengths } }).ToBytes() }
                    : null,
            cancellationToken);
        return started is { State: UploadState.Receiving } && record.IsOf(started) ? started : null;
    }

    /// <summary>Removes a concatenation that can never be completed, so that a status request does not report it as waiting.</summary>
    /// <returns>The result, or null if another process has completed the concatenation or is concatenating it.</returns>
    private async ValueTask<AppendStep?> FailAsync(UploadInfo info, UploadResult result)
    {
        if (!await TryRemoveAsync(info))
        {
            return null;
        }

        context.Lifecycle.ConcatenationFailed(info, result.Kind);
        return result;
    }

    /// <summary>
    /// Removes a concatenation, unless another process has completed it: that process removed the parts that this one did not find.
    /// </summary>
    /// <returns>True if the concatenation no longer exists.</returns>
    private async ValueTask<bool> TryRemoveAsync(UploadInfo info)
    {
        UploadInfo? current = info;
        for (int i = 0; i < MaxRemovalAttempts && current is { State: UploadState.Receiving }; i++)
        {
            if (await remover.RemoveAsync(current, ignoreVersion: false, CancellationToken.None))
            {
                return true;
            }

            current = await context.Store.GetAsync(info.Key, CancellationToken.None);
        }

        return current is null;
    }

    /// <summary>Protects the parts of a new concatenation from being removed by other concatenations, or removes the new one.</summary>
    /// <returns>False if the new concatenation was removed, because one of its parts does not exist.</returns>
    private async ValueTask<bool> TryReferencePartsAsync(UploadInfo created, UploadKey[] keys, CancellationToken cancellationToken)
    {
        bool isReferenced = false;
        bool isRemoved = false;
        try
        {
            isReferenced = await _parts.TryReferenceAsync(keys, created, cancellationToken);
        }
        finally
        {
            isRemoved = !isReferenced && await TryRemoveAsync(created);
        }

        return !isRemoved;
    }

    /// <summary>
    /// Adds a concatenation to the pending ones. The last part may be received by another process, so the parts are checked at intervals that grow with the
    /// age of the concatenation. An endpoint can only be run by a request, which checks the parts too.
    /// </summary>
    private void Track(UploadInfo info, EngineRecord record, UploadKey[] parts)
    {
        pending.Add(info.Key, parts);
        if (record.Request is null)
        {
            TimeSpan interval = ((context.Time.GetUtcNow() - record.Created) / 10) + (parts.Length * CheckIntervalPerPart);
            context.EarlyVisits.Add(info.Key, interval < MinCheckInterval ? MinCheckInterval : interval > MaxCheckInterval ? MaxCheckInterval : interval);
        }
    }

    private CreateCommand WithMaxUploadSize(AppendCommand command)
    {
        CreateCommand createCommand = command.CreateIfMissing!;
        long maxUploadSize = AppendValidator.GetMaxUploadSize(command, context.Settings);
        return createCommand with { Concatenation = createCommand.Concatenation! with { MaxUploadSize = maxUploadSize } };
    }
}
