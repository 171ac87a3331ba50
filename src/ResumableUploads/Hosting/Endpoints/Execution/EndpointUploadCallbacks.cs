using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Events;

namespace ResumableUploads.Hosting.Endpoints.Execution;

/// <summary>Connects the engine to an endpoint, which is the completion handler instead of <c>OnCompleted</c>.</summary>
internal sealed class EndpointUploadCallbacks(
    EventUploadCallbacks events, EndpointExecutor executor, HttpContext context, EndpointTarget target, Func<IUploadCallbacks> createForOtherUpload)
    : IUploadCallbacks
{
    public bool HasCompletionHandler => true;

    public bool HasProgressHandler => events.HasProgressHandler;

    public IUploadCallbacks ForOtherUpload() => createForOtherUpload();

    /// <summary>Rejects an upload before its body is read, if the framework would reject the complete request without reading its body.</summary>
    public async ValueTask<CreationDecision> OnCreatingAsync(UploadKey key, CreateCommand createCommand, long? length, CancellationToken cancellationToken)
    {
        Endpoint endpoint = target.Route.AppEndpoint;

        // As in the framework's routing, a request without a content type is left to the endpoint.
        if (createCommand.ContentType is { } type && target.Route.MatchContentType(type) == ContentTypeMatch.None)
        {
            string accepted = string.Join(", ", endpoint.Metadata.GetMetadata<IAcceptsMetadata>()!.ContentTypes);
            return new CreationDecision(new Rejection(StatusCodes.Status415UnsupportedMediaType, $"Send one of the content types that this endpoint accepts: {accepted}."), null);
        }

        if (AntiforgeryValidator.IsRequired(endpoint) && !await AntiforgeryValidator.ValidateCreationAsync(context))
        {
            return new CreationDecision(
                new Rejection(StatusCodes.Status400BadRequest, "The antiforgery token is missing, or is not valid for the user and the cookie."), null);
        }

        return await events.OnCreatingAsync(key, createCommand, length, cancellationToken);
    }

    public ValueTask OnProgressAsync(UploadKey key, EngineRecord record, long offset, long? length, CancellationToken cancellationToken) =>
        events.OnProgressAsync(key, record, offset, length, cancellationToken);

    public ValueTask<HandlerResult> RunHandlerAsync(
        UploadInfo info, EngineRecord record, Func<ReadOnlyMemory<byte>, ValueTask> storeResponse, CancellationToken cancellationToken) =>
        executor.ExecuteAsync(info, record, storeResponse, cancellationToken);

    public ValueTask OnDeadLetteredAsync(UploadInfo info, EngineRecord record, CancellationToken cancellationToken) =>
        events.OnDeadLetteredAsync(info, record, cancellationToken);

    public ValueTask OnExpiredAsync(UploadInfo info, EngineRecord record, CancellationToken cancellationToken) =>
        events.OnExpiredAsync(info, record, cancellationToken);
}
