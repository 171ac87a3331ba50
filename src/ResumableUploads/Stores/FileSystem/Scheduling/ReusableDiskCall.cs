using System.Threading.Tasks.Sources;

namespace ResumableUploads.Stores.FileSystem.Scheduling;

/// <summary>A call that runs many times, one after the other, without allocations. It always runs to its end, or is canceled in the queue.</summary>
/// <typeparam name="TState">The type of the argument.</typeparam>
/// <param name="scheduler">The scheduler that runs the call.</param>
/// <param name="call">The call.</param>
internal sealed class ReusableDiskCall<TState>(DiskScheduler scheduler, Action<TState> call) : DiskCall, IValueTaskSource<bool>
{
    // The continuation is code of the request, which must not run on a thread of the store.
    private ManualResetValueTaskSourceCore<bool> _completion = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _registration;
    private ExecutionContext? _context;
    private TState _state = default!;

    /// <summary>Queues the call. The result of the previous run must have been read.</summary>
    /// <exception cref="OperationCanceledException">The token was canceled before the call began.</exception>
    public ValueTask<bool> RunAsync(DiskLaneKey lane, TState state, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<bool>(cancellationToken);
        }

        _completion.Reset();
        _state = state;
        _context = ExecutionContext.Capture();
        scheduler.Enqueue(lane, this);
        _registration = cancellationToken.UnsafeRegister(static (self, token) => ((ReusableDiskCall<TState>)self!).TryCancel(token), this);
        return new ValueTask<bool>(this, _completion.Version);
    }

    public override void Run()
    {
        if (_context is null)
        {
            RunInContext();
        }
        else
        {
            // Log messages keep the scopes of the request.
            ExecutionContext.Run(_context, static self => ((ReusableDiskCall<TState>)self!).RunInContext(), this);
        }
    }

    public override void Fail(Exception exception) => _completion.SetException(exception);

    public override void Cancel(CancellationToken cancellationToken) => _completion.SetException(new OperationCanceledException(cancellationToken));

    bool IValueTaskSource<bool>.GetResult(short token)
    {
        _registration.Dispose();
        _state = default!;
        return _completion.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _completion.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _completion.OnCompleted(continuation, state, token, flags);

    private void TryCancel(CancellationToken cancellationToken)
    {
        if (scheduler.TryRemove(this))
        {
            Cancel(cancellationToken);
        }
    }

    private void RunInContext()
    {
        try
        {
            call(_state);
        }
        catch (Exception e)
        {
            Fail(e);
            return;
        }

        _completion.SetResult(true);
    }
}
