using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Protocols;

namespace ResumableUploads;

/// <summary>Calls the app's events for the engine: with the scope of a request, or with one made for each call.</summary>
internal sealed class UploadCallbacks(UploadEventHandlers events, IUploadStore store, IServiceProvider services, HttpContext? context)
    : IUploadCallbacks
{
    public bool HasHandler => events.OnCompleted is not null;

    public bool HasProgress => events.OnProgress is not null;

    public async ValueTask<CreationVerdict> CreatingAsync(UploadKey key, UploadDetails details, long? length, CancellationToken cancellationToken)
    {
        if (events.OnCreating is not { } handler || context is null)
        {
            return default;
        }

        var args = new UploadCreating(key, details, length, context);
        await handler(args, cancellationToken).ConfigureAwait(false);
        return new CreationVerdict(args.Refusal, args.ChosenFileName);
    }

    public ValueTask ProgressAsync(UploadKey key, UploadData data, long offset, long? length, CancellationToken cancellationToken) =>
        InScopeAsync(scope => events.OnProgress!(new UploadProgress(key, data, offset, length, scope), cancellationToken));

    public async ValueTask<HandlerResult> CompleteAsync(
        UploadInfo info, UploadData data, Func<ReadOnlyMemory<byte>, ValueTask> keep, CancellationToken cancellationToken)
    {
        UploadAnswer? answer = null;
        await InScopeAsync(async scope =>
        {
            var args = new CompletedUpload(store, info, data, scope);
            await events.OnCompleted!(args, cancellationToken).ConfigureAwait(false);
            answer = args.Answer;
        }).ConfigureAwait(false);
        return answer is null
            ? new HandlerResult(HandlerVerdict.Final, null)
            : new HandlerResult(
                StoredAnswer.IsFinal(answer.StatusCode) ? HandlerVerdict.Final : HandlerVerdict.TryAgain,
                new StoredAnswer(answer.StatusCode, answer.ContentType, answer.Body).ToBytes());
    }

    public async ValueTask ParkedAsync(UploadInfo info, UploadData data, CancellationToken cancellationToken)
    {
        if (events.OnDeadLettered is { } handler)
        {
            await InScopeAsync(scope => handler(new UploadParked(store, info, data, scope), cancellationToken)).ConfigureAwait(false);
        }
    }

    public async ValueTask ExpiredAsync(UploadInfo info, UploadData data, CancellationToken cancellationToken)
    {
        if (events.OnExpired is { } handler)
        {
            await InScopeAsync(scope => handler(new UploadExpired(info, data, scope), cancellationToken)).ConfigureAwait(false);
        }
    }

    private async ValueTask InScopeAsync(Func<IServiceProvider, Task> call)
    {
        if (context is not null)
        {
            await call(context.RequestServices).ConfigureAwait(false);
            return;
        }

        AsyncServiceScope scope = services.CreateAsyncScope();
        await using (scope.ConfigureAwait(false))
        {
            await call(scope.ServiceProvider).ConfigureAwait(false);
        }
    }
}
