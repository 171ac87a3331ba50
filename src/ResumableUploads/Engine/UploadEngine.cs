using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Appending;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Concatenation;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Engine.Locking;
using ResumableUploads.Engine.Quotas;

namespace ResumableUploads.Engine;

/// <summary>What an upload is and may do: the commands that every protocol is translated into.</summary>
internal sealed class UploadEngine : IAsyncDisposable
{
    private readonly IUploadStore _store;
    private readonly EngineSettings _settings;
    private readonly UploadLockTable _locks;
    private readonly RecordPolicy _recordPolicy;
    private readonly OwnerQuota _quota;
    private readonly DeadLetterService _deadLetters;
    private readonly CompletionService _completion;
    private readonly UploadRemover _remover;
    private readonly UploadMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Appender _appender;
    private readonly ConcatenationService _concatenation;

    public UploadEngine(IUploadStore store, EngineSettings settings, UploadMetrics metrics, TimeProvider time, ILogger logger)
    {
        _store = store;
        _settings = settings;
        _metrics = metrics;
        _time = time;
        _logger = logger;
        _locks = new UploadLockTable(time);
        _recordPolicy = new RecordPolicy(settings, time);
        _quota = new OwnerQuota(store, settings, time, _stopping.Token);
        var recordUpdater = new RecordUpdater(store, time);
        var leases = new HandlerLeases(_recordPolicy, recordUpdater, settings, time);
        _deadLetters = new DeadLetterService(store, _recordPolicy, leases, settings, metrics, time, logger, _stopping.Token);
        _completion = new CompletionService(store, _recordPolicy, recordUpdater, leases, _deadLetters, settings, time, logger, _stopping.Token);
        var pending = new PendingConcatenations();
        _remover = new UploadRemover(store, _quota, pending, logger);
        var reprDigestVerifier = new ReprDigestVerifier(store);
        var singleRequest = new SingleRequestUpload(store, _recordPolicy, reprDigestVerifier, leases, metrics);
        var creator = new UploadCreator(store, _recordPolicy, _quota, singleRequest, metrics, time, logger);
        _appender = new Appender(store, _recordPolicy, recordUpdater, _quota, singleRequest, creator, reprDigestVerifier, _remover, leases, settings, metrics, time, logger, _stopping.Token);
        _concatenation = new ConcatenationService(store, _recordPolicy, _locks, creator, _appender, _completion, _remover, pending, settings, logger);
    }

    /// <summary>What a sweeper has to do for this engine.</summary>
    public ISweepVisitor CreateSweepVisitor(IUploadCallbacks callbacks) =>
        new EngineSweepVisitor(_locks, _recordPolicy, _quota, _completion, _deadLetters, _remover, _concatenation, callbacks, _settings, _time);

    /// <summary>How far an upload is. Whoever is appending is asked to leave: asking is how a client comes back.</summary>
    /// <param name="key">The upload.</param>
    /// <param name="isNamedByClient">Whether a client could make an upload of this name again. One that the server has named is finished for good.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<UploadStatus> GetStatusAsync(UploadKey key, bool isNamedByClient, CancellationToken cancellationToken)
    {
        // When the holder does not leave in time its storage hangs; the durable offset is true all the same.
        using UploadLock? uploadLock = _locks.IsPreemptible(key)
            ? await _locks.AcquireAsync(key, _settings.PreemptionTimeout, cancellationToken)
            : null;
        UploadInfo? info = await _store.GetAsync(key, cancellationToken);
        if (info is null || _recordPolicy.IsExpired(info) || (isNamedByClient && info.State == UploadState.Completed && _settings.StartOverAfterCompletion))
        {
            return default;
        }

        return new UploadStatus(true, info.Offset, info.Length, info.State != UploadState.Receiving, info);
    }

    /// <summary>Appends, makes the upload where the command may, and completes it where that was the last byte.</summary>
    public async ValueTask<UploadResult> AppendAsync(AppendCommand command, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        UploadResult result;
        try
        {
            result = command.CreateIfMissing is { Concatenation.IsPart: false }
                ? await _concatenation.CreateAsync(command, callbacks, cancellationToken)
                : AppendValidator.CheckCommand(command, _settings)
                    ?? await AppendUnderLockAsync(command, callbacks, cancellationToken);
        }
        catch (UploadStoreException e)
        {
            Log.StoreFailed(_logger, e, e.Failure, command.Key, e.DurableOffset);
            result = UploadResult.FromException(e);
        }

        _metrics.RequestFinished(result.Kind);
        return result;
    }

    /// <summary>Joins what has waited for a part.</summary>
    public ValueTask OnPartCompletedAsync(UploadKey part, Func<IUploadCallbacks> callbacks, CancellationToken cancellationToken) =>
        _concatenation.OnPartCompletedAsync(part, callbacks, cancellationToken);

    /// <summary>Joins an upload that waits for its parts, where these are whole by now.</summary>
    public async ValueTask TryConcatenateAsync(UploadKey key, IUploadCallbacks callbacks, CancellationToken cancellationToken) =>
        await _concatenation.TryConcatenateAsync(key, waitForLock: false, callbacks, cancellationToken);

    /// <summary>Removes an upload. Removing what is not there is the same as having removed it.</summary>
    public async ValueTask<UploadResult> CancelAsync(UploadKey key, CancellationToken cancellationToken)
    {
        try
        {
            // Waited for without the turn, so that a status answers meanwhile.
            if (!await _completion.WaitForHandlerAsync(key, cancellationToken))
            {
                return new UploadResult(UploadResultKind.HandlerRunning);
            }

            using UploadLock? uploadLock = await _locks.AcquireAsync(key, _settings.PreemptionTimeout, cancellationToken);
            if (uploadLock is null)
            {
                return new UploadResult(UploadResultKind.Busy);
            }

            if (await _store.GetAsync(key, cancellationToken) is not { } info)
            {
                return new UploadResult(UploadResultKind.Cancelled);
            }

            if (_completion.IsHandlerRunning(info))
            {
                return new UploadResult(UploadResultKind.HandlerRunning, info.Offset);
            }

            await _remover.RemoveAsync(info, ignoreVersion: true, cancellationToken);
            Log.Cancelled(_logger, key);
            return new UploadResult(UploadResultKind.Cancelled, info.Offset);
        }
        catch (UploadStoreException e)
        {
            Log.StoreFailed(_logger, e, e.Failure, key, e.DurableOffset);
            return UploadResult.FromException(e);
        }
    }

    /// <summary>Ends every append with its bytes kept, and tells the handlers that the server stops.</summary>
    public void Stop() => _stopping.Cancel();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        try
        {
            await _completion.WaitForAllHandlersAsync().WaitAsync(_settings.AppendGracePeriod, _time);
        }
        catch (TimeoutException)
        {
            // A handler that does not look at its token. Its upload stays received, and it runs again.
        }
    }

    private async ValueTask<UploadResult> AppendUnderLockAsync(AppendCommand command, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        AppendStepResult stepResult;
        using var gracePeriod = new DelayedCancellation(_settings.AppendGracePeriod, _time, cancellationToken);
        UploadLock? uploadLock = _locks.TryAcquire(command.Key);
        if (uploadLock is null)
        {
            // A stale or oversized request must not push out the one that is right.
            if (await CheckBeforePreemptingAsync(command, gracePeriod.Token) is { } result)
            {
                return result;
            }

            // Neither must one whose client has left: the client may be the one that has the turn by now.
            if (cancellationToken.IsCancellationRequested)
            {
                return new UploadResult(UploadResultKind.Busy);
            }

            uploadLock = await _locks.AcquireAsync(command.Key, _settings.PreemptionTimeout, gracePeriod.Token);
            if (uploadLock is null)
            {
                Log.LockNotAcquired(_logger, command.Key);
                return new UploadResult(UploadResultKind.Busy);
            }
        }

        using (uploadLock)
        {
            UploadInfo? info = command.IsServerGeneratedKey ? null : await GetCurrentAsync(command, callbacks, gracePeriod.Token);
            try
            {
                stepResult = await _appender.ExecuteAsync(command, info, uploadLock, callbacks, gracePeriod.Token);
            }
            finally
            {
                // From here on the answer may leave at any time.
                if (command.Observer is { } observer)
                {
                    await observer.FlushAsync();
                }
            }

            if (stepResult.Result is { } outcome && DeletesUpload(command, outcome)
                && await _store.GetAsync(command.Key, CancellationToken.None) is { } invalid)
            {
                await _remover.RemoveAsync(invalid, ignoreVersion: true, CancellationToken.None);
            }
        }

        return await _completion.CompleteStepAsync(stepResult, callbacks, cancellationToken);
    }

    private static bool DeletesUpload(AppendCommand command, UploadResult result) =>
        command.DeleteOnLengthExceeded && result.Kind == UploadResultKind.LengthExceeded;

    private async ValueTask<UploadResult?> CheckBeforePreemptingAsync(AppendCommand command, CancellationToken cancellationToken)
    {
        long durable = _locks.GetDurableOffset(command.Key);
        if (command.Offset < durable && !command.RestartAtOffsetZero)
        {
            return AppendValidator.OffsetMismatch(command, durable);
        }

        UploadInfo? info = await _store.GetAsync(command.Key, cancellationToken);
        if (info is not { State: UploadState.Receiving } || command.Offset > info.Offset)
        {
            return null;
        }

        bool isStale = command.Offset < info.Offset && !command.RestartAtOffsetZero;
        UploadResult? result = AppendValidator.CheckAgainstUpload(isStale ? command : command with { Offset = info.Offset }, info, _settings);
        return result is not null && DeletesUpload(command, result) ? null : result;
    }

    /// <summary>The upload as it is under the turn; null when there is none, or none any more.</summary>
    private async ValueTask<UploadInfo?> GetCurrentAsync(AppendCommand command, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        UploadInfo? info = await _store.GetAsync(command.Key, cancellationToken);
        if (info is null)
        {
            return null;
        }

        if (_recordPolicy.IsExpired(info))
        {
            await _deadLetters.NotifyBeforeExpirationAsync(info, callbacks, cancellationToken);
            await _remover.ExpireAsync(info, callbacks, cancellationToken);
            return null;
        }

        bool hasBody = command.BodyLength != 0;
        bool restarts = command.CreateIfMissing is not null && command.Offset == 0 && hasBody && info.State switch
        {
            UploadState.Receiving => command.RestartAtOffsetZero && info.Offset > 0,
            UploadState.Completed => _settings.StartOverAfterCompletion || command.RestartAtOffsetZero,
            _ => false,
        };
        if (!restarts)
        {
            return info;
        }

        await _remover.RemoveAsync(info, ignoreVersion: false, cancellationToken);
        return null;
    }
}
