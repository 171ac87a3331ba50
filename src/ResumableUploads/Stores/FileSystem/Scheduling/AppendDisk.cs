using System.Buffers;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem.Scheduling;

/// <summary>
/// The disk calls of one append. If one of them hangs, the request can stop waiting for it. The append then continues without the request: it keeps the lock of
/// the upload until the call returns, and does not use the content any more.
/// </summary>
internal sealed class AppendDisk(StoreContext context, string lane, CancellationToken cancellationToken)
{
    /// <summary>The maximum number of bytes that are copied at a time: large enough for efficient writes, small enough for many slow uploads.</summary>
    private const int MaxCopyLength = 256 * 1024;

    private readonly DiskScheduler _scheduler = context.Scheduler;
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _abandoned = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isCalling;
    private bool _isCleaningUp;

    /// <summary>Abandons a call that cleans up after the cancellation. Periodic, because the append can be between two calls when it fires.</summary>
    private ITimer? _cleanUpTimer;

    /// <summary>Waits for the append, or until its token is canceled during a disk call.</summary>
    /// <exception cref="OperationCanceledException">The append was abandoned.</exception>
    public async ValueTask<AppendResult> WaitAsync(ValueTask<AppendResult> append)
    {
        try
        {
            return append.IsCompleted ? await append : await WaitOrAbandonAsync(append);
        }
        finally
        {
            _cleanUpTimer?.Dispose();
        }
    }

    /// <summary>Runs a call that leaves the queue if the append is canceled.</summary>
    /// <exception cref="OperationCanceledException">The append was canceled before the call began, or was abandoned.</exception>
    public ValueTask<T> RunAsync<TState, T>(DiskCallKind kind, TState state, Func<TState, T> call) => RunAsync(kind, state, call, cancellationToken);

    /// <summary>Runs a call that must also run after the append was canceled.</summary>
    /// <exception cref="OperationCanceledException">The append was abandoned.</exception>
    public ValueTask<T> RunToEndAsync<TState, T>(DiskCallKind kind, TState state, Func<TState, T> call) => RunAsync(kind, state, call, CancellationToken.None);

    /// <summary>Runs a call on a part of the content. The buffer is copied first unless the call runs in place, because the request may leave before the call returns.</summary>
    public async ValueTask RunOnContentAsync<TState>(TState state, ReadOnlySequence<byte> content, Action<TState, ReadOnlySequence<byte>> call)
    {
        if (_scheduler.TryRunInPlace((state, content, call), static s => s.call(s.state, s.content)))
        {
            return;
        }

        byte[] copy = ArrayPool<byte>.Shared.Rent((int)Math.Min(content.Length, MaxCopyLength));
        for (ReadOnlySequence<byte> rest = content; !rest.IsEmpty;)
        {
            ReadOnlySequence<byte> piece = rest.Slice(0, Math.Min(rest.Length, copy.Length));
            piece.CopyTo(copy);
            rest = rest.Slice(piece.End);
            await RunAsync(
                DiskCallKind.Cached,
                (state, copy, length: (int)piece.Length, call),
                static s =>
                {
                    s.call(s.state, new ReadOnlySequence<byte>(s.copy, 0, s.length));
                    return true;
                });
        }

        // An abandoned call may still use the array, which is then left to the garbage collector.
        ArrayPool<byte>.Shared.Return(copy);
    }

    private async ValueTask<AppendResult> WaitOrAbandonAsync(ValueTask<AppendResult> append)
    {
        Task<AppendResult> running = append.AsTask();
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(static self => ((AppendDisk)self!).Abandon(includeCleanUp: false), this);
        if (await Task.WhenAny(running, _abandoned.Task) == running)
        {
            return await running;
        }

        // Observes the exception of the abandoned append, which has no receiver.
        _ = running.ContinueWith(static task => task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        throw new OperationCanceledException(cancellationToken);
    }

    private ValueTask<T> RunAsync<TState, T>(DiskCallKind kind, TState state, Func<TState, T> call, CancellationToken queueToken)
    {
        BeginCall();
        ValueTask<T> result = _scheduler.RunAsync(new DiskCallOptions(lane, kind, AbandonDelay: null), state, call, queueToken);
        if (!result.IsCompletedSuccessfully)
        {
            return AwaitAsync(result);
        }

        return TryEndCall() ? result : AwaitAsync(result);
    }

    private async ValueTask<T> AwaitAsync<T>(ValueTask<T> call)
    {
        T result;
        try
        {
            result = await call;
        }
        catch when (!TryEndCall())
        {
            throw new OperationCanceledException(cancellationToken);
        }

        if (!TryEndCall())
        {
            (result as IDisposable)?.Dispose();
            throw new OperationCanceledException(cancellationToken);
        }

        return result;
    }

    private void BeginCall()
    {
        lock (_lock)
        {
            _isCalling = true;
            _isCleaningUp = cancellationToken.IsCancellationRequested;
            if (_isCleaningUp && _cleanUpTimer is null && !_abandoned.Task.IsCompleted)
            {
                _cleanUpTimer = context.TimeProvider.CreateTimer(
                    static self => ((AppendDisk)self!).Abandon(includeCleanUp: true), this, StoreContext.AbandonDelay, StoreContext.AbandonDelay);
            }
        }
    }

    /// <summary>Returns false if the request has stopped waiting.</summary>
    private bool TryEndCall()
    {
        lock (_lock)
        {
            _isCalling = false;
            return !_abandoned.Task.IsCompleted;
        }
    }

    private void Abandon(bool includeCleanUp)
    {
        lock (_lock)
        {
            if (_isCalling && (includeCleanUp || !_isCleaningUp))
            {
                _abandoned.TrySetResult();
            }
        }
    }
}
