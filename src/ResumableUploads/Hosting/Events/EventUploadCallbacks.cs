using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Events;

/// <summary>Calls the app's events for the engine, in the scope of the request or, without a request, in a new scope for each call.</summary>
internal sealed class EventUploadCallbacks(UploadEventHandlers events, IUploadStore store, IServiceProvider services, UploadRequest? request)
    : IUploadCallbacks
{
    public bool HasCompletionHandler => events.OnCompleted is not null;

    public bool HasCreatingHandler => events.OnCreating is not null && request is not null;

    public bool HasProgressHandler => events.OnProgress is not null;

    public IUploadCallbacks ForOtherUpload() => this;

    public async ValueTask<CreationDecision> OnCreatingAsync(UploadKey key, CreateCommand createCommand, long? length, CancellationToken cancellationToken)
    {
        if (events.OnCreating is not { } handler || request is null)
        {
            return default;
        }

        var args = new UploadCreating(key, createCommand, length, request.Context, request.Permit);
        await handler(args, cancellationToken);
        return new CreationDecision(args.Rejection, args.ChosenFileName);
    }

    public ValueTask OnProgressAsync(UploadKey key, EngineRecord record, long offset, long? length, CancellationToken cancellationToken) =>
        InvokeInScopeAsync(scope => events.OnProgress!(new UploadProgress(key, record, offset, length, scope), cancellationToken));

    public async ValueTask<HandlerResult> RunHandlerAsync(UploadInfo info, EngineRecord record, CancellationToken cancellationToken)
    {
        UploadResponse? response = null;
        await InvokeInScopeAsync(async scope =>
        {
            var args = new CompletedUpload(store, info, record, scope);
            await events.OnCompleted!(args, cancellationToken);
            response = args.Response;
        });
        return response is null
            ? new HandlerResult(HandlerResultKind.Final, null)
            : new HandlerResult(
                StoredResponse.IsFinal(response.StatusCode) ? HandlerResultKind.Final : HandlerResultKind.Retry,
                new StoredResponse(response.StatusCode, response.ContentType, response.Body).ToBytes());
    }

    public async ValueTask OnDeadLetteredAsync(UploadInfo info, EngineRecord record, CancellationToken cancellationToken)
    {
        if (events.OnDeadLettered is { } handler)
        {
            await InvokeInScopeAsync(scope => handler(new UploadDeadLettered(store, info, record, scope), cancellationToken));
        }
    }

    public async ValueTask OnExpiredAsync(UploadInfo info, EngineRecord record, CancellationToken cancellationToken)
    {
        if (events.OnExpired is { } handler)
        {
            await InvokeInScopeAsync(scope => handler(new UploadExpired(info, record, scope), cancellationToken));
        }
    }

    public void OnAbandoned(Task call) => request?.AbandonedEvents.Add(call);

    private async ValueTask InvokeInScopeAsync(Func<IServiceProvider, Task> call)
    {
        if (request is not null)
        {
            await call(request.Context.RequestServices);
            return;
        }

        AsyncServiceScope scope = services.CreateAsyncScope();
        await using (scope)
        {
            await call(scope.ServiceProvider);
        }
    }
}
