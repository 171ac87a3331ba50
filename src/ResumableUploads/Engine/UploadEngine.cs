using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Content;
using ResumableUploads.Engine.Owners;
using ResumableUploads.Engine.Sweeping;
using ResumableUploads.Engine.Turns;

namespace ResumableUploads.Engine;

/// <summary>What an upload is and may do: the commands that every protocol is translated into.</summary>
internal sealed class UploadEngine : IAsyncDisposable
{
    private readonly IUploadStore _store;
    private readonly EngineSettings _settings;
    private readonly TurnTable _turns;
    private readonly Records _records;
    private readonly OwnerLedger _ledger;
    private readonly Parking _parking;
    private readonly Completions _completions;
    private readonly Removal _removal;
    private readonly UploadMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Appender _appender;
    private readonly Joins _joins;

    public UploadEngine(IUploadStore store, EngineSettings settings, UploadMetrics metrics, TimeProvider time, ILogger logger)
    {
        _store = store;
        _settings = settings;
        _metrics = metrics;
        _time = time;
        _logger = logger;
        _turns = new TurnTable(time);
        _records = new Records(settings, time);
        _ledger = new OwnerLedger(store, settings, time, _stopping.Token);
        var change = new RecordChange(store, time);
        var claims = new HandlerClaims(_records, change, settings, time);
        _parking = new Parking(store, _records, claims, settings, metrics, time, logger, _stopping.Token);
        _completions = new Completions(store, _records, change, claims, _parking, settings, time, logger, _stopping.Token);
        var waiting = new WaitingJoins();
        _removal = new Removal(store, _ledger, waiting, logger);
        var digest = new WholeDigest(store);
        var whole = new WholeUpload(store, _records, digest, claims, metrics);
        var creation = new Creation(store, _records, _ledger, whole, metrics, time, logger);
        _appender = new Appender(store, _records, change, _ledger, whole, creation, digest, _removal, claims, settings, metrics, time, logger, _stopping.Token);
        _joins = new Joins(store, _records, _turns, creation, _appender, _completions, _removal, waiting, settings, logger);
    }

    /// <summary>What a sweeper has to do for this engine.</summary>
    public ISweepVisitor CreateSweepVisitor(IUploadCallbacks callbacks) =>
        new SweepVisitor(_turns, _records, _ledger, _completions, _parking, _removal, _joins, callbacks, _settings, _time);

    /// <summary>How far an upload is. Whoever is appending is asked to leave: asking is how a client comes back.</summary>
    /// <param name="key">The upload.</param>
    /// <param name="isNamedByClient">Whether a client could make an upload of this name again. One that the server has named is finished for good.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<UploadStatus> StatusAsync(UploadKey key, bool isNamedByClient, CancellationToken cancellationToken)
    {
        // When the holder does not leave in time its storage hangs; the durable offset is true all the same.
        using Turn? turn = _turns.IsHeldByLeaver(key)
            ? await _turns.TakeAsync(key, _settings.TakeoverTimeout, cancellationToken).ConfigureAwait(false)
            : null;
        UploadInfo? info = await _store.GetAsync(key, cancellationToken).ConfigureAwait(false);
        if (info is null || _records.IsExpired(info) || (isNamedByClient && info.State == UploadState.Completed && _settings.StartsAgainAfterCompletion))
        {
            return default;
        }

        return new UploadStatus(true, info.Offset, info.Length, info.State != UploadState.Receiving, info);
    }

    /// <summary>Appends, makes the upload where the command may, and completes it where that was the last byte.</summary>
    public async ValueTask<UploadOutcome> AppendAsync(AppendCommand command, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        UploadOutcome outcome;
        try
        {
            outcome = command.Creation is { Join.IsPart: false }
                ? await _joins.CreateAsync(command, callbacks, cancellationToken).ConfigureAwait(false)
                : AppendChecks.Before(command, _settings)
                    ?? await AppendInTurnAsync(command, callbacks, cancellationToken).ConfigureAwait(false);
        }
        catch (UploadStoreException e)
        {
            Log.StoreFailed(_logger, e, e.Failure, command.Key, e.DurableOffset);
            outcome = UploadOutcome.Of(e);
        }

        _metrics.Ended(outcome.Kind);
        return outcome;
    }

    /// <summary>Joins what has waited for a part.</summary>
    public ValueTask PartIsWholeAsync(UploadKey part, Func<IUploadCallbacks> callbacks, CancellationToken cancellationToken) =>
        _joins.PartIsWholeAsync(part, callbacks, cancellationToken);

    /// <summary>Joins an upload that waits for its parts, where these are whole by now.</summary>
    public async ValueTask TryJoinAsync(UploadKey key, IUploadCallbacks callbacks, CancellationToken cancellationToken) =>
        await _joins.TryJoinAsync(key, waits: false, callbacks, cancellationToken).ConfigureAwait(false);

    /// <summary>Removes an upload. Removing what is not there is the same as having removed it.</summary>
    public async ValueTask<UploadOutcome> CancelAsync(UploadKey key, CancellationToken cancellationToken)
    {
        try
        {
            // Waited for without the turn, so that a status answers meanwhile.
            if (!await _completions.QuietAsync(key, cancellationToken).ConfigureAwait(false))
            {
                return new UploadOutcome(OutcomeKind.StillCompleting);
            }

            using Turn? turn = await _turns.TakeAsync(key, _settings.TakeoverTimeout, cancellationToken).ConfigureAwait(false);
            if (turn is null)
            {
                return new UploadOutcome(OutcomeKind.Busy);
            }

            if (await _store.GetAsync(key, cancellationToken).ConfigureAwait(false) is not { } info)
            {
                return new UploadOutcome(OutcomeKind.Cancelled);
            }

            if (_completions.IsLeased(info))
            {
                return new UploadOutcome(OutcomeKind.StillCompleting, info.Offset);
            }

            await _removal.RemoveAsync(info, whateverIsThere: true, cancellationToken).ConfigureAwait(false);
            Log.Cancelled(_logger, key);
            return new UploadOutcome(OutcomeKind.Cancelled, info.Offset);
        }
        catch (UploadStoreException e)
        {
            Log.StoreFailed(_logger, e, e.Failure, key, e.DurableOffset);
            return UploadOutcome.Of(e);
        }
    }

    /// <summary>Ends every append with its bytes kept, and tells the handlers that the server stops.</summary>
    public void Stop() => _stopping.Cancel();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        try
        {
            await _completions.DrainAsync().WaitAsync(_settings.AppendGrace, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // A handler that does not look at its token. Its upload stays received, and it runs again.
        }
    }

    private async ValueTask<UploadOutcome> AppendInTurnAsync(AppendCommand command, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        Step step;
        using var grace = new Grace(_settings.AppendGrace, _time, cancellationToken);
        Turn? turn = _turns.TryTake(command.Key);
        if (turn is null)
        {
            // A stale or oversized request must not push out the one that is right.
            if (await StaleAsync(command, grace.Token).ConfigureAwait(false) is { } stale)
            {
                return stale;
            }

            // Neither must one whose client has left: the client may be the one that has the turn by now.
            if (cancellationToken.IsCancellationRequested)
            {
                return new UploadOutcome(OutcomeKind.Busy);
            }

            turn = await _turns.TakeAsync(command.Key, _settings.TakeoverTimeout, grace.Token).ConfigureAwait(false);
            if (turn is null)
            {
                Log.Busy(_logger, command.Key);
                return new UploadOutcome(OutcomeKind.Busy);
            }
        }

        using (turn)
        {
            UploadInfo? info = command.IsNewName ? null : await CurrentAsync(command, callbacks, grace.Token).ConfigureAwait(false);
            try
            {
                step = await _appender.StepAsync(command, info, turn, callbacks, grace.Token).ConfigureAwait(false);
            }
            finally
            {
                // From here on the answer may leave at any time.
                if (command.Watch is { } watch)
                {
                    await watch.DrainAsync().ConfigureAwait(false);
                }
            }

            if (step.Outcome is { } outcome && Invalidates(command, outcome)
                && await _store.GetAsync(command.Key, CancellationToken.None).ConfigureAwait(false) is { } invalid)
            {
                await _removal.RemoveAsync(invalid, whateverIsThere: true, CancellationToken.None).ConfigureAwait(false);
            }
        }

        return await _completions.AfterAsync(step, callbacks, cancellationToken).ConfigureAwait(false);
    }

    private static bool Invalidates(AppendCommand command, UploadOutcome outcome) =>
        command.OvershootInvalidates && outcome.Kind == OutcomeKind.LengthExceeded;

    private async ValueTask<UploadOutcome?> StaleAsync(AppendCommand command, CancellationToken cancellationToken)
    {
        long durable = _turns.DurableOffset(command.Key);
        if (command.Offset < durable && !command.RestartsAtZero)
        {
            return AppendChecks.Mismatch(command, durable);
        }

        UploadInfo? info = await _store.GetAsync(command.Key, cancellationToken).ConfigureAwait(false);
        if (info is not { State: UploadState.Receiving } || command.Offset > info.Offset)
        {
            return null;
        }

        bool isStale = command.Offset < info.Offset && !command.RestartsAtZero;
        UploadOutcome? against = AppendChecks.Against(isStale ? command : command with { Offset = info.Offset }, info, _settings);
        return against is not null && Invalidates(command, against) ? null : against;
    }

    /// <summary>The upload as it is under the turn; null when there is none, or none any more.</summary>
    private async ValueTask<UploadInfo?> CurrentAsync(AppendCommand command, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        UploadInfo? info = await _store.GetAsync(command.Key, cancellationToken).ConfigureAwait(false);
        if (info is null)
        {
            return null;
        }

        if (_records.IsExpired(info))
        {
            await _parking.ForsakeAsync(info, callbacks, cancellationToken).ConfigureAwait(false);
            await _removal.ExpireAsync(info, callbacks, cancellationToken).ConfigureAwait(false);
            return null;
        }

        bool hasBody = command.BodyLength != 0;
        bool restarts = command.Creation is not null && command.Offset == 0 && hasBody && info.State switch
        {
            UploadState.Receiving => command.RestartsAtZero && info.Offset > 0,
            UploadState.Completed => _settings.StartsAgainAfterCompletion || command.RestartsAtZero,
            _ => false,
        };
        if (!restarts)
        {
            return info;
        }

        await _removal.RemoveAsync(info, whateverIsThere: false, cancellationToken).ConfigureAwait(false);
        return null;
    }
}
