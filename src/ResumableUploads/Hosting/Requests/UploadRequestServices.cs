using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Ownership;

namespace ResumableUploads.Hosting.Requests;

/// <summary>The services that the request handlers of all protocols share, for one set of options.</summary>
internal sealed class UploadRequestServices(
    ResumableUploadOptions options, UploadEngine engine, IUploadStore store, IServiceProvider services, TimeProvider time, ILogger logger)
{
    public ResumableUploadOptions Options => options;

    public UploadEngine Engine => engine;

    public TimeProvider Time => time;

    public UploadLimits Limits { get; } = new(options);

    public UploadIdentityResolver Identities { get; } = new(options);

    public DecodedBodyCheck DecodedBodies { get; } = new(options, logger);

    public AppendRunner Appends { get; } = new(options, engine, store, services, time, logger);

    public StoreQueries Store { get; } = new(store, logger);
}
