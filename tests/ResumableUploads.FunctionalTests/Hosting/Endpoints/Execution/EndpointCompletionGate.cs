using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.FunctionalTests.Connections;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Execution;

/// <summary>An endpoint that waits for the test before it answers, and tells what it has seen.</summary>
internal sealed class EndpointCompletionGate
{
    public const string Path = "/gate";
    private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _runs;

    /// <summary>How often it was started.</summary>
    public int Runs => Volatile.Read(ref _runs);

    /// <summary>What the last start was told.</summary>
    public bool IsRepeat { get; private set; }

    /// <summary>The token of the request, as the handler sees it.</summary>
    public CancellationToken Aborted { get; private set; }

    /// <summary>When the server knows that the client has left which sent the first request here.</summary>
    public Departure? Departure { get; private set; }

    public Task EnteredAsync() => _entered.Task.WaitAsync(TimeSpan.FromSeconds(20));

    /// <summary>Ends when the server is done with the first request.</summary>
    public Task OverAsync() => _over.Task.WaitAsync(TimeSpan.FromSeconds(20));

    public void Release() => _released.TrySetResult();

    public void Map(WebApplication app)
    {
        app.Use(async (context, next) =>
        {
            bool isFirst = Departure is null;
            if (isFirst)
            {
                Departure = Departure.Of(context);
            }

            await next(context);
            if (isFirst)
            {
                _over.TrySetResult();
            }
        });
        app.MapPost(Path, (Delegate)RunAsync).WithResumableUploads();
    }

    private async Task<IResult> RunAsync(HttpContext context)
    {
        int run = Interlocked.Increment(ref _runs);
        IsRepeat = context.Features.Get<IResumableUploadFeature>()!.IsRepeat;
        Aborted = context.RequestAborted;
        _entered.TrySetResult();
        await _released.Task.WaitAsync(context.RequestAborted);
        string hash = Convert.ToHexString(await SHA256.HashDataAsync(context.Request.Body, context.RequestAborted));
        context.Response.Headers.ETag = $"\"{hash}\"";
        return Results.Created($"{Path}/{run}", new { run, hash });
    }
}
