using System.Buffers;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Appending;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Engine.Locking;

namespace ResumableUploads.Engine.Concatenation;

/// <summary>
/// Concatenates uploads. In the store, a concatenation is an upload whose bytes come from its parts and not from a client. No bytes are therefore lost
/// in a crash: the next attempt resumes at the offset of the concatenation. The parts are removed after the last byte is durable.
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
    private const int CopyBufferSize = 256 * 1024;
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
    /// Removes the parts of a concatenation that has all its bytes and no longer needs them. This is necessary if a crash followed the last byte.
    /// </summary>
    public async ValueTask RemovePartsAsync(UploadInfo info)
    {
        if (info.State != UploadState.Receiving && EngineRecord.From(info) is { Concatenation: { IsPart: false } concatenation })
        {
            await _parts.RemoveUnneededAsync(info.Key, ConcatenationParts.GetKeys(info.Key, concatenation));
        }
    }

    /// <summary>Concatenates the parts of a locked upload, releases the lock, and completes the upload.</summary>
    private async ValueTask<UploadResult?> ConcatenateAndCompleteAsync(UploadLock uploadLock, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        try
        {
            AppendStep? step;
            using (uploadLock)
            {
                step = await ConcatenateAsync(uploadLock.Key, uploadLock, callbacks, cancellationToken);
            }

            return step is null ? null : await completion.CompleteAsync(step, callbacks, cancellationToken);
        }
        catch (UploadStoreException e)
        {
            // The copied bytes are kept, and a later request resumes. The part that started the concatenation is durable.
            Log.StoreFailed(context.Logger, e, e.Failure, uploadLock.Key, e.DurableOffset);
            return UploadResult.FromException(e);
        }
    }

    private async ValueTask<AppendStep?> ConcatenateAsync(UploadKey key, UploadLock uploadLock, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        uploadLock.CannotBePreempted = true;
        if (await context.Store.GetAsync(key, cancellationToken) is not { State: UploadState.Receiving } info
            || EngineRecord.From(info) is not { Concatenation: { IsPart: false } concatenation })
        {
            pending.Remove(key);
            return null;
        }

        UploadKey[] keys = ConcatenationParts.GetKeys(key, concatenation);
        var found = new List<UploadInfo>(keys.Length);
        foreach (UploadKey partKey in keys)
        {
            if (await _parts.GetAsync(partKey, cancellationToken) is not { } part)
            {
                return await FailAsync(info, new UploadResult(UploadResultKind.PartNotFound));
            }

            found.Add(part);
        }

        if (found.Exists(static part => part.Offset != part.Length))
        {
            return null;
        }

        // Checked again, because the length of a part may become known after the concatenation was created.
        long maxUploadSize = concatenation.MaxUploadSize ?? context.Settings.MaxUploadSize;
        if (found.Sum(static part => part.Offset) > maxUploadSize)
        {
            return await FailAsync(info, new UploadResult(UploadResultKind.UploadTooLarge) { MaxUploadSize = maxUploadSize });
        }

        AppendStep? step = await AppendPartsAsync(info, found, uploadLock, callbacks, cancellationToken);
        if (step is null or AppendStep.Finished { Result.Kind: UploadResultKind.OffsetMismatch or UploadResultKind.AlreadyComplete })
        {
            // Another process is concatenating the parts or has completed the upload.
            return null;
        }

        if (step is AppendStep.Finished { Result: { Kind: UploadResultKind.ReprDigestMismatch } mismatch })
        {
            return await FailAsync(info, mismatch);
        }

        if (step is not AppendStep.Finished { Result.Kind: not UploadResultKind.Completed })
        {
            pending.Remove(key);
            await _parts.RemoveUnneededAsync(key, keys);
        }

        return step;
    }

    /// <summary>Appends the bytes of the parts from the current offset, which is greater than 0 after a crash.</summary>
    /// <returns>The result, or null if another process has changed the upload.</returns>
    private async ValueTask<AppendStep?> AppendPartsAsync(
        UploadInfo info, List<UploadInfo> found, UploadLock uploadLock, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        EngineRecord record = EngineRecord.From(info);
        long partEnd = 0;
        for (int i = 0; i < found.Count; i++)
        {
            partEnd += found[i].Offset;
            long missing = partEnd - info.Offset;
            bool isLast = i == found.Count - 1;
            if (missing <= 0 && !isLast)
            {
                continue;
            }

            await using Stream? content = missing > 0 ? await context.Store.OpenReadAsync(found[i].Key, cancellationToken) : null;
            if (missing > 0 && !TrySeek(content, found[i].Offset - missing, found[i].Offset))
            {
                return await FailAsync(info, new UploadResult(UploadResultKind.PartNotFound));
            }

            var command = new AppendCommand
            {
                Key = info.Key,
                Offset = info.Offset,
                Body = content is null
                    ? PipeReader.Create(ReadOnlySequence<byte>.Empty)
                    : PipeReader.Create(content, new StreamPipeReaderOptions(bufferSize: CopyBufferSize)),
                SourceStream = content,
                UploadLength = found.Sum(static part => part.Offset),
                BodyLength = Math.Max(0, missing),
                CompletionRule = CompletionRule.AtLength,
            };
            AppendStep step = await executor.AppendAsync(
                new LockedAppend(command, uploadLock, callbacks), info, record, content: null, cancellationToken);
            if (step is AppendStep.Finished { Result.Kind: UploadResultKind.Interrupted })
            {
                // The store failed to read the part. If it was removed, the next attempt reports that.
                throw new UploadStoreException(StoreFailure.Unavailable, $"Part {found[i].Key} of upload {info.Key} could not be read.");
            }

            if (step is not AppendStep.Finished { Result.Kind: UploadResultKind.Appended })
            {
                return step;
            }

            info = await context.Store.GetAsync(info.Key, cancellationToken)
                ?? throw new UploadStoreException(StoreFailure.Unavailable, $"Upload {info.Key} was removed while its parts were concatenated.");
        }

        throw new UploadStoreException(StoreFailure.Corrupt, $"The parts of upload {info.Key} have fewer bytes than their offsets say.", info.Offset);
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
            isReferenced = await _parts.TryReferenceAsync(keys, cancellationToken);
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

    /// <summary>Sets the position of a part's content. Returns false if the part was removed meanwhile.</summary>
    private static bool TrySeek(Stream? content, long position, long length)
    {
        if (content is null || content.Length < length)
        {
            return false;
        }

        content.Position = position;
        return true;
    }
}
