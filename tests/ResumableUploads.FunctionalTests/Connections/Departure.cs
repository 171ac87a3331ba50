using Microsoft.AspNetCore.Http;

namespace ResumableUploads.FunctionalTests.Connections;

/// <summary>The moment at which the server knows that the client of a request has left.</summary>
internal sealed class Departure
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the client has left; fails when it does not leave.</summary>
    public Task HasLeft => _left.Task.WaitAsync(Patience);

    public static Departure Of(HttpContext context)
    {
        var departure = new Departure();
        context.RequestAborted.Register(() => departure._left.TrySetResult());
        return departure;
    }
}
