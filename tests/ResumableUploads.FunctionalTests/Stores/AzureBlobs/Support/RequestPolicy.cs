using Azure.Core;
using Azure.Core.Pipeline;

namespace ResumableUploads.FunctionalTests.Stores.AzureBlobs.Support;

/// <summary>Observes or changes the requests of a client.</summary>
internal abstract class RequestPolicy : HttpPipelinePolicy
{
    /// <summary>Gets where the policy runs: by default, for each attempt.</summary>
    public virtual HttpPipelinePosition Position => HttpPipelinePosition.PerRetry;

    public sealed override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        // Only reads of a stream are synchronous.
        ProcessNext(message, pipeline);
    }

    /// <summary>Returns what a request does, such as <c>PUT appendblock</c>.</summary>
    protected static string Name(HttpMessage message)
    {
        string component = System.Web.HttpUtility.ParseQueryString(message.Request.Uri.Query)["comp"] ?? "";
        string action = message.Request.Headers.TryGetValue("x-ms-lease-action", out string? lease) ? lease : component;
        return $"{message.Request.Method.Method} {action}".TrimEnd();
    }
}

/// <summary>Counts requests.</summary>
internal sealed class CountingPolicy : RequestPolicy
{
    private readonly List<string> _requests = [];

    /// <summary>Returns the requests since the last call.</summary>
    public string[] Take()
    {
        lock (_requests)
        {
            string[] requests = [.. _requests];
            _requests.Clear();
            return requests;
        }
    }

    public override ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        lock (_requests)
        {
            _requests.Add(Name(message));
        }

        return ProcessNextAsync(message, pipeline);
    }
}

/// <summary>Removes the headers that make writes conditional, as a service that ignores them.</summary>
internal sealed class UnconditionalPolicy(params string[] headers) : RequestPolicy
{
    // Before the request is signed.
    public override HttpPipelinePosition Position => HttpPipelinePosition.PerCall;

    public override ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        foreach (string header in headers)
        {
            message.Request.Headers.Remove(header);
        }

        return ProcessNextAsync(message, pipeline);
    }
}

/// <summary>Loses requests, or the responses of requests that the service has carried out.</summary>
internal sealed class LossPolicy : RequestPolicy
{
    private string _name = "";
    private bool _isCarriedOut;
    private int _count;
    private int _after;

    /// <summary>Gets the number of losses so far.</summary>
    public int Losses { get; private set; }

    /// <summary>Loses the next requests with a name, after some that are not lost.</summary>
    public void Lose(string name, bool isCarriedOut, int count = 1, int after = 0) =>
        (_name, _isCarriedOut, _count, _after, Losses) = (name, isCarriedOut, count, after, 0);

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        bool isLost = Name(message) == _name && Interlocked.Decrement(ref _after) < 0 && Interlocked.Decrement(ref _count) >= 0;
        if (!isLost || _isCarriedOut)
        {
            await ProcessNextAsync(message, pipeline);
        }

        if (isLost)
        {
            Losses++;
            throw new IOException("The connection was reset.");
        }
    }
}

/// <summary>Pauses the next request with a name, after some that are not paused, until the test continues it, as a server that is paused.</summary>
internal sealed class PausePolicy(string name, int after = 0) : RequestPolicy
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _continued = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _count = after;

    /// <summary>Gets a task that completes when the request is about to be sent.</summary>
    public Task Reached => _reached.Task;

    public void Continue() => _continued.TrySetResult();

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        if (Name(message) == name && Interlocked.Decrement(ref _count) < 0 && _reached.TrySetResult())
        {
            await _continued.Task;
        }

        await ProcessNextAsync(message, pipeline);
    }
}
