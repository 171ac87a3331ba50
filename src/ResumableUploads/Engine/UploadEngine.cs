using System.Diagnostics;
using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Appending;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Concatenation;
using ResumableUploads.Engine.Diagnostics;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Engine.Locking;
using ResumableUploads.Engine.Management;
using ResumableUploads.Engine.Permits;
using ResumableUploads.Engine.Quotas;
using ResumableUploads.Engine.Reliability;

namespace ResumableUploads.Engine;

/// <summary>Decides what a request may do to an upload. Every protocol is translated into calls to this class.</summary>
internal sealed class UploadEngine : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly EngineContext _context;
    private readonly UploadLockTable _locks;
    private readonly DeadLetterService _deadLetters;
    private readonly CompletionService _completion;
    private readonly UploadRemover _remover;
    private readonly UploadLookup _lookup;
    private readonly UploadCancellation _cancellation;
    private readonly AppendProcessor _appends;
    private readonly ConcatenationService _concatenations;
    private readonly InterruptedCompletion _interrupted;
    private IUploadCallbacks? _backgroundCallbacks;

    /// <summary>Creates an engine.</summary>
    /// <param name="store">The store.</param>
    /// <param name="settings">The settings.</param>
    /// <param name="metrics">The metrics.</param>
    /// <param name="locks">The locks of the uploads in the store. All engines with the same store share them.</param>
    /// <param name="usageByOwner">The usage of the owners of uploads in the store, which these engines share too.</param>
    /// <param name="time">The time provider.</param>
    /// <param name="logger">The logger.</param>
    public UploadEngine(
        IUploadStore store, EngineSettings settings, UploadMetrics metrics, UploadLockTable locks, OwnerUsageTable usageByOwner, TimeProvider time, ILogger logger)
    {
        store = CancellationGuardStore.Wrap(store, metrics);
        var quota = new OwnerQuota(store, usageByOwner, settings, time, _stopping.Token);
        _context = new EngineContext
        {
            Store = store,
            Settings = settings,
            RecordPolicy = new RecordPolicy(settings, time, logger),
            RecordUpdater = new RecordUpdater(store, quota, time),
            Takeover = new UploadTakeover(store, settings),
            Quota = quota,
            EarlyVisits = new EarlyVisits(time),
            ContentHasher = new ContentHasher(store),
            Metrics = metrics,
            Time = time,
            Logger = logger,
            Stopping = _stopping.Token,
        };
        _locks = locks;
        var leases = new HandlerLeases(_context);
        _deadLetters = new DeadLetterService(_context, leases);
        _completion = new CompletionService(_context, leases, _deadLetters);
        var pending = new PendingConcatenations();
        _remover = new UploadRemover(_context, pending);
        _lookup = new UploadLookup(_context, _completion);
        _cancellation = new UploadCancellation(_context, _locks, _lookup, _completion, _remover);
        var singleRequest = new SingleRequestUpload(_context, leases);
        var creator = new UploadCreator(_context, singleRequest);
        var finisher = new AppendFinisher(_context, new ReprDigestVerifier(_context.ContentHasher), leases);
        var executor = new AppendExecutor(_context, finisher);
        _appends = new AppendProcessor(_context, singleRequest, creator, executor, finisher, _remover);
        _concatenations = new ConcatenationService(_context, _locks, creator, executor, _completion, _remover, pending);
        _interrupted = new InterruptedCompletion(_context, _locks, finisher, _completion);
        Inspector = new UploadInspector(_context, _locks, _lookup, leases);
    }

    /// <summary>Creates the visitor that processes the uploads of this engine during a sweep.</summary>
    public ISweepVisitor CreateSweepVisitor(IUploadCallbacks callbacks)
    {
        _backgroundCallbacks = BoundedCallbacks.Wrap(callbacks, _context, uploadLock: null);
        return new EngineSweepVisitor(_context, _locks, _completion, _deadLetters, _remover, _concatenations, _backgroundCallbacks) { Interrupted = _interrupted };
    }

    /// <summary>Gets what an operator sees of the uploads in the store.</summary>
    public UploadInspector Inspector { get; }

    /// <summary>Gets the permits whose upload was removed.</summary>
    public UsedPermits UsedPermits => _context.UsedPermits;

    /// <summary>Gives the handler of a received upload all its attempts again, and runs it in the background if no request is needed for that.</summary>
    /// <param name="key">The upload.</param>
    /// <param name="created">The time at which the upload was created, or null for any time.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>False if the upload is not a received upload of this engine, has expired, or its handler is running.</returns>
    public async ValueTask<bool> RetryHandlerAsync(UploadKey key, DateTimeOffset? created, CancellationToken cancellationToken)
    {
        if (await _deadLetters.ResetAttemptsAsync(key, created, cancellationToken) is not { } info)
        {
            return false;
        }

        if (_backgroundCallbacks is { HasCompletionHandler: true } callbacks)
        {
            _ = RunHandlerInBackgroundAsync(info, callbacks);
        }

        return true;
    }

    /// <summary>
    /// Gets the upload with its current offset. A running append is stopped first, because a status request usually means that the client has
    /// reconnected.
    /// </summary>
    /// <param name="key">The upload.</param>
    /// <param name="isClientGeneratedKey">Whether the client chose the key, so that it can start the upload over after its completion.</param>
    /// <param name="matchesCreationRequest">The function of <see cref="AppendCommand.MatchesCreationRequest"/>. An upload that does not match does not exist for the client.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The upload, or null if it does not exist or the client can create it again.</returns>
    public async ValueTask<UploadInfo?> GetStatusAsync(
        UploadKey key, bool isClientGeneratedKey, Func<StoredRequest, bool>? matchesCreationRequest, CancellationToken cancellationToken)
    {
        bool isPreemptible = _locks.IsPreemptible(key);
        if (isPreemptible && matchesCreationRequest is not null && await GetMatchingAsync(key, matchesCreationRequest, cancellationToken) is null)
        {
            return null;
        }

        // If the holder does not release the lock in time, its store call hangs. The store still returns the durable offset.
        using UploadLock? uploadLock = isPreemptible ? await _locks.AcquireAsync(key, _context.Settings.PreemptionTimeout, cancellationToken) : null;
        UploadInfo? info = await GetMatchingAsync(key, matchesCreationRequest, cancellationToken);
        if (!isPreemptible && info is not null && await _context.Takeover.TakeOverAsync(info, cancellationToken) != TakeoverStatus.NotShared)
        {
            info = await GetMatchingAsync(key, matchesCreationRequest, cancellationToken);
        }

        return info is { State: UploadState.Completed } && isClientGeneratedKey && _context.Settings.StartOverAfterCompletion ? null : info;
    }

    /// <inheritdoc cref="UploadLookup.IsExpired"/>
    public bool IsExpired(UploadInfo info) => _lookup.IsExpired(info);

    /// <summary>Returns whether a request of this process appends to an upload.</summary>
    public bool IsAppending(UploadKey key) => _locks.IsPreemptible(key);

    /// <summary>Gets a completed upload for a download, or null if it does not exist for the client. Takes no lock, so that downloads do not wait for each other.</summary>
    public async ValueTask<UploadInfo?> GetCompletedAsync(UploadKey key, Func<StoredRequest, bool>? matchesCreationRequest, CancellationToken cancellationToken) =>
        await GetMatchingAsync(key, matchesCreationRequest, cancellationToken) is { State: UploadState.Completed } info ? info : null;

    /// <summary>Appends to an upload, creates it if the command allows that, and completes it after the last byte.</summary>
    public async ValueTask<UploadResult> AppendAsync(AppendCommand command, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        callbacks = BoundedCallbacks.Wrap(callbacks, _context, uploadLock: null);
        using Activity? activity = UploadTracing.StartAppend(command);
        if (activity is not null)
        {
            command = command with { Activity = activity };
        }

        UploadResult result;
        AppendStep? step = null;
        long start = _context.Time.GetTimestamp();
        TimeSpan? duration = null;
        try
        {
            if (command.CreateIfMissing is { Concatenation.IsPart: false })
            {
                result = await _concatenations.CreateAsync(command, callbacks, cancellationToken);
            }
            else
            {
                step = await AppendAndFlushAsync(command, callbacks, cancellationToken);
                duration = _context.Time.GetElapsedTime(start);
                result = await _completion.CompleteAsync(step, callbacks, cancellationToken);
            }
        }
        catch (UploadStoreException e)
        {
            result = _context.ReportFailure(e, command.Key);
        }

        _context.Metrics.RequestFinished(command.Origin, result.Kind, duration ?? _context.Time.GetElapsedTime(start));
        UploadTracing.SetResult(activity, result);
        if (step is AppendStep.PartReceived)
        {
            await _concatenations.OnPartReceivedAsync(command.Key, callbacks, cancellationToken);
        }

        return result;
    }

    /// <summary>Completes an upload that has all its bytes or parts: runs its handler, or waits for a run that has started.</summary>
    /// <param name="info">The upload.</param>
    /// <param name="command">An empty append at the offset of the upload.</param>
    /// <param name="callbacks">The application.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The result, or null if the upload is a part, waits for bytes or parts, or was created by a different request.</returns>
    public async ValueTask<UploadResult?> TryCompleteAsync(UploadInfo info, AppendCommand command, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        callbacks = BoundedCallbacks.Wrap(callbacks, _context, uploadLock: null);
        EngineRecord record = EngineRecord.From(info);
        if (record.Concatenation is { IsPart: true } || !command.Matches(record))
        {
            return null;
        }

        if (info.State != UploadState.Receiving)
        {
            return await _completion.GetResultAsync(info, callbacks, cancellationToken);
        }

        return record.Concatenation is not null ? await _concatenations.TryConcatenateAsync(info.Key, waitForLock: false, callbacks, cancellationToken)
            : info.Offset == info.Length ? await AppendAsync(command, callbacks, cancellationToken)
            : null;
    }

    /// <inheritdoc cref="UploadCancellation.CancelAsync"/>
    public ValueTask<UploadResult> CancelAsync(UploadKey key, CancelCondition condition, CancellationToken cancellationToken) =>
        _cancellation.CancelAsync(key, condition, cancellationToken);

    /// <summary>Gets how long the stop of the server waits for work that ignores its token.</summary>
    public TimeSpan StopTimeout => _context.Settings.AppendGracePeriod;

    /// <summary>Stops all appends, keeping their bytes, and cancels the tokens of running handlers.</summary>
    public void Stop() => _stopping.Cancel();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_completion.WaitForAllHandlersAsync(), _remover.WaitForExpirationsAsync());
    }

    /// <summary>Gets an upload, or null if it does not exist, has expired, or was created by a request that does not match.</summary>
    private async ValueTask<UploadInfo?> GetMatchingAsync(UploadKey key, Func<StoredRequest, bool>? matchesCreationRequest, CancellationToken cancellationToken) =>
        await _lookup.GetUnexpiredAsync(key, cancellationToken) is { } info && EngineRecord.AllowsAccess(info, matchesCreationRequest) ? info : null;

    private async Task RunHandlerInBackgroundAsync(UploadInfo info, IUploadCallbacks callbacks)
    {
        // The handler may block its thread.
        await Task.Yield();
        try
        {
            await _completion.GetResultAsync(info, callbacks, _stopping.Token);
        }
        catch (Exception e)
        {
            // The next sweep makes another attempt.
            Log.VisitFailed(_context.Logger, e, info.Key);
        }
    }

    /// <summary>Appends and then flushes the observer, since the response may start at any time after that.</summary>
    private async ValueTask<AppendStep> AppendAndFlushAsync(AppendCommand command, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        try
        {
            return AppendValidator.CheckCommand(command, _context.Settings) is { } failure
                ? failure
                : await AppendUnderLockAsync(command, callbacks, cancellationToken);
        }
        finally
        {
            if (command.Observer is { } observer)
            {
                await observer.FlushAsync();
            }
        }
    }

    private async ValueTask<AppendStep> AppendUnderLockAsync(AppendCommand command, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        using var gracePeriod = new DelayedCancellation(_context.Settings.AppendGracePeriod, _context.Time, cancellationToken);
        UploadLock? uploadLock = _locks.TryAcquire(command.Key);
        if (uploadLock is null)
        {
            // A request with a stale offset or an oversized body must not preempt a valid one.
            if (await CheckBeforePreemptingAsync(command, gracePeriod.Token) is { } failure)
            {
                return failure;
            }

            // A request whose client has disconnected must not preempt either: the same client may have reconnected and hold the lock.
            if (cancellationToken.IsCancellationRequested)
            {
                return new UploadResult(UploadResultKind.Busy);
            }

            (uploadLock, bool isRefused) = await _locks.AcquireForAppendAsync(
                command.Key, command.StartsOver ? null : command.Offset, _context.Settings.PreemptionTimeout, gracePeriod.Token);
            if (isRefused)
            {
                return AppendValidator.CreateRefusal(command, await _context.Store.GetAsync(command.Key, gracePeriod.Token));
            }

            if (uploadLock is null)
            {
                Log.LockNotAcquired(_context.Logger, command.Key);
                return new UploadResult(UploadResultKind.Busy);
            }

            UploadTracing.AddEvent(UploadTracing.PreemptingEvent);
        }

        using (uploadLock)
        using (_stopping.Token.UnsafeRegister(static gracePeriod => ((DelayedCancellation)gracePeriod!).Start(), gracePeriod))
        {
            uploadLock.SetGracePeriod(gracePeriod);
            callbacks = BoundedCallbacks.Wrap(callbacks, _context, uploadLock);
            try
            {
                UploadInfo? info = command.IsServerGeneratedKey ? null : await GetCurrentAsync(command, callbacks, gracePeriod.Token);
                AppendStep step = await _appends.ProcessAsync(new LockedAppend(command, uploadLock, callbacks), info, gracePeriod.Token);
                if (step is AppendStep.Finished { Result: var result } && DeletesUpload(command, result))
                {
                    await RemoveIfReceivingAsync(command.Key, gracePeriod.Token);
                }

                return step;
            }
            catch (OperationCanceledException e) when (gracePeriod.Token.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw EngineContext.CreateGracePeriodException(command.Key, e);
            }
        }
    }

    private async ValueTask RemoveIfReceivingAsync(UploadKey key, CancellationToken cancellationToken) =>
        await _context.WithGracePeriodAsync(key, token => _remover.RemoveIfReceivingAsync(key, token), cancellationToken);

    private static bool DeletesUpload(AppendCommand command, UploadResult result) =>
        command.DeleteOnLengthExceeded && result.Kind == UploadResultKind.LengthExceeded;

    private async ValueTask<UploadResult?> CheckBeforePreemptingAsync(AppendCommand command, CancellationToken cancellationToken)
    {
        long durableOffset = _locks.GetDurableOffset(command.Key);
        if (command.Offset < durableOffset && !command.StartsOver)
        {
            return AppendValidator.OffsetMismatch(command, durableOffset);
        }

        UploadInfo? info = await _context.Store.GetAsync(command.Key, cancellationToken);
        if (info is not null && !EngineRecord.AllowsAccess(info, command.MatchesCreationRequest))
        {
            return new UploadResult(UploadResultKind.DifferentRequest, info.Offset);
        }

        if (info is not null && command.Permit?.Allows(EngineRecord.From(info)) is false)
        {
            return new UploadResult(UploadResultKind.PermitUsed);
        }

        // A request that starts over replaces the upload, so it need not fit it.
        if (info is not { State: UploadState.Receiving } || command.Offset > info.Offset || command.StartsOver)
        {
            return null;
        }

        UploadResult? result = AppendValidator.CheckAgainstUpload(command, info, EngineRecord.From(info), _context.Settings);
        return result is not null && DeletesUpload(command, result) ? null : result;
    }

    /// <summary>Gets the upload under the lock, after removing it if it has expired.</summary>
    /// <returns>The upload, or null if it does not exist or was removed.</returns>
    private async ValueTask<UploadInfo?> GetCurrentAsync(AppendCommand command, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        UploadInfo? info = await _context.Store.GetAsync(command.Key, cancellationToken);
        if (info is null || !_lookup.IsExpired(info))
        {
            return info;
        }

        if (await _deadLetters.NotifyBeforeExpirationAsync(info, callbacks, cancellationToken) is not { } expired)
        {
            throw new UploadStoreException(StoreFailure.Unavailable, $"The expired upload {info.Key} is kept until OnDeadLettered has succeeded.", info.Offset);
        }

        await _remover.ExpireAsync(expired, callbacks, cancellationToken);
        return null;
    }
}
