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
    private const int MaxRemovalAttempts = 5;
    private readonly ConcatenationParts _parts = new(context, remover);

    /// <summary>Creates a concatenation, and concatenates its parts if all of them are received.</summary>
    /// <param name="command">The upload to create, with the ids of the parts.</param>
    /// <param name="callbacks">The application.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    public async ValueTask<UploadResult> CreateAsync(AppendCommand command, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        UploadKey[] keys = ConcatenationParts.GetKeys(command.Key, command.CreateIfMissing!.Concatenation!);
        long? length = 0;
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

        pending.Add(created.Key, keys);
        UploadResult result = await ConcatenateAndCompleteAsync(uploadLock, callbacks, cancellationToken)
            ?? new UploadResult(UploadResultKind.Appended)
            {
                UploadLength = length,
                Expires = context.RecordPolicy.GetExpirationAfterChange(created.Record),
            };
        bool isRemoved = result.Kind is UploadResultKind.PartNotFound or UploadResultKind.UploadTooLarge or UploadResultKind.ReprDigestMismatch;
        return isRemoved ? result : result with { IsCreated = true };
    }

    /// <summary>Completes the concatenations that were waiting for a received part.</summary>
    public async ValueTask OnPartReceivedAsync(UploadKey part, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        foreach (UploadKey key in pending.GetPendingFor(part))
        {
            await TryConcatenateAsync(key, waitForLock: true, callbacks.ForOtherUpload(), cancellationToken);
        }
    }

    /// <summary>Adds an upload to the pending concatenations if it waits for parts.</summary>
    public void TrackIfPending(UploadInfo info, EngineRecord record)
    {
        if (info.State == UploadState.Receiving && record.Concatenation is { IsPart: false } concatenation)
        {
            pending.Add(info.Key, ConcatenationParts.GetKeys(info.Key, concatenation));
        }
    }

    /// <summary>Concatenates the parts of an upload if all of them are received, and completes the upload.</summary>
    /// <param name="key">The upload.</param>
    /// <param name="waitForLock">Whether to wait for another request that holds the lock, and that may have checked the parts before the last one was received.</param>
    /// <param name="callbacks">The application.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The result, or null if the upload still waits for parts or another request is concatenating them.</returns>
    public async ValueTask<UploadResult?> TryConcatenateAsync(UploadKey key, bool waitForLock, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        UploadLock? uploadLock = locks.TryAcquire(key)
            ?? (waitForLock ? await locks.AcquireAsync(key, context.Settings.PreemptionTimeout, cancellationToken) : null);
        return uploadLock is null ? null : await ConcatenateAndCompleteAsync(uploadLock, callbacks, cancellationToken);
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
    private async ValueTask<UploadResult?> ConcatenateAndCompleteAsync(UploadLock uploadLock, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        try
        {
            AppendStep? step;
            UploadKey[] unneeded;
            UploadKey key = uploadLock.Key;
            using (uploadLock)
            {
                (step, unneeded) = await ConcatenateAsync(key, uploadLock, callbacks, cancellationToken);
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
            Log.StoreFailed(context.Logger, e, e.Failure, uploadLock.Key, e.DurableOffset);
            return UploadResult.FromException(e);
        }
    }

    /// <returns>The result, or null if there is nothing to do now, and the parts that this concatenation does not need any more.</returns>
    private async ValueTask<(AppendStep? Step, UploadKey[] UnneededParts)> ConcatenateAsync(
        UploadKey key, UploadLock uploadLock, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        uploadLock.CannotBePreempted = true;
        if (await context.Store.GetAsync(key, cancellationToken) is not { State: UploadState.Receiving } info
            || EngineRecord.From(info) is not { Concatenation: { IsPart: false } concatenation } record)
        {
            pending.Remove(key);
            return (null, []);
        }

        UploadKey[] keys = ConcatenationParts.GetKeys(key, concatenation);
        if (await FindRemainingAsync(info, keys, concatenation.PartLengths, cancellationToken) is not { } parts)
        {
            return (await FailAsync(info, new UploadResult(UploadResultKind.PartNotFound)), []);
        }

        if (concatenation.PartLengths is null)
        {
            if (Array.Exists(parts, static part => part!.Offset != part.Length))
            {
                await _parts.ExtendAsync([.. parts.Where(part => part!.Offset == part.Length && part.Expires < info.Expires)], info, cancellationToken);
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

        if (step is AppendStep.Finished { Result.Kind: UploadResultKind.OffsetMismatch or UploadResultKind.AlreadyComplete })
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
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The parts, with null for each that is copied; or null if one does not exist.</returns>
    private async ValueTask<UploadInfo?[]?> FindRemainingAsync(UploadInfo info, UploadKey[] keys, List<long>? lengths, CancellationToken cancellationToken)
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

            if (await _parts.GetAsync(keys[i], cancellationToken) is not { } part || (lengths is not null && part.Offset != lengths[i]))
            {
                return null;
            }

            parts[i] = part;
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

        Log.ConcatenationFailed(context.Logger, info.Key, result.Kind);
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

    private CreateCommand WithMaxUploadSize(AppendCommand command)
    {
        CreateCommand createCommand = command.CreateIfMissing!;
        long maxUploadSize = AppendValidator.GetMaxUploadSize(command, context.Settings);
        return createCommand with { Concatenation = createCommand.Concatenation! with { MaxUploadSize = maxUploadSize } };
    }
}
