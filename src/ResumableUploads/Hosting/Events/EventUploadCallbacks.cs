using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Events;

/// <summary>Calls the app's events for the engine: with the scope of a request, or with one made for each call.</summary>
internal sealed class EventUploadCallbacks(ResumableUploadOptions options, IUploadStore store, IServiceProvider services, HttpContext? context)
    : IUploadCallbacks
{
    public bool HasCompletionHandler => options.OnCompleted is not null;

    public bool HasProgressHandler => options.OnProgress is not null;

    public async ValueTask<CreationDecision> OnCreatingAsync(UploadKey key, CreateCommand details, long? length, CancellationToken cancellationToken)
    {
        if (options.OnCreating is not { } handler || context is null)
        {
            return default;
        }

        var args = new UploadCreating(key, details, length, context);
        await handler(args, cancellationToken);
        return new CreationDecision(args.Rejection, args.ChosenFileName);
    }

    public ValueTask OnProgressAsync(UploadKey key, EngineRecord data, long offset, long? length, CancellationToken cancellationToken) =>
        InvokeInScopeAsync(scope => options.OnProgress!(new UploadProgress(key, data, offset, length, scope), cancellationToken));

    public async ValueTask<HandlerResult> RunHandlerAsync(
        UploadInfo info, EngineRecord data, Func<ReadOnlyMemory<byte>, ValueTask> keep, CancellationToken cancellationToken)
    {
        UploadResponse? answer = null;
        await InvokeInScopeAsync(async scope =>
        {
            var args = new CompletedUpload(store, info, data, scope);
            await options.OnCompleted!(args, cancellationToken);
            answer = args.Response;
        });
        return answer is null
            ? new HandlerResult(HandlerResultKind.Final, null)
            : new HandlerResult(
                StoredResponse.IsFinal(answer.StatusCode) ? HandlerResultKind.Final : HandlerResultKind.Retry,
                new StoredResponse(answer.StatusCode, answer.ContentType, answer.Body).ToBytes());
    }

    public async ValueTask OnDeadLetteredAsync(UploadInfo info, EngineRecord data, CancellationToken cancellationToken)
    {
        if (options.OnDeadLettered is { } handler)
        {
            await InvokeInScopeAsync(scope => handler(new UploadDeadLettered(store, info, data, scope), cancellationToken));
        }
    }

    public async ValueTask OnExpiredAsync(UploadInfo info, EngineRecord data, CancellationToken cancellationToken)
    {
        if (options.OnExpired is { } handler)
        {
            await InvokeInScopeAsync(scope => handler(new UploadExpired(info, data, scope), cancellationToken));
        }
    }

    private async ValueTask InvokeInScopeAsync(Func<IServiceProvider, Task> call)
    {
        if (context is not null)
        {
            await call(context.RequestServices);
            return;
        }

        AsyncServiceScope scope = services.CreateAsyncScope();
        await using (scope)
        {
            await call(scope.ServiceProvider);
        }
    }
}
