using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ResumableUploads.Hosting.Endpoints.Routing;

namespace ResumableUploads.Hosting.Endpoints.Execution;

/// <summary>
/// How long a handler may run, and when it is told to stop: with the server, or when the timeout of its endpoint is over, counted from here.
/// That its client leaves is no reason.
/// </summary>
internal sealed class EndpointLifetimeFeature : IHttpRequestLifetimeFeature, IHttpRequestTimeoutFeature, IDisposable
{
    private readonly IHttpRequestLifetimeFeature? _connectionLifetime;
    private readonly RequestTimeoutPolicy? _policy;
    private readonly CancellationTokenSource _timeout;
    private readonly CancellationTokenSource _cancellation;

    public EndpointLifetimeFeature(HttpContext context, EndpointTarget target, TimeProvider time, CancellationToken stopping)
    {
        _connectionLifetime = context.Features.Get<IHttpRequestLifetimeFeature>();
        _policy = target.HasRequestTimeouts
            ? GetTimeoutPolicy(target.Route.AppEndpoint, context.RequestServices.GetRequiredService<IOptions<RequestTimeoutOptions>>().Value)
            : null;
        _timeout = new CancellationTokenSource(_policy?.Timeout ?? Timeout.InfiniteTimeSpan, time);
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(stopping, _timeout.Token);
        RequestAborted = _cancellation.Token;
    }

    public CancellationToken RequestAborted { get; set; }

    public CancellationToken RequestTimeoutToken => _timeout.Token;

    /// <summary>Whether the endpoint has thrown its own connection away: there is no answer then.</summary>
    public bool IsAborted { get; private set; }

    /// <summary>Whether the app has a timeout for this endpoint.</summary>
    public bool HasTimeout => _policy?.Timeout is not null;

    /// <summary>Whether the handler was told to stop, for whatever reason.</summary>
    public bool IsCancellationRequested => _cancellation.IsCancellationRequested;

    /// <summary>Whether it took too long.</summary>
    public bool IsTimedOut => _timeout.IsCancellationRequested;

    public void DisableTimeout() => _timeout.CancelAfter(Timeout.InfiniteTimeSpan);

    public void Abort()
    {
        IsAborted = true;
        _cancellation.Cancel();
        _connectionLifetime?.Abort();
    }

    /// <summary>Writes what the policy says for a request that took too long.</summary>
    public async Task WriteTimeoutResponseAsync(HttpContext context)
    {
        context.Response.Clear();
        context.Response.StatusCode = _policy?.TimeoutStatusCode ?? StatusCodes.Status504GatewayTimeout;
        if (_policy?.WriteTimeoutResponse is { } write)
        {
            await write(context);
        }
    }

    public void Dispose()
    {
        _cancellation.Dispose();
        _timeout.Dispose();
    }

    private static RequestTimeoutPolicy? GetTimeoutPolicy(Endpoint endpoint, RequestTimeoutOptions options)
    {
        if (endpoint.Metadata.GetMetadata<DisableRequestTimeoutAttribute>() is not null)
        {
            return null;
        }

        if (endpoint.Metadata.GetMetadata<RequestTimeoutPolicy>() is { } own)
        {
            return own;
        }

        return endpoint.Metadata.GetMetadata<RequestTimeoutAttribute>() switch
        {
            null => options.DefaultPolicy,
            { Timeout: { } timeout } => new RequestTimeoutPolicy { Timeout = timeout },
            { PolicyName: { } name } => options.Policies.TryGetValue(name, out RequestTimeoutPolicy? policy)
                ? policy
                : throw new InvalidOperationException($"There is no request timeout policy '{name}'."),
            _ => null,
        };
    }
}
