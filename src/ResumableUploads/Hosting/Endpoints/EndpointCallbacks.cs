using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads;

/// <summary>What the engine asks of the app, where an endpoint takes the place of <c>OnCompleted</c>.</summary>
internal sealed class EndpointCallbacks(UploadCallbacks events, EndpointRun run, HttpContext context, EndpointTarget target) : IUploadCallbacks
{
    public bool HasHandler => true;

    public bool HasProgress => events.HasProgress;

    /// <summary>What would be said against the plain request, without a look at its body, is said before a byte of it is taken.</summary>
    public async ValueTask<CreationVerdict> CreatingAsync(UploadKey key, UploadDetails details, long? length, CancellationToken cancellationToken)
    {
        Endpoint endpoint = target.Route.Original;

        // As the framework's routing decides it: no content type is left to the endpoint.
        if (details.ContentType is { } type && target.Route.FitOf(type) == ContentTypeFit.None)
        {
            string accepted = string.Join(", ", endpoint.Metadata.GetMetadata<IAcceptsMetadata>()!.ContentTypes);
            return new CreationVerdict(new Refusal(StatusCodes.Status415UnsupportedMediaType, $"This endpoint takes {accepted}."), null);
        }

        if (AntiforgeryGuard.IsRequired(endpoint) && !await AntiforgeryGuard.MayBeginAsync(context).ConfigureAwait(false))
        {
            return new CreationVerdict(
                new Refusal(StatusCodes.Status400BadRequest, "The antiforgery token is missing, or is not the one of this user and this cookie."), null);
        }

        return await events.CreatingAsync(key, details, length, cancellationToken).ConfigureAwait(false);
    }

    public ValueTask ProgressAsync(UploadKey key, UploadData data, long offset, long? length, CancellationToken cancellationToken) =>
        events.ProgressAsync(key, data, offset, length, cancellationToken);

    public ValueTask<HandlerResult> CompleteAsync(
        UploadInfo info, UploadData data, Func<ReadOnlyMemory<byte>, ValueTask> keep, CancellationToken cancellationToken) =>
        run.RunAsync(info, data, keep, cancellationToken);

    public ValueTask ParkedAsync(UploadInfo info, UploadData data, CancellationToken cancellationToken) =>
        events.ParkedAsync(info, data, cancellationToken);

    public ValueTask ExpiredAsync(UploadInfo info, UploadData data, CancellationToken cancellationToken) =>
        events.ExpiredAsync(info, data, cancellationToken);
}
