using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Content;
using ResumableUploads.Engine.Owners;
using ResumableUploads.Engine.Turns;

namespace ResumableUploads.Engine;

/// <summary>
/// What a turn led to: an outcome; or an upload that left receiving, claimed by this request (<paramref name="Claimed"/>) or not.
/// </summary>
internal readonly record struct Step(UploadOutcome? Outcome, UploadInfo? Info = null, UploadData? Claimed = null)
{
    /// <summary>Whether this request has made the upload.</summary>
    public bool IsCreated { get; init; }

    /// <summary>Whether the upload was completed before this request.</summary>
    public bool IsReplay { get; init; }

    /// <summary>Ends when the application has heard how far the upload is. Its handler runs after that.</summary>
    public Task Told { get; init; } = Task.CompletedTask;

    public static implicit operator Step(UploadOutcome outcome) => new(outcome);
}

/// <summary>The part of an append that happens under the turn.</summary>
internal sealed class Appender(
    IUploadStore store,
    Records records,
    RecordChange change,
    OwnerLedger ledger,
    WholeUpload whole,
    Creation creation,
    WholeDigest wholeDigest,
    Removal removal,
    HandlerClaims claims,
    EngineSettings settings,
    UploadMetrics metrics,
    TimeProvider time,
    ILogger logger,
    CancellationToken stopping)
{
    private readonly EmptyBody _empty = new(settings, time, stopping);

    public async ValueTask<Step> StepAsync(
        AppendCommand command, UploadInfo? info, Turn turn, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        if (stopping.IsCancellationRequested)
        {
            return new UploadOutcome(OutcomeKind.ShuttingDown, info?.Offset);
        }

        UploadData? data = info is null ? null : UploadData.From(info);
        if (info is not null && await SettledAsync(command, info, data!, turn, cancellationToken).ConfigureAwait(false) is { } settled)
        {
            return settled;
        }

        if (info is null && command.Creation is null)
        {
            return new UploadOutcome(OutcomeKind.NotFound);
        }

        if (info is null && command.Offset != 0)
        {
            return AppendChecks.Mismatch(command, 0);
        }

        // All that can be said against a new upload is said before it is made.
        if (CannotStage(command, info))
        {
            return new UploadOutcome(OutcomeKind.DigestUnsupported, info?.Offset ?? 0) { UploadLength = info?.Length };
        }

        if (!ledger.TryEnterAppend(command.Key.Owner))
        {
            return new UploadOutcome(OutcomeKind.TooManyAppends, info?.Offset ?? 0);
        }

        try
        {
            return info is null
                ? await CreateAndAppendAsync(command, command.Creation!, turn, callbacks, cancellationToken).ConfigureAwait(false)
                : await AppendAsync(command, info, data!, turn, callbacks, content: null, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            ledger.LeaveAppend(command.Key.Owner);
        }
    }

    private async ValueTask<Step> CreateAndAppendAsync(
        AppendCommand command, UploadDetails details, Turn turn, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        using AppendContent? content = whole.IsPossible(command)
            ? new AppendContent(command, command.KnownLength, turn, command.BodyLength!.Value, time, settings, stopping)
            : null;
        NewUpload made = await creation.CreateAsync(command, details, callbacks, content, cancellationToken).ConfigureAwait(false);
        (UploadOutcome? refusal, UploadInfo? info, UploadData data) = made;
        if (refusal is not null)
        {
            return refusal;
        }

        if (command.Watch is { } watch)
        {
            await watch.CreatedAsync(info!).ConfigureAwait(false);
        }

        if (made.IsWhole)
        {
            content!.Progress = ProgressOf(command, info!, data, callbacks);
            content.Committed(info!.Offset);
            return Received(info!, data, callbacks) with { IsCreated = true, Told = content.DrainAsync() };
        }

        Step step;
        try
        {
            // Another process may have made it meanwhile, and have gone on with it.
            step = await SettledAsync(command, info!, data, turn, cancellationToken).ConfigureAwait(false)
                ?? await AppendAsync(command, info!, data, turn, callbacks, content, cancellationToken).ConfigureAwait(false);
        }
        catch (UploadStoreException e)
        {
            Log.StoreFailed(logger, e, e.Failure, command.Key, e.DurableOffset);
            step = UploadOutcome.Of(e);
        }

        if (step.Outcome is { Kind: OutcomeKind.DigestMismatch, IsWholeWrong: false })
        {
            await ForgetAsync(command.Key).ConfigureAwait(false);
            return step;
        }

        return step with { IsCreated = true };
    }

    /// <summary>Nothing counts of a first request that is not what its digest says, and neither does what it said about the upload.</summary>
    private async ValueTask ForgetAsync(UploadKey key)
    {
        if (await store.GetAsync(key, CancellationToken.None).ConfigureAwait(false) is { Offset: 0, State: UploadState.Receiving } empty)
        {
            await removal.RemoveAsync(empty, whateverIsThere: false, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>What there is to say without a byte of the body; null: nothing against the append.</summary>
    private async ValueTask<Step?> SettledAsync(
        AppendCommand command, UploadInfo info, UploadData data, Turn turn, CancellationToken cancellationToken)
    {
        if (data.Join is { IsPart: false })
        {
            return new Step(new UploadOutcome(OutcomeKind.IsJoined, info.State == UploadState.Receiving ? null : info.Offset));
        }

        if (info.State != UploadState.Receiving)
        {
            return await AfterTheEndAsync(command, info, turn, cancellationToken).ConfigureAwait(false);
        }

        return AppendChecks.Against(command, info, settings) is { } against ? new Step(against) : (Step?)null;
    }

    private bool CannotStage(AppendCommand command, UploadInfo? info) =>
        command.IsStaged
        && (store.GetCapability<IStagesAppends>() is not { } stages
            || (command.BodyLength ?? AppendChecks.Room(command, info, settings).Bytes) > stages.MaxStagedLength);

    /// <summary>An append to an upload that takes no more: an empty body at its end asks for the outcome.</summary>
    private async ValueTask<Step> AfterTheEndAsync(AppendCommand command, UploadInfo info, Turn turn, CancellationToken cancellationToken)
    {
        bool empty = command.BodyLength == 0
            || (command.BodyLength is null && command.Offset == info.Offset && await _empty.IsEmptyAsync(command, turn).ConfigureAwait(false));
        cancellationToken.ThrowIfCancellationRequested();
        return (empty, command.Offset == info.Offset) switch
        {
            (false, _) => new UploadOutcome(OutcomeKind.AlreadyComplete, info.Offset) { ProvidedOffset = command.Offset, UploadLength = info.Length },
            (true, false) => AppendChecks.Mismatch(command, info.Offset, info.Length),
            (true, true) when command.UploadLength is { } stated && stated != info.Offset =>
                new UploadOutcome(OutcomeKind.LengthConflict, info.Offset) { UploadLength = info.Length },
            (true, true) => new Step(null, info) { IsReplay = info.State == UploadState.Completed },
        };
    }

    /// <summary>Appends a body that nothing stands against.</summary>
    /// <param name="command">The append.</param>
    /// <param name="info">The upload.</param>
    /// <param name="data">What its record says.</param>
    /// <param name="turn">The turn that it holds.</param>
    /// <param name="callbacks">The application.</param>
    /// <param name="content">The body, where it was looked at already; else null.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<Step> AppendAsync(
        AppendCommand command,
        UploadInfo info,
        UploadData data,
        Turn turn,
        IUploadCallbacks callbacks,
        AppendContent? content,
        CancellationToken cancellationToken)
    {
        if (info.Length is null && command.KnownLength is { } length)
        {
            (UploadInfo? known, UploadOutcome? refusal) = await LearnLengthAsync(length, info, cancellationToken).ConfigureAwait(false);
            if (known is null)
            {
                return refusal!;
            }

            info = known;
        }

        (long room, OutcomeKind tooMuch) = AppendChecks.Room(command, info, settings);
        if (info.Length is null && await ledger.RoomAsync(command.Key.Owner, cancellationToken).ConfigureAwait(false) is var left && left < room)
        {
            (room, tooMuch) = (left, OutcomeKind.OwnerQuotaExceeded);
        }

        if (command.BodyLength > room)
        {
            return new UploadOutcome(tooMuch, info.Offset) { UploadLength = info.Length, MaxSize = AppendChecks.MaxSize(command, settings), Expires = info.Expires };
        }

        long offset = info.Offset;
        long? total = info.Length;
        using AppendContent? own = content is null ? new AppendContent(command, total, turn, room, time, settings, stopping) : null;
        content ??= own!;
        content.Progress = ProgressOf(command, info, data, callbacks);
        if (content.HashesWhatWasBefore && await store.OpenReadAsync(info.Key, cancellationToken).ConfigureAwait(false) is { } stored)
        {
            await using (stored.ConfigureAwait(false))
            {
                await content.HashBeforeAsync(stored, cancellationToken).ConfigureAwait(false);
            }
        }

        AppendResult result = await StoreAsync(command, content, turn).ConfigureAwait(false);
        await content.DrainAsync().ConfigureAwait(false);

        if (total is null)
        {
            ledger.Grew(command.Key.Owner, result.Offset - offset);
        }

        return result.Status switch
        {
            AppendStatus.Appended => await AfterAppendAsync(command, info, data, content, result, tooMuch, callbacks).ConfigureAwait(false),
            AppendStatus.Discarded => content.DigestFailed
                ? new UploadOutcome(OutcomeKind.DigestMismatch, result.Offset) { UploadLength = total, IsDigestMissing = content.IsDigestMissing, Expires = info.Expires }
                : Ended(command, info, content.End, result.Offset, total, tooMuch),
            AppendStatus.OffsetMismatch => AppendChecks.Mismatch(command, result.Offset, total),
            AppendStatus.NotFound => new UploadOutcome(OutcomeKind.NotFound),
            AppendStatus.NotReceiving => new UploadOutcome(OutcomeKind.AlreadyComplete, result.Offset),
            _ => new UploadOutcome(OutcomeKind.Busy),
        };
    }

    /// <summary>Who is told how far it is. Bytes that do not count yet are no progress.</summary>
    private ProgressFeed? ProgressOf(AppendCommand command, UploadInfo info, UploadData data, IUploadCallbacks callbacks) =>
        callbacks.HasProgress && !command.IsStaged
            ? new ProgressFeed(callbacks, info.Key, data, info.Length, time, settings.ProgressInterval, logger)
            : null;

    private async ValueTask<AppendResult> StoreAsync(AppendCommand command, AppendContent content, Turn turn)
    {
        metrics.AppendBegins();
        long bytes = 0;
        try
        {
            turn.DurableOffset = command.Offset;
            using Leaving leaving = content.Attend();
            AppendResult result = await store.AppendAsync(
                command.Key,
                command.Offset,
                content,
                command.IsStaged ? AppendMode.AllOrNothing : AppendMode.KeepWhatCame,
                content.GraceToken).ConfigureAwait(false);
            bytes = result.Status == AppendStatus.Appended ? result.Offset - command.Offset : 0;
            return result;
        }
        catch (OperationCanceledException e) when (content.GraceToken.IsCancellationRequested)
        {
            throw new UploadStoreException(StoreFailure.Unavailable, $"The store did not finish upload {command.Key} in time.", null, e);
        }
        finally
        {
            metrics.AppendEnds(bytes);
        }
    }

    private async ValueTask<(UploadInfo? Info, UploadOutcome? Refusal)> LearnLengthAsync(
        long length, UploadInfo info, CancellationToken cancellationToken)
    {
        long more = length - info.Offset;
        if (!await ledger.TryGrowAsync(info.Key.Owner, more, cancellationToken).ConfigureAwait(false))
        {
            return (null, new UploadOutcome(OutcomeKind.OwnerQuotaExceeded, info.Offset));
        }

        UpdateResult update = default;
        try
        {
            update = await store
                .UpdateAsync(info.Key, info.Version, info.Record with { Length = length }, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (update.Info is null)
            {
                ledger.Grew(info.Key.Owner, -more);
            }
        }

        return update.Info is not null ? (update.Info, null)
            : (null, new UploadOutcome(update.Status == ChangeStatus.NotFound ? OutcomeKind.NotFound : OutcomeKind.Busy));
    }

    private async ValueTask<Step> AfterAppendAsync(
        AppendCommand command, UploadInfo info, UploadData data, AppendContent content, AppendResult result, OutcomeKind tooMuch, IUploadCallbacks callbacks)
    {
        if (data.Join is { IsPart: true } || !AppendChecks.Completes(command.Completion, content.End, result.Offset, info.Length))
        {
            return Ended(command, info, content.End, result.Offset, info.Length, tooMuch, isKept: true) with
            {
                IsWholePart = data is { Join.IsPart: true } && result.Offset == info.Length,
            };
        }

        if (await wholeDigest.CheckAsync(command, data).ConfigureAwait(false) is not { } verified)
        {
            return new UploadOutcome(OutcomeKind.DigestMismatch, result.Offset) { UploadLength = info.Length, IsWholeWrong = true };
        }

        UploadData claimed = callbacks.HasHandler ? verified with { Handler = claims.Begin(data.Handler) } : verified;
        bool ours = false;
        UploadInfo? received = await change.WriteAsync(
            info with { Offset = result.Offset, Version = result.Version! },
            now =>
            {
                ours = now.State == UploadState.Receiving && now.Offset == result.Offset;
                return !ours ? null
                    : callbacks.HasHandler ? records.Received(claimed, now.Offset)
                    : records.Completed(claimed, now.Offset);
            },
            CancellationToken.None).ConfigureAwait(false);
        if (received is null)
        {
            return new UploadOutcome(OutcomeKind.NotFound);
        }

        if (received.State == UploadState.Receiving)
        {
            return new UploadOutcome(OutcomeKind.Busy);
        }

        ledger.Left(info.Key.Owner, info.Length ?? result.Offset);
        return ours ? Received(received, claimed, callbacks) : new Step(null, received);
    }

    /// <summary>This request has brought the last byte, and has written so into the record.</summary>
    private Step Received(UploadInfo received, UploadData claimed, IUploadCallbacks callbacks)
    {
        Log.Received(logger, received.Key, received.Offset);
        return callbacks.HasHandler
            ? new Step(null, received, claimed)
            : new UploadOutcome(OutcomeKind.Completed, received.Offset) { UploadLength = received.Length, ReprDigest = claimed.FoundDigest };
    }

    private UploadOutcome Ended(
        AppendCommand command, UploadInfo info, ContentEnd end, long offset, long? length, OutcomeKind tooMuch, bool isKept = false)
    {
        if (isKept && end != ContentEnd.Whole)
        {
            Log.BrokenOff(logger, info.Key, end, offset);
        }

        OutcomeKind kind = end switch
        {
            ContentEnd.Whole => command.Completion == CompletionRule.AtWholeBody ? OutcomeKind.LengthConflict : OutcomeKind.Appended,
            ContentEnd.TakenOver => OutcomeKind.TakenOver,
            ContentEnd.Shutdown => OutcomeKind.ShuttingDown,
            ContentEnd.Idle => OutcomeKind.Idle,
            ContentEnd.TooSlow => OutcomeKind.TooSlow,
            ContentEnd.Overshoot => tooMuch,
            _ => OutcomeKind.Interrupted,
        };
        return new UploadOutcome(kind, offset)
        {
            UploadLength = length,
            MaxSize = AppendChecks.MaxSize(command, settings),
            Expires = records.ExpiresAfterChange(info.Record),
        };
    }
}
