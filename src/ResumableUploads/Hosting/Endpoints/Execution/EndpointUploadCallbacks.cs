using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Events;
using ResumableUploads.Hosting.Requests;

namespace ResumableUploads.Hosting.Endpoints.Execution;

/// <summary>
/// Implements the engine callbacks for an upload to an endpoint. The endpoint runs when the upload completes, in place of the <c>OnCompleted</c>
/// handlers; the other events go to their registered handlers.
/// </summary>
internal sealed class EndpointUploadCallbacks(
    EventUploadCallbacks events, EndpointExecutor executor, UploadRequest request, EndpointTarget target, Func<IUploadCallbacks> createForOtherUpload)
    : IUploadCallbacks
{
    public bool HasCompletionHandler => true;

    public bool HasProgressHandler => events.HasProgressHandler;

    public IUploadCallbacks ForOtherUpload() => createForOtherUpload();

    /// <summary>
    /// Rejects the creation, before the body is read, with 415 (Unsupported Media Type) if the endpoint does not accept the content type, or with 400
    /// (Bad Request) if antiforgery validation fails. Otherwise calls the <c>OnCreating</c> handlers.
    /// </summary>
    public async ValueTask<CreationDecision> OnCreatingAsync(UploadKey key, CreateCommand createCommand, long? length, CancellationToken cancellationToken)
    {
        Endpoint endpoint = target.Route.AppEndpoint;

        // As in ASP.NET Core routing, a missing Content-Type is not rejected here; the endpoint decides.
        if (createCommand.ContentType is { } type && target.Route.MatchContentType(type) == ContentTypeMatch.None)
        {
            // Only an endpoint with IAcceptsMetadata can fail to match.
            string accepted = string.Join(", ", endpoint.Metadata.GetMetadata<IAcceptsMetadata>()!.ContentTypes);
            return new CreationDecision(new Rejection(StatusCodes.Status415UnsupportedMediaType, $"Send one of the content types that this endpoint accepts: {accepted}."), null);
        }

        // A ticket is no ambient credential, so no other page can send it for the client. The complete request gets a token of its own.
        AntiforgeryResult antiforgery = request.Ticket is null ? await AntiforgeryValidator.ValidateCreationAsync(request.Context, endpoint)
            : AntiforgeryValidator.IsRequired(endpoint) ? AntiforgeryResult.Valid
            : AntiforgeryResult.NotValidated;
        if (antiforgery == AntiforgeryResult.Invalid)
        {
            return new CreationDecision(
                new Rejection(StatusCodes.Status400BadRequest, "The antiforgery token is missing, or is not valid for the user and the cookie."), null);
        }

        CreationDecision decision = await events.OnCreatingAsync(key, createCommand, length, cancellationToken);
        return antiforgery == AntiforgeryResult.Valid && createCommand.Request is { } first
            ? decision with { Request = first with { HasValidToken = true } }
            : decision;
    }

    public ValueTask OnProgressAsync(UploadKey key, EngineRecord record, long offset, long? length, CancellationToken cancellationToken) =>
        events.OnProgressAsync(key, record, offset, length, cancellationToken);

    public ValueTask<HandlerResult> RunHandlerAsync(UploadInfo info, EngineRecord record, CancellationToken cancellationToken) =>
        executor.ExecuteAsync(info, record, cancellationToken);

    public ValueTask OnDeadLetteredAsync(UploadInfo info, EngineRecord record, CancellationToken cancellationToken) =>
        events.OnDeadLetteredAsync(info, record, cancellationToken);

    public ValueTask OnExpiredAsync(UploadInfo info, EngineRecord record, CancellationToken cancellationToken) =>
        events.OnExpiredAsync(info, record, cancellationToken);

    public void OnAbandoned(Task call) => events.OnAbandoned(call);
}
