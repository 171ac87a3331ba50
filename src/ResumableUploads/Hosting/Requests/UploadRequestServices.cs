using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Diagnostics;
using ResumableUploads.Hosting.Diagnostics;
using ResumableUploads.Hosting.Endpoints.Execution;
using ResumableUploads.Hosting.Endpoints.Execution.Responses;
using ResumableUploads.Hosting.Events;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Hosting.ProgressEvents;
using ResumableUploads.Hosting.Proxies;
using ResumableUploads.Hosting.Requests.Bodies;
using ResumableUploads.Hosting.Tickets;

namespace ResumableUploads.Hosting.Requests;

/// <summary>The services that the request handlers of all protocols share, for one set of options.</summary>
internal sealed class UploadRequestServices(
    ResumableUploadOptions options, UploadEventHandlers events, UploadEngine engine, IUploadStore store, IServiceProvider services, TimeProvider time, ILogger logger)
{
    private string? _endpoint;

    public ResumableUploadOptions Options => options;

    public UploadEngine Engine => engine;

    public TimeProvider Time => time;

    public UploadLimits Limits { get; } = new(options);

    public required UploadIdentityResolver Identities { get; init; }

    public required RefusalReporter Refusals { get; init; }

    public required ProgressEventResponder ProgressEvents { get; init; }

    public required TicketReader Tickets { get; init; }

    /// <summary>Gets the function that returns the pattern or the path of a ready-made endpoint, or <see langword="null"/> for endpoints of the app.</summary>
    public required Func<string?>? GetEndpoint { get; init; }

    public required BufferingProxyDetector BufferingProxies
    {
        init => Appends.BufferingProxies = value;
    }

    public DecodedBodyCheck DecodedBodies { get; } = new(options, logger);

    public AppendRunner Appends { get; } = new(engine, events, services, new EndpointExecutionServices(
        options,
        new CreationRequestMatcher(options.VolatileQueryParameters),
        new StoredHeaderFilter(options.Handler.StoredHeaders),
        new EndpointExceptionPipeline(services),
        store,
        time,
        logger));

    public StoreQueries Store { get; } = new(store, logger);

    public TicketUse TicketUse => field ??= new TicketUse(engine, Store);

    /// <summary>Returns the endpoint of a request, without its protocol.</summary>
    public UploadOrigin GetOrigin(UploadRequest request) =>
        new(null, request.Target is { } target ? target.Route.AppEndpoint.RoutePattern.RawText : _endpoint ??= GetEndpoint?.Invoke());
}
