using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ResumableUploads.Hosting.Endpoints.Routing;

namespace ResumableUploads.Hosting.Endpoints.Execution;

/// <summary>
/// Cancels an endpoint when the server stops, or when the request timeout of the endpoint expires. The timeout starts when the endpoint runs. A client
/// disconnect does not cancel the endpoint.
/// </summary>
internal sealed class EndpointLifetimeFeature : IHttpRequestLifetimeFeature, IHttpResetFeature, IHttpRequestTimeoutFeature, IDisposable
{
    private readonly IHttpRequestLifetimeFeature? _connectionLifetime;
    private readonly IHttpResetFeature? _connectionReset;
    private readonly RequestTimeoutPolicy? _policy;
    private readonly CancellationTokenSource _timeout;
    private readonly CancellationTokenSource _cancellation;

    public EndpointLifetimeFeature(HttpContext context, EndpointTarget target, TimeProvider time, CancellationToken stopping)
    {
        _connectionLifetime = context.Features.Get<IHttpRequestLifetimeFeature>();
        _connectionReset = context.Features.Get<IHttpResetFeature>();
        _policy = target.HasRequestTimeouts
            ? GetTimeoutPolicy(target.Route.AppEndpoint, context.RequestServices.GetRequiredService<IOptions<RequestTimeoutOptions>>().Value)
            : null;
        _timeout = new CancellationTokenSource(_policy?.Timeout ?? Timeout.InfiniteTimeSpan, time);
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(stopping, _timeout.Token);
        RequestAborted = _cancellation.Token;
    }

    public CancellationToken RequestAborted { get; set; }

    public CancellationToken RequestTimeoutToken => _timeout.Token;

    /// <summary>Gets whether the endpoint runs for an upload other than that of the request, whose connection it must not abort.</summary>
    public bool IsDetached { get; init; }

    /// <summary>Gets whether the server can reset the stream of a request, as in HTTP/2.</summary>
    public bool SupportsReset => _connectionReset is not null;

    /// <summary>Gets whether the endpoint aborted its request. If so, it has no response.</summary>
    public bool IsAborted { get; private set; }

    /// <summary>Gets whether the endpoint has a request timeout.</summary>
    public bool HasTimeout => _policy?.Timeout is not null;

    /// <summary>Gets whether the endpoint was canceled, for any reason.</summary>
    public bool IsCancellationRequested => _cancellation.IsCancellationRequested;

    /// <summary>Gets whether the request timeout expired.</summary>
    public bool IsTimedOut => _timeout.IsCancellationRequested;

    public void DisableTimeout() => _timeout.CancelAfter(Timeout.InfiniteTimeSpan);

    public void Abort()
    {
        IsAborted = true;
        _cancellation.Cancel();
        if (!IsDetached)
        {
            _connectionLifetime?.Abort();
        }
    }

    public void Reset(int errorCode)
    {
        IsAborted = true;
        _cancellation.Cancel();
        if (!IsDetached)
        {
            _connectionReset?.Reset(errorCode);
        }
    }

    /// <summary>Writes the response that the timeout policy specifies.</summary>
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
                : throw new InvalidOperationException($"The request timeout policy '{name}' does not exist."),
            _ => null,
        };
    }
}
