using System.Buffers;
using System.IO.Pipelines;
using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Appending;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Engine.Locking;

namespace ResumableUploads.Engine.Concatenation;

/// <summary>
/// Puts uploads together from parts. To the store a joined upload is one like any other, whose bytes come from its parts and not from a client:
/// so a crash in between loses nothing, and the next try goes on where this one ended. The parts are removed once the whole is durable.
/// </summary>
internal sealed class ConcatenationService(
    IUploadStore store,
    RecordPolicy recordPolicy,
    UploadLockTable locks,
    UploadCreator creator,
    Appender appender,
    CompletionService completion,
    UploadRemover remover,
    PendingConcatenations pending,
    EngineSettings settings,
    ILogger logger)
{
    /// <summary>Makes a joined upload, and joins it where all its parts are whole.</summary>
    /// <param name="command">The upload; its creation names the parts.</param>
    /// <param name="callbacks">The application.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
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

            // As many bytes as there are numbers for are more than any server takes.
            length = info.Length > long.MaxValue - length ? long.MaxValue : length + info.Length;
        }

        AppendCommand sized = command with { UploadLength = length };
        if (AppendValidator.CheckCommand(sized, settings) is { } result)
        {
            return result;
        }

        (UploadResult? refusal, UploadInfo? created, _) =
            await creator.CreateAsync(sized, WithMaxUploadSize(command), callbacks, content: null, cancellationToken);
        if (refusal is not null)
        {
            return refusal;
        }

        pending.Add(created!.Key, parts);
        UploadResult? joined = await TryConcatenateAsync(command.Key, waitForLock: true, callbacks, cancellationToken);
        return (joined ?? new UploadResult(UploadResultKind.Appended) { UploadLength = length, Expires = recordPolicy.GetExpirationAfterChange(created.Record) }) with
        {
            IsCreated = true,
        };
    }

    /// <summary>A part is whole: joins what has waited for it.</summary>
    public async ValueTask OnPartCompletedAsync(UploadKey part, Func<IUploadCallbacks> callbacks, CancellationToken cancellationToken)
    {
        foreach (UploadKey joined in pending.GetPendingFor(part))
        {
            await TryConcatenateAsync(joined, waitForLock: true, callbacks(), cancellationToken);
        }
    }

    /// <summary>Remembers an upload that waits for its parts.</summary>
    public void TrackIfPending(UploadInfo info, EngineRecord record)
    {
        if (info.State == UploadState.Receiving && record.Concatenation is { IsPart: false } concatenation)
        {
            pending.Add(info.Key, GetPartKeys(info.Key, concatenation));
        }
    }

    /// <summary>Joins an upload if all its parts are whole, and runs what is to run then; null: it waits, or somebody else is about it.</summary>
    /// <param name="key">The upload.</param>
    /// <param name="waitForLock">Whether to wait for whoever looks at it now: it may have looked before the last part was whole.</param>
    /// <param name="callbacks">The application.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async ValueTask<UploadResult?> TryConcatenateAsync(UploadKey key, bool waitForLock, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        try
        {
            AppendStepResult? stepResult;
            using (UploadLock? uploadLock = locks.TryAcquire(key)
                ?? (waitForLock ? await locks.AcquireAsync(key, settings.PreemptionTimeout, cancellationToken) : null))
            {
                stepResult = uploadLock is null ? null : await ConcatenateAsync(key, uploadLock, callbacks, cancellationToken);
            }

            return stepResult is { } done ? await completion.CompleteStepAsync(done, callbacks, cancellationToken) : null;
        }
        catch (UploadStoreException e)
        {
            // What is joined stays so, and whoever asks later gets it going again. The request that came with the last part has its bytes safe.
            Log.StoreFailed(logger, e, e.Failure, key, e.DurableOffset);
            return UploadResult.FromException(e);
        }
    }

    private async ValueTask<AppendStepResult?> ConcatenateAsync(UploadKey key, UploadLock uploadLock, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        uploadLock.CannotBePreempted = true;
        if (await store.GetAsync(key, cancellationToken) is not { State: UploadState.Receiving } info
            || EngineRecord.From(info) is not { Concatenation: { IsPart: false } concatenation } record)
        {
            pending.Remove(key);
            return null;
        }

        UploadKey[] parts = GetPartKeys(key, concatenation);
        var lengths = new long[parts.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            if (await GetPartAsync(parts[i], cancellationToken) is not { } part || part.Offset != part.Length)
            {
                return null;
            }

            lengths[i] = part.Offset;
        }

        // A part may have told its length only after the whole was made.
        long length = lengths.Sum();
        if (length > (concatenation.MaxUploadSize ?? settings.MaxUploadSize))
        {
            return new UploadResult(UploadResultKind.UploadTooLarge) { MaxUploadSize = concatenation.MaxUploadSize ?? settings.MaxUploadSize };
        }

        AppendStepResult stepResult = await AppendPartsAsync(info, record, parts, lengths, uploadLock, callbacks, cancellationToken);
        if (stepResult.Result is null)
        {
            pending.Remove(key);
            await RemovePartsAsync(parts, cancellationToken);
        }

        return stepResult;
    }

    /// <summary>Appends what is missing: the first try all of it, one after a crash the rest.</summary>
    private async ValueTask<AppendStepResult> AppendPartsAsync(
        UploadInfo info, EngineRecord record, UploadKey[] parts, long[] lengths, UploadLock uploadLock, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        long begin = 0;
        for (int i = 0; i < parts.Length; begin += lengths[i++])
        {
            long missing = begin + lengths[i] - info.Offset;
            bool isLast = i == parts.Length - 1;
            if (missing <= 0 && !isLast)
            {
                continue;
            }

            Stream content = await store.OpenReadAsync(parts[i], cancellationToken) ?? Stream.Null;
            await using (content)
            {
                content.Position = lengths[i] - missing;
                var command = new AppendCommand
                {
                    Key = info.Key,
                    Offset = info.Offset,
                    Body = missing > 0 ? PipeReader.Create(content, new StreamPipeReaderOptions(bufferSize: 256 * 1024)) : PipeReader.Create(ReadOnlySequence<byte>.Empty),
                    SourceStream = missing > 0 ? content : null,
                    UploadLength = lengths.Sum(),
                    BodyLength = missing,
                    CompletionRule = CompletionRule.AtLength,
                };
                AppendStepResult stepResult = await appender.AppendAsync(command, info, record, uploadLock, callbacks, content: null, cancellationToken);
                if (stepResult.Result is not { Kind: UploadResultKind.Appended })
                {
                    return stepResult;
                }
            }

            info = await store.GetAsync(info.Key, cancellationToken)
                ?? throw new UploadStoreException(StoreFailure.Unavailable, $"Upload {info.Key} was removed while it was joined.");
        }

        // The parts were shorter than they said, which a store does not do.
        throw new UploadStoreException(StoreFailure.Corrupt, $"The parts of upload {info.Key} are not what they were.", info.Offset);
    }

    private async ValueTask RemovePartsAsync(UploadKey[] parts, CancellationToken cancellationToken)
    {
        HashSet<UploadKey> wanted = pending.IsComplete
            ? [.. parts.Where(part => pending.GetPendingFor(part).Length > 0)]
            : await GetPartsNeededByOthersAsync(parts[0].Owner, cancellationToken);
        foreach (UploadKey part in parts.Distinct())
        {
            // Another one may wait for it too: then that one removes it.
            if (!wanted.Contains(part) && await store.GetAsync(part, cancellationToken) is { } info)
            {
                await remover.RemoveAsync(info, ignoreVersion: true, cancellationToken);
            }
        }
    }

    /// <summary>The parts of all that an owner has waiting, as the store knows them.</summary>
    private async ValueTask<HashSet<UploadKey>> GetPartsNeededByOthersAsync(string owner, CancellationToken cancellationToken)
    {
        HashSet<UploadKey> wanted = [];
        await foreach (UploadInfo info in store.ListAsync(new UploadQuery { Owner = owner }, cancellationToken))
        {
            if (info.State == UploadState.Receiving && EngineRecord.From(info) is { Concatenation: { IsPart: false } concatenation })
            {
                wanted.UnionWith(GetPartKeys(info.Key, concatenation));
            }
        }

        return wanted;
    }

    private async ValueTask<UploadInfo?> GetPartAsync(UploadKey key, CancellationToken cancellationToken) =>
        await store.GetAsync(key, cancellationToken) is { State: UploadState.Receiving } info
        && !recordPolicy.IsExpired(info) && EngineRecord.From(info).Concatenation is { IsPart: true }
            ? info
            : null;

    private CreateCommand WithMaxUploadSize(AppendCommand command) =>
        command.CreateIfMissing! with { Concatenation = command.CreateIfMissing.Concatenation! with { MaxUploadSize = AppendValidator.GetMaxUploadSize(command, settings) } };

    /// <summary>A part belongs to the owner of the whole: there is no way to name another's.</summary>
    private static UploadKey[] GetPartKeys(UploadKey key, ConcatenationInfo concatenation) => [.. concatenation.PartIds!.Select(id => new UploadKey(key.Owner, id))];
}
