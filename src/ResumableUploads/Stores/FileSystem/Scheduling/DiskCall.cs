namespace ResumableUploads.Stores.FileSystem.Scheduling;

/// <summary>A call that waits for a thread, or runs on one.</summary>
internal abstract class DiskCall(DiskLane lane)
{
    public DiskLane Lane { get; } = lane;

    /// <summary>Gets the time at which the call was queued.</summary>
    public long QueuedTimestamp { get; init; }

    /// <summary>Gets or sets the position in the queue of the lane, or null if the call has left it.</summary>
    public LinkedListNode<DiskCall>? QueueEntry { get; set; }

    /// <summary>Runs the call. Does not throw.</summary>
    public abstract void Run();

    /// <summary>Completes the task of the caller with an exception. The call must have left the queue.</summary>
    public abstract void Fail(Exception exception);

    /// <summary>Completes the task of the caller as canceled, unless it has completed. A running call continues, and its result is disposed.</summary>
    public abstract void Cancel(CancellationToken cancellationToken);
}

/// <inheritdoc/>
/// <typeparam name="TState">The type of the argument.</typeparam>
/// <typeparam name="T">The type of the result.</typeparam>
internal sealed class DiskCall<TState, T>(DiskLane lane, TState state, Func<TState, T> call) : DiskCall(lane)
{
    private readonly ExecutionContext? _context = ExecutionContext.Capture();

    // The continuation is code of the request, which must not run on a thread of the store.
    private readonly TaskCompletionSource<T> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<T> Task => _completion.Task;

    public override void Run()
    {
        if (_context is null)
        {
            RunInContext();
        }
        else
        {
            // Log messages keep the scopes of the request.
            ExecutionContext.Run(_context, static self => ((DiskCall<TState, T>)self!).RunInContext(), this);
        }
    }

    public override void Fail(Exception exception) => _completion.TrySetException(exception);

    public override void Cancel(CancellationToken cancellationToken) => _completion.TrySetCanceled(cancellationToken);

    private void RunInContext()
    {
        try
        {
            T result = call(state);
            if (!_completion.TrySetResult(result))
            {
                (result as IDisposable)?.Dispose();
            }
        }
        catch (Exception e)
        {
            _completion.TrySetException(e);
        }
    }
}
