using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Hosting.Endpoints.Execution;

/// <summary>What all runs of endpoints share, for one set of options.</summary>
/// <param name="Options">The options.</param>
/// <param name="StoredHeaders">Selects the response headers that are stored.</param>
/// <param name="Store">The store that has the content.</param>
/// <param name="Time">The clock of the endpoint's request timeout.</param>
/// <param name="Logger">The logger.</param>
internal sealed record EndpointExecutionServices(
    ResumableUploadOptions Options, StoredHeaderFilter StoredHeaders, IUploadStore Store, TimeProvider Time, ILogger Logger);
