using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Locking;

namespace ResumableUploads.Engine.Reliability;

/// <summary>
/// Bounds the events of an application: their token is canceled when the server stops, another request preempts the upload, or the event takes longer than
/// its timeout. The engine continues without an event that does not end within a grace period after that, so that it cannot hold the lock of an upload
/// for the lifetime of the process. The completion handler is not bounded; its lease limits it.
/// </summary>
internal sealed class BoundedCallbacks : IUploadCallbacks
{
    private readonly IUploadCallbacks _inner;
    private readonly EngineContext _context;
    private readonly UploadLock? _uploadLock;
    private Task _abandonedProgress = Task.CompletedTask;

    private BoundedCallbacks(IUploadCallbacks inner, EngineContext context, UploadLock? uploadLock) =>
        (_inner, _context, _uploadLock) = (inner, context, uploadLock);

    /// <summary>Gets the token that is canceled when another request preempts the upload.</summary>
    private CancellationToken Preempted => _uploadLock?.ReleaseRequested ?? CancellationToken.None;

    public bool HasCompletionHandler => _inner.HasCompletionHandler;

    public bool HasCreatingHandler => _inner.HasCreatingHandler;

    public bool HasProgressHandler => _inner.HasProgressHandler;

    /// <summary>Bounds the events of a request.</summary>
    /// <param name="callbacks">The application.</param>
    /// <param name="context">The services of the engine.</param>
    /// <param name="uploadLock">The lock that the caller holds and that another request may wait for, or null.</param>
    public static BoundedCallbacks Wrap(IUploadCallbacks callbacks, EngineContext context, UploadLock? uploadLock) =>
        new(callbacks is BoundedCallbacks bounded ? bounded._inner : callbacks, context, uploadLock);

    public IUploadCallbacks ForOtherUpload() => new BoundedCallbacks(_inner.ForOtherUpload(), _context, uploadLock: null);

    public async ValueTask<CreationDecision> OnCreatingAsync(UploadKey key, CreateCommand createCommand, long? length, CancellationToken cancellationToken)
    {
        CreationDecision decision = default;
        (EventEnd end, _) = await InvokeAsync(
            "OnCreating",
            key,
            async token => decision = await _inner.OnCreatingAsync(key, createCommand, length, token),
            cancellationToken);
        if (end == EventEnd.Returned)
        {
            return decision;
        }

        cancellationToken.ThrowIfCancellationRequested();
        return new CreationDecision(null, null)
        {
            Interruption = _context.Stopping.IsCancellationRequested ? UploadResultKind.ShuttingDown
                : Preempted.IsCancellationRequested ? UploadResultKind.Preempted
                : UploadResultKind.Busy,
        };
    }

    public async ValueTask OnProgressAsync(UploadKey key, EngineRecord record, long offset, long? length, CancellationToken cancellationToken)
    {
        // Calls are sequential, so none is made while an abandoned one is running.
        if (_abandonedProgress.IsCompleted)
        {
            (_, _abandonedProgress) = await InvokeAsync(
                "OnProgress", key, async token => await _inner.OnProgressAsync(key, record, offset, length, token), cancellationToken);
        }
    }

    public ValueTask<HandlerResult> RunHandlerAsync(
        UploadInfo info, EngineRecord record, CancellationToken cancellationToken) =>
        _context.Lifecycle.RunHandlerAsync(_inner, info, record, cancellationToken);

    /// <summary>Calls the event without a timeout, because it may move the content, and without preemption, because the upload may be removed after it.</summary>
    public async ValueTask OnDeadLetteredAsync(UploadInfo info, EngineRecord record, CancellationToken cancellationToken)
    {
        using var source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _context.Stopping);
        var call = new EventCall("OnDeadLettered", info.Key, _context.Settings.AppendGracePeriod, _context);
        (EventEnd end, _) = await RunAsync(call, async token => await _inner.OnDeadLetteredAsync(info, record, token), source.Token);
        if (end != EventEnd.Returned)
        {
            throw new OperationCanceledException(source.Token);
        }
    }

    /// <summary>
    /// Calls the event with a grace period if the server stops or another request waits: the upload is removed already, so the event cannot be repeated.
    /// </summary>
    public async ValueTask OnExpiredAsync(UploadInfo info, EngineRecord record, CancellationToken cancellationToken)
    {
        EngineSettings settings = _context.Settings;
        using var interrupted = CancellationTokenSource.CreateLinkedTokenSource([cancellationToken, _context.Stopping, Preempted]);
        using var delayed = new DelayedCancellation(settings.EventGracePeriod, _context.Time, interrupted.Token);
        using var timeout = new CancellationTokenSource(settings.EventTimeout, _context.Time);
        using var source = CancellationTokenSource.CreateLinkedTokenSource(delayed.Token, timeout.Token);
        var call = new EventCall("OnExpired", info.Key, settings.EventGracePeriod, _context);
        (EventEnd end, _) = await RunAsync(call, async token => await _inner.OnExpiredAsync(info, record, token), source.Token);
        if (end == EventEnd.Canceled)
        {
            Log.ExpirationEventLost(_context.Logger, info.Key);
        }
    }

    private async ValueTask<(EventEnd End, Task Call)> InvokeAsync(
        string eventName, UploadKey key, Func<CancellationToken, Task> call, CancellationToken cancellationToken)
    {
        EngineSettings settings = _context.Settings;
        using var timeout = new CancellationTokenSource(settings.EventTimeout, _context.Time);
        using var source = CancellationTokenSource.CreateLinkedTokenSource([cancellationToken, _context.Stopping, Preempted, timeout.Token]);
        return await RunAsync(new EventCall(eventName, key, settings.EventGracePeriod, _context), call, source.Token);
    }

    private async ValueTask<(EventEnd End, Task Call)> RunAsync(EventCall call, Func<CancellationToken, Task> invoke, CancellationToken cancellationToken)
    {
        (EventEnd end, Task running) = await call.RunAsync(invoke, cancellationToken);
        if (end == EventEnd.Abandoned)
        {
            _inner.OnAbandoned(running);
        }

        return (end, running);
    }
}
