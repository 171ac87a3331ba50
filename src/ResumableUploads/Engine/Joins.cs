using System.Buffers;
using System.IO.Pipelines;
using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Turns;

namespace ResumableUploads.Engine;

/// <summary>
/// Puts uploads together from parts. To the store a joined upload is one like any other, whose bytes come from its parts and not from a client:
/// so a crash in between loses nothing, and the next try goes on where this one ended. The parts are removed once the whole is durable.
/// </summary>
internal sealed class Joins(
    IUploadStore store,
    Records records,
    TurnTable turns,
    Creation creation,
    Appender appender,
    Completions completions,
    Removal removal,
    WaitingJoins waiting,
    EngineSettings settings,
    ILogger logger)
{
    /// <summary>Makes a joined upload, and joins it where all its parts are whole.</summary>
    /// <param name="command">The upload; its creation names the parts.</param>
    /// <param name="callbacks">The application.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async ValueTask<UploadOutcome> CreateAsync(AppendCommand command, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        UploadKey[] parts = PartsOf(command.Key, command.Creation!.Join!);
        long? length = 0;
        foreach (UploadKey part in parts)
        {
            if (await PartAsync(part, cancellationToken).ConfigureAwait(false) is not { } info)
            {
                return new UploadOutcome(OutcomeKind.PartMissing);
            }

            // As many bytes as there are numbers for are more than any server takes.
            length = info.Length > long.MaxValue - length ? long.MaxValue : length + info.Length;
        }

        AppendCommand sized = command with { UploadLength = length };
        if (AppendChecks.Before(sized, settings) is { } against)
        {
            return against;
        }

        (UploadOutcome? refusal, UploadInfo? created, _) =
            await creation.CreateAsync(sized, Limited(command), callbacks, content: null, cancellationToken).ConfigureAwait(false);
        if (refusal is not null)
        {
            return refusal;
        }

        waiting.Add(created!.Key, parts);
        UploadOutcome? joined = await TryJoinAsync(command.Key, waits: true, callbacks, cancellationToken).ConfigureAwait(false);
        return (joined ?? new UploadOutcome(OutcomeKind.Appended) { UploadLength = length, Expires = records.ExpiresAfterChange(created.Record) }) with
        {
            IsCreated = true,
        };
    }

    /// <summary>A part is whole: joins what has waited for it.</summary>
    public async ValueTask PartIsWholeAsync(UploadKey part, Func<IUploadCallbacks> callbacks, CancellationToken cancellationToken)
    {
        foreach (UploadKey joined in waiting.For(part))
        {
            await TryJoinAsync(joined, waits: true, callbacks(), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Remembers an upload that waits for its parts.</summary>
    public void Waits(UploadInfo info, UploadData data)
    {
        if (info.State == UploadState.Receiving && data.Join is { IsPart: false } join)
        {
            waiting.Add(info.Key, PartsOf(info.Key, join));
        }
    }

    /// <summary>Joins an upload if all its parts are whole, and runs what is to run then; null: it waits, or somebody else is about it.</summary>
    /// <param name="key">The upload.</param>
    /// <param name="waits">Whether to wait for whoever looks at it now: it may have looked before the last part was whole.</param>
    /// <param name="callbacks">The application.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async ValueTask<UploadOutcome?> TryJoinAsync(UploadKey key, bool waits, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        try
        {
            Step? step;
            using (Turn? turn = turns.TryTake(key)
                ?? (waits ? await turns.TakeAsync(key, settings.TakeoverTimeout, cancellationToken).ConfigureAwait(false) : null))
            {
                step = turn is null ? null : await JoinAsync(key, turn, callbacks, cancellationToken).ConfigureAwait(false);
            }

            return step is { } done ? await completions.AfterAsync(done, callbacks, cancellationToken).ConfigureAwait(false) : null;
        }
        catch (UploadStoreException e)
        {
            // What is joined stays so, and whoever asks later gets it going again. The request that came with the last part has its bytes safe.
            Log.StoreFailed(logger, e, e.Failure, key, e.DurableOffset);
            return UploadOutcome.Of(e);
        }
    }

    private async ValueTask<Step?> JoinAsync(UploadKey key, Turn turn, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        turn.Stays = true;
        if (await store.GetAsync(key, cancellationToken).ConfigureAwait(false) is not { State: UploadState.Receiving } info
            || UploadData.From(info) is not { Join: { IsPart: false } join } data)
        {
            waiting.Remove(key);
            return null;
        }

        UploadKey[] parts = PartsOf(key, join);
        var lengths = new long[parts.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            if (await PartAsync(parts[i], cancellationToken).ConfigureAwait(false) is not { } part || part.Offset != part.Length)
            {
                return null;
            }

            lengths[i] = part.Offset;
        }

        // A part may have told its length only after the whole was made.
        long length = lengths.Sum();
        if (length > (join.MaxUploadSize ?? settings.MaxUploadSize))
        {
            return new UploadOutcome(OutcomeKind.TooLarge) { MaxSize = join.MaxUploadSize ?? settings.MaxUploadSize };
        }

        Step step = await AppendPartsAsync(info, data, parts, lengths, turn, callbacks, cancellationToken).ConfigureAwait(false);
        if (step.Outcome is null)
        {
            waiting.Remove(key);
            await RemovePartsAsync(parts, cancellationToken).ConfigureAwait(false);
        }

        return step;
    }

    /// <summary>Appends what is missing: the first try all of it, one after a crash the rest.</summary>
    private async ValueTask<Step> AppendPartsAsync(
        UploadInfo info, UploadData data, UploadKey[] parts, long[] lengths, Turn turn, IUploadCallbacks callbacks, CancellationToken cancellationToken)
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

            Stream content = await store.OpenReadAsync(parts[i], cancellationToken).ConfigureAwait(false) ?? Stream.Null;
            await using (content.ConfigureAwait(false))
            {
                content.Position = lengths[i] - missing;
                var command = new AppendCommand
                {
                    Key = info.Key,
                    Offset = info.Offset,
                    Body = missing > 0 ? PipeReader.Create(content, new StreamPipeReaderOptions(bufferSize: 256 * 1024)) : PipeReader.Create(ReadOnlySequence<byte>.Empty),
                    Source = missing > 0 ? content : null,
                    UploadLength = lengths.Sum(),
                    BodyLength = missing,
                    Completion = CompletionRule.AtLength,
                };
                Step step = await appender.AppendAsync(command, info, data, turn, callbacks, content: null, cancellationToken).ConfigureAwait(false);
                if (step.Outcome is not { Kind: OutcomeKind.Appended })
                {
                    return step;
                }
            }

            info = await store.GetAsync(info.Key, cancellationToken).ConfigureAwait(false)
                ?? throw new UploadStoreException(StoreFailure.Unavailable, $"Upload {info.Key} was removed while it was joined.");
        }

        // The parts were shorter than they said, which a store does not do.
        throw new UploadStoreException(StoreFailure.Corrupt, $"The parts of upload {info.Key} are not what they were.", info.Offset);
    }

    private async ValueTask RemovePartsAsync(UploadKey[] parts, CancellationToken cancellationToken)
    {
        HashSet<UploadKey> wanted = waiting.KnowsAll
            ? [.. parts.Where(part => waiting.For(part).Length > 0)]
            : await WantedByOthersAsync(parts[0].Owner, cancellationToken).ConfigureAwait(false);
        foreach (UploadKey part in parts.Distinct())
        {
            // Another one may wait for it too: then that one removes it.
            if (!wanted.Contains(part) && await store.GetAsync(part, cancellationToken).ConfigureAwait(false) is { } info)
            {
                await removal.RemoveAsync(info, whateverIsThere: true, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>The parts of all that an owner has waiting, as the store knows them.</summary>
    private async ValueTask<HashSet<UploadKey>> WantedByOthersAsync(string owner, CancellationToken cancellationToken)
    {
        HashSet<UploadKey> wanted = [];
        await foreach (UploadInfo info in store.ListAsync(new UploadQuery { Owner = owner }, cancellationToken).ConfigureAwait(false))
        {
            if (info.State == UploadState.Receiving && UploadData.From(info) is { Join: { IsPart: false } join })
            {
                wanted.UnionWith(PartsOf(info.Key, join));
            }
        }

        return wanted;
    }

    private async ValueTask<UploadInfo?> PartAsync(UploadKey key, CancellationToken cancellationToken) =>
        await store.GetAsync(key, cancellationToken).ConfigureAwait(false) is { State: UploadState.Receiving } info
        && !records.IsExpired(info) && UploadData.From(info).Join is { IsPart: true }
            ? info
            : null;

    private UploadDetails Limited(AppendCommand command) =>
        command.Creation! with { Join = command.Creation.Join! with { MaxUploadSize = AppendChecks.MaxSize(command, settings) } };

    /// <summary>A part belongs to the owner of the whole: there is no way to name another's.</summary>
    private static UploadKey[] PartsOf(UploadKey key, JoinDetails join) => [.. join.Parts!.Select(id => new UploadKey(key.Owner, id))];
}
