using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.FunctionalTests.Connections;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Execution;

/// <summary>An endpoint that waits for the test before it responds, and records what it was called with.</summary>
internal sealed class EndpointCompletionGate
{
    public const string Path = "/gate";
    private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _runs;

    /// <summary>The number of runs.</summary>
    public int Runs => Volatile.Read(ref _runs);

    /// <summary>The feature of the last run.</summary>
    public bool IsRepeat { get; private set; }

    /// <summary>The token of the request, as the handler sees it.</summary>
    public CancellationToken Aborted { get; private set; }

    /// <summary>Completes when the server has noticed that the client of the first request disconnected.</summary>
    public Departure? Departure { get; private set; }

    public Task EnteredAsync() => _entered.Task.WaitAsync(TimeSpan.FromMinutes(2));

    /// <summary>Completes when the server has finished the first request.</summary>
    public Task OverAsync() => _over.Task.WaitAsync(TimeSpan.FromMinutes(2));

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
