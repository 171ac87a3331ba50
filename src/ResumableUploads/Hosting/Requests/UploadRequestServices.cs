using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Endpoints.Execution;
using ResumableUploads.Hosting.Endpoints.Execution.Responses;
using ResumableUploads.Hosting.Events;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Hosting.Proxies;
using ResumableUploads.Hosting.Requests.Bodies;

namespace ResumableUploads.Hosting.Requests;

/// <summary>The services that the request handlers of all protocols share, for one set of options.</summary>
internal sealed class UploadRequestServices(
    ResumableUploadOptions options, UploadEventHandlers events, UploadEngine engine, IUploadStore store, IServiceProvider services, TimeProvider time, ILogger logger)
{
    public ResumableUploadOptions Options => options;

    public UploadEngine Engine => engine;

    public TimeProvider Time => time;

    public UploadLimits Limits { get; } = new(options);

    public required UploadIdentityResolver Identities { get; init; }

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
}
