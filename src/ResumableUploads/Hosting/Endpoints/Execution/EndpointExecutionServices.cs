using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Endpoints.Execution.Responses;

namespace ResumableUploads.Hosting.Endpoints.Execution;

/// <summary>The services that all endpoint runs with the same options share.</summary>
/// <param name="Options">The options.</param>
/// <param name="CreationRequests">Compares requests with the one that created the upload.</param>
/// <param name="StoredHeaders">Selects the response headers that are stored.</param>
/// <param name="Exceptions">Runs the endpoint inside the exception handling of the app.</param>
/// <param name="Store">The store that contains the uploads.</param>
/// <param name="Time">The time provider for the request timeout of the endpoint.</param>
/// <param name="Logger">The logger.</param>
internal sealed record EndpointExecutionServices(
    ResumableUploadOptions Options,
    CreationRequestMatcher CreationRequests,
    StoredHeaderFilter StoredHeaders,
    EndpointExceptionPipeline Exceptions,
    IUploadStore Store,
    TimeProvider Time,
    ILogger Logger);
