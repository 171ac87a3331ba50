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

    /// <summary>Creates a concatenation, and concatenates its parts if all of them are received.</summary>
    /// <param name="command">The upload to create, with the ids of the parts.</param>
    /// <param name="callbacks">The application.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    public async ValueTask<UploadResult> CreateAsync(AppendCommand command, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        UploadKey[] parts = GetPartKeys(command.Key, command.CreateIfMissing!.Concatenation!);
        long? length = 0;
        foreach (UploadKey part in parts)
        {
            if (await GetPartAsync(part, cancellationToken) is not { } info)
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

        CreationResult creation = await creator.CreateAsync(sizedCommand, WithMaxUploadSize(command), callbacks, content: null, cancellationToken);
        if (creation is CreationResult.Failed failed)
        {
            return failed.Result;
        }

        UploadInfo created = ((CreationResult.Created)creation).Info;
        pending.Add(created.Key, parts);
        UploadResult result = await TryConcatenateAsync(command.Key, waitForLock: true, callbacks, cancellationToken)
            ?? new UploadResult(UploadResultKind.Appended)
            {
                UploadLength = length,
                Expires = context.RecordPolicy.GetExpirationAfterChange(created.Record),
            };
        return result with { IsCreated = true };
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
            pending.Add(info.Key, GetPartKeys(info.Key, concatenation));
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
        try
        {
            AppendStep? step;
            using (UploadLock? uploadLock = locks.TryAcquire(key)
                ?? (waitForLock ? await locks.AcquireAsync(key, context.Settings.PreemptionTimeout, cancellationToken) : null))
            {
                step = uploadLock is null ? null : await ConcatenateAsync(key, uploadLock, callbacks, cancellationToken);
            }

            return step is null ? null : await completion.CompleteAsync(step, callbacks, cancellationToken);
        }
        catch (UploadStoreException e)
        {
            // The copied bytes are kept, and a later request resumes. The part that started the concatenation is durable.
            Log.StoreFailed(context.Logger, e, e.Failure, key, e.DurableOffset);
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

        UploadKey[] keys = GetPartKeys(key, concatenation);
        var parts = new List<UploadInfo>(keys.Length);
        foreach (UploadKey partKey in keys)
        {
            if (await GetPartAsync(partKey, cancellationToken) is not { } part || part.Offset != part.Length)
            {
                return null;
            }

            parts.Add(part);
        }

        // Checked again, because the length of a part may become known after the concatenation was created.
        long maxUploadSize = concatenation.MaxUploadSize ?? context.Settings.MaxUploadSize;
        if (parts.Sum(static part => part.Offset) > maxUploadSize)
        {
            return new UploadResult(UploadResultKind.UploadTooLarge) { MaxUploadSize = maxUploadSize };
        }

        AppendStep step = await AppendPartsAsync(info, parts, uploadLock, callbacks, cancellationToken);
        if (step is not AppendStep.Finished)
        {
            pending.Remove(key);
            await RemovePartsAsync(keys, cancellationToken);
        }

        return step;
    }

    /// <summary>Appends the bytes of the parts from the current offset, which is greater than 0 after a crash.</summary>
    private async ValueTask<AppendStep> AppendPartsAsync(
        UploadInfo info, List<UploadInfo> parts, UploadLock uploadLock, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        EngineRecord record = EngineRecord.From(info);
        long partEnd = 0;
        for (int i = 0; i < parts.Count; i++)
        {
            partEnd += parts[i].Offset;
            long missing = partEnd - info.Offset;
            bool isLast = i == parts.Count - 1;
            if (missing <= 0 && !isLast)
            {
                continue;
            }

            Stream content = await context.Store.OpenReadAsync(parts[i].Key, cancellationToken) ?? Stream.Null;
            await using (content)
            {
                content.Position = parts[i].Offset - missing;
                var command = new AppendCommand
                {
                    Key = info.Key,
                    Offset = info.Offset,
                    Body = missing > 0
                        ? PipeReader.Create(content, new StreamPipeReaderOptions(bufferSize: CopyBufferSize))
                        : PipeReader.Create(ReadOnlySequence<byte>.Empty),
                    SourceStream = missing > 0 ? content : null,
                    UploadLength = parts.Sum(static part => part.Offset),
                    BodyLength = missing,
                    CompletionRule = CompletionRule.AtLength,
                };
                AppendStep step = await executor.AppendAsync(
                    new LockedAppend(command, uploadLock, callbacks), info, record, content: null, cancellationToken);
                if (step is not AppendStep.Finished { Result.Kind: UploadResultKind.Appended })
                {
                    return step;
                }
            }

            info = await context.Store.GetAsync(info.Key, cancellationToken)
                ?? throw new UploadStoreException(StoreFailure.Unavailable, $"Upload {info.Key} was removed while its parts were concatenated.");
        }

        throw new UploadStoreException(StoreFailure.Corrupt, $"The parts of upload {info.Key} have fewer bytes than their offsets say.", info.Offset);
    }

    private async ValueTask RemovePartsAsync(UploadKey[] parts, CancellationToken cancellationToken)
    {
        // A part may belong to several concatenations. The last one removes it.
        HashSet<UploadKey> neededParts = pending.IsComplete
            ? [.. parts.Where(part => pending.GetPendingFor(part).Length > 0)]
            : await GetPartsNeededByOthersAsync(parts[0].Owner, cancellationToken);
        foreach (UploadKey part in parts.Distinct())
        {
            if (!neededParts.Contains(part) && await context.Store.GetAsync(part, cancellationToken) is { } info)
            {
                await remover.RemoveAsync(info, ignoreVersion: true, cancellationToken);
            }
        }
    }

    /// <summary>Lists the parts of all concatenations of an owner that are waiting, from the store.</summary>
    private async ValueTask<HashSet<UploadKey>> GetPartsNeededByOthersAsync(string owner, CancellationToken cancellationToken)
    {
        HashSet<UploadKey> neededParts = [];
        await foreach (UploadInfo info in context.Store.ListAsync(new UploadQuery { Owner = owner }, cancellationToken))
        {
            if (info.State == UploadState.Receiving && EngineRecord.From(info) is { Concatenation: { IsPart: false } concatenation })
            {
                neededParts.UnionWith(GetPartKeys(info.Key, concatenation));
            }
        }

        return neededParts;
    }

    private async ValueTask<UploadInfo?> GetPartAsync(UploadKey key, CancellationToken cancellationToken) =>
        await context.Store.GetAsync(key, cancellationToken) is { State: UploadState.Receiving } info
        && !context.RecordPolicy.IsExpired(info) && EngineRecord.From(info).Concatenation is { IsPart: true }
            ? info
            : null;

    private CreateCommand WithMaxUploadSize(AppendCommand command)
    {
        CreateCommand createCommand = command.CreateIfMissing!;
        long maxUploadSize = AppendValidator.GetMaxUploadSize(command, context.Settings);
        return createCommand with { Concatenation = createCommand.Concatenation! with { MaxUploadSize = maxUploadSize } };
    }

    /// <summary>Returns the keys of the parts. They have the owner of the concatenation, so that a client cannot name the uploads of other owners.</summary>
    private static UploadKey[] GetPartKeys(UploadKey key, ConcatenationInfo concatenation) => [.. concatenation.PartIds!.Select(id => new UploadKey(key.Owner, id))];
}
