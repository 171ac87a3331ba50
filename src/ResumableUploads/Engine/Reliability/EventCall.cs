using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Reliability;

/// <summary>One call of an event of the application, which the engine leaves behind if it ignores its token.</summary>
/// <param name="EventName">The name of the event, for the log.</param>
/// <param name="Key">The upload.</param>
/// <param name="GracePeriod">How long the engine waits after the token was canceled.</param>
/// <param name="Context">The services of the engine.</param>
internal readonly record struct EventCall(string EventName, UploadKey Key, TimeSpan GracePeriod, EngineContext Context)
{
    /// <summary>Calls the event. Its exceptions are thrown, unless its token was canceled and it throws for that reason.</summary>
    /// <returns>How the call ended, and the call itself, which is still running if it was abandoned.</returns>
    public async ValueTask<(EventEnd End, Task Call)> RunAsync(Func<CancellationToken, Task> call, CancellationToken cancellationToken)
    {
        // The callbacks of the event's token are code of the application, which must block neither the caller nor the callbacks of the engine. The source is not
        // disposed, because an abandoned event still uses its token.
        var source = new CancellationTokenSource();
        await using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            static source => _ = ((CancellationTokenSource)source!).CancelAsync(), source);
        Task running = StartAsync(call, source.Token);
        try
        {
            if (!running.IsCompleted && !await TryWaitAsync(running, cancellationToken))
            {
                Log.EventAbandoned(Context.Logger, EventName, Key, GracePeriod);
                _ = running.ContinueWith(
                    static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
                return (EventEnd.Abandoned, running);
            }

            await running;
            return (EventEnd.Returned, running);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return (EventEnd.Canceled, Task.CompletedTask);
        }
    }

    /// <summary>Starts the call on its own, so that the engine can continue without an event that blocks its thread.</summary>
    private static async Task StartAsync(Func<CancellationToken, Task> call, CancellationToken cancellationToken)
    {
        await Task.Yield();
        await call(cancellationToken);
    }

    /// <summary>Waits until the call has ended.</summary>
    /// <returns>False if it is still running after the grace period.</returns>
    private async ValueTask<bool> TryWaitAsync(Task running, CancellationToken cancellationToken)
    {
        var canceled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (cancellationToken.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), canceled))
        {
            await Task.WhenAny(running, canceled.Task);
        }

        if (!running.IsCompleted)
        {
            await Task.WhenAny(running, Task.Delay(GracePeriod, Context.Time, CancellationToken.None));
        }

        return running.IsCompleted;
    }
}

/// <summary>Specifies how the call of an event ended.</summary>
internal enum EventEnd
{
    /// <summary>The event returned.</summary>
    Returned,

    /// <summary>The token was canceled, and the event ended because of that.</summary>
    Canceled,

    /// <summary>The token was canceled, and the event did not end within the grace period.</summary>
    Abandoned,
}
