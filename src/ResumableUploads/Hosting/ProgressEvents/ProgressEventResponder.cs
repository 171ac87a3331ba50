using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Management;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.ProgressEvents;

/// <summary>
/// Responds to the owner of an upload who follows its progress. Reads the store as an operator does: takes no upload lock of the engine and preempts no append,
/// in contrast to a status request.
/// </summary>
/// <param name="isEnabled">Whether uploads can be followed.</param>
/// <param name="inspector">Reads the uploads.</param>
/// <param name="followers">The followers in the process.</param>
/// <param name="time">The time provider.</param>
/// <param name="logger">The logger.</param>
/// <param name="stopping">The token that is canceled when the server stops.</param>
internal sealed class ProgressEventResponder(
    bool isEnabled, UploadInspector inspector, ProgressFollowers followers, TimeProvider time, ILogger logger, CancellationToken stopping)
{
    /// <summary>The query parameter that has the file id, because <c>EventSource</c> cannot send headers.</summary>
    public const string FileIdParameterName = "file-id";

    /// <summary>The duration of a connection. The client then opens another one, which is authorized again.</summary>
    public static readonly TimeSpan MaxDuration = TimeSpan.FromMinutes(10);

    private const string LastEventIdHeader = "Last-Event-ID";
    private const string EventStreamType = "text/event-stream";

    private static readonly Problem TooManyOfOwner = new(429, Problem.CustomType("too-many-followers"), "Too many clients follow uploads",
        "Close other connections that follow uploads, then retry.");

    private static readonly Problem TooManyInProcess = new(503, Problem.CustomType("too-many-followers"), TooManyOfOwner.Title,
        "Retry later, or request the status instead.");

    /// <summary>Returns whether a request follows the upload in its query if its endpoint is a ready-made one.</summary>
    public static bool HasFileIdInQuery(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) && AcceptsEventStream(request) && request.Query.ContainsKey(FileIdParameterName);

    /// <summary>Returns whether a request follows an upload: a GET request that accepts an event stream, if the option is set.</summary>
    public bool IsRequested(UploadRequest request) =>
        isEnabled && HttpMethods.IsGet(request.Context.Request.Method) && AcceptsEventStream(request.Context.Request);

    /// <summary>
    /// Gets the file id in the query of a request that follows an upload of a ready-made endpoint. The query of an endpoint of the app is not read, because the
    /// app defines its parameters.
    /// </summary>
    public bool TryGetFileIdInQuery(UploadRequest request, out StringValues id)
    {
        id = default;
        return IsRequested(request) && request.Target is null && request.Context.Request.Query.TryGetValue(FileIdParameterName, out id);
    }

    /// <summary>Writes the events of an upload as the response.</summary>
    /// <param name="request">The request, whose owner is that of the key.</param>
    /// <param name="key">The upload.</param>
    /// <param name="matchesCreationRequest">The function of <see cref="AppendCommand.MatchesCreationRequest"/>.</param>
    /// <param name="notFound">The response of the protocol if the upload does not exist for the client.</param>
    /// <returns>The response, or <see langword="null"/> if it was written.</returns>
    /// <exception cref="UploadStoreException">The store failed before the first event.</exception>
    public async ValueTask<HttpResponseData?> FollowAsync(
        UploadRequest request, UploadKey key, Func<StoredRequest, bool>? matchesCreationRequest, HttpResponseData notFound)
    {
        HttpContext context = request.Context;
        ValueTask<ProgressEvent?> ReadCurrentAsync(CancellationToken cancellationToken) => ReadAsync(key, matchesCreationRequest, cancellationToken);
        if (await ReadCurrentAsync(request.Aborted) is not { } first)
        {
            return notFound;
        }

        if (first.IsLast && context.Request.Headers[LastEventIdHeader] == first.Id)
        {
            // The client has the last event. It does not connect again after this status.
            return new HttpResponseData(StatusCodes.Status204NoContent) { Headers = [new("Cache-Control", "no-store")] };
        }

        // Only requests for uploads that exist for the client count, so that others cannot use up the limits.
        FollowerLimit limit = followers.TryAdd(key, ClientNetwork.GetIfAnonymous(context, key.Owner), out IDisposable? follower);
        if (follower is null)
        {
            return (limit == FollowerLimit.Process ? TooManyInProcess : TooManyOfOwner).ToResponse(new KeyValuePair<string, string>("Retry-After", "5"));
        }

        using (follower)
        {
            await WriteAsync(context, new ProgressEventStream(context, ReadCurrentAsync, time, logger), first);
            return null;
        }
    }

    private async Task WriteAsync(HttpContext context, ProgressEventStream stream, ProgressEvent first)
    {
        using var timeLimit = new CancellationTokenSource(MaxDuration, time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping, timeLimit.Token);
        try
        {
            await stream.WriteAsync(first, ending.Token);
        }
        catch (Exception e) when (e is IOException || ending.IsCancellationRequested)
        {
            // The client has disconnected, which some servers report by an IOException first, the server is stopping, or the client connects again to be
            // authorized.
        }
    }

    /// <exception cref="UploadStoreException">The store failed, or the record cannot be read, for example because a newer version wrote it.</exception>
    private async ValueTask<ProgressEvent?> ReadAsync(UploadKey key, Func<StoredRequest, bool>? matchesCreationRequest, CancellationToken cancellationToken) =>
        await inspector.GetAsync(key, cancellationToken) is { } info
        && EngineRecord.From(info).AllowsAccess(matchesCreationRequest)
        && inspector.TryDescribe(info) is { } description
            ? ProgressEvent.From(new ManagedUpload("", info, description))
            : null;

    /// <summary>Returns whether a client names the type of an event stream. A wildcard does not count, because every browser sends one.</summary>
    private static bool AcceptsEventStream(HttpRequest request) =>
        MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out IList<MediaTypeHeaderValue>? types)
        && types.Any(static type => type.MediaType.Equals(EventStreamType, StringComparison.OrdinalIgnoreCase) && type.Quality is not 0);
}
