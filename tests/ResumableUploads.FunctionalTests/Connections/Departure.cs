using Microsoft.AspNetCore.Http;

namespace ResumableUploads.FunctionalTests.Connections;

/// <summary>Observes when the server detects that the client of a request has disconnected.</summary>
internal sealed class Departure
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Gets a task that completes when the client has disconnected, or fails after two minutes.</summary>
    public Task HasLeft => _left.Task.WaitAsync(Timeout);

    public static Departure Of(HttpContext context)
    {
        var departure = new Departure();
        context.RequestAborted.Register(() => departure._left.TrySetResult());
        return departure;
    }
}
