using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Endpoints.Execution;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Events;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Hosting.Proxies;
using ResumableUploads.Hosting.Requests.Bodies;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Requests;

/// <summary>Runs appends with the events, or the endpoint, that handle a completed upload.</summary>
internal sealed class AppendRunner(
    UploadEngine engine, UploadEventHandlers events, IServiceProvider services, EndpointExecutionServices endpointServices)
{
    private readonly UploadLimits _limits = new(endpointServices.Options);

    /// <summary>Gets or sets the detector of proxies that buffer requests, or <see langword="null"/> for none.</summary>
    public BufferingProxyDetector? BufferingProxies { get; set; }

    /// <summary>
    /// Appends the body of a request and runs the completion handler if the upload is then complete. Returns <see langword="null"/> if the endpoint
    /// has already sent the response.
    /// </summary>
    public async ValueTask<HttpResponseData?> AppendAsync(UploadRequest request, AppendCommand command, Func<UploadResult, HttpResponseData> createResponse)
    {
        CreateCommand? create = command.CreateIfMissing;
        command = BufferingProxies?.Watch(request.Context.Request, command) ?? command;
        Complete(command, request);
        if (request.Ticket is { } ticket)
        {
            command = ticket.Restrict(command, _limits.GetMaxUploadSize(request.Target));
            if (create is not null && command.Offset == 0 && ticket.CheckContentType(create.ContentType) is { } rejection)
            {
                return createResponse(new UploadResult(UploadResultKind.Rejected) { Rejection = rejection });
            }
        }

        (IUploadCallbacks callbacks, EndpointExecutor? executor) = CreateCallbacks(
            request, request.Target is null ? null : BindResponse(createResponse, command.MaxBodyLength));
        UploadResult result = await engine.AppendAsync(command, callbacks, request.Aborted);
        if (result.Kind == UploadResultKind.Preempted)
        {
            WatchNextAppend(request, command.Key);
        }

        executor?.AbortIfNotCompleted(result);
        if (executor is { HasSentResponse: true })
        {
            return null;
        }

        HttpResponseData response = CreateResponse(result, createResponse, command.MaxBodyLength);
        executor?.AddUnstoredHeaders(result, response);
        return response;
    }

    /// <summary>
    /// Completes an upload that has all its bytes or parts, like an empty append at its end. The response of the endpoint is stored and not sent. Returns
    /// <see langword="null"/> if the upload is a part, waits for bytes or parts, or was created by a different request.
    /// </summary>
    public ValueTask<UploadResult?> TryCompleteAsync(UploadRequest request, UploadInfo info)
    {
        var command = new AppendCommand
        {
            Key = info.Key,
            Origin = request.Origin,
            Network = ClientNetwork.Get(request.Context, info.Key.Owner),
            Offset = info.Offset,
            Body = PipeReader.Create(ReadOnlySequence<byte>.Empty),
            BodyLength = 0,
            CompletionRule = CompletionRule.AtLength,
            MatchesCreationRequest = GetCreationMatcher(request),
            Permit = request.Permit,
        };
        return engine.TryCompleteAsync(info, command, CreateDetachedCallbacks(request), request.Aborted);
    }

    /// <summary>Gets a function that compares a request with the one that created an upload, or <see langword="null"/> on a ready-made path.</summary>
    public Func<StoredRequest, bool>? GetCreationMatcher(UploadRequest request) => request.Target is null ? null : CreateCreationMatcher(request.Context.Request);

    /// <summary>
    /// Creates callbacks for an upload that completes in a request about another upload. The response of the endpoint is stored and not sent.
    /// </summary>
    public IUploadCallbacks CreateDetachedCallbacks(UploadRequest request) => CreateCallbacks(request, createResponse: null).Callbacks;

    /// <summary>Adds to a command what is the same in all protocols.</summary>
    private void Complete(AppendCommand command, UploadRequest request)
    {
        CreateCommand? create = command.CreateIfMissing;
        long? contentLimit = create is null || command.Offset > 0 ? null : _limits.GetBufferedContentLimit(request, create.ContentType);
        command.Origin = request.Origin;
        command.Connection = ConnectionReader.Get(request.Context, command.Body);
        command.Network = ClientNetwork.Get(request.Context, command.Key.Owner);
        command.MaxUploadSize = request.Target is null ? null : Math.Min(_limits.GetMaxUploadSize(request.Target), contentLimit ?? long.MaxValue);
        command.MatchesCreationRequest = GetCreationMatcher(request);
        command.RequestedDigestAlgorithm = DigestHeaders.GetPreferred(request.Context.Request.Headers[DigestHeaders.WantReprDigest]);
        command.Permit = request.Permit;
        if (create is not null)
        {
            create.MaxUploadSize = contentLimit;
            create.EngineName = request.Target?.Route.EngineName;
        }
    }

    private static HttpResponseData CreateResponse(UploadResult result, Func<UploadResult, HttpResponseData> createResponse, long? maxBodyLength) =>
        createResponse(maxBodyLength is null ? result : result with { MaxBodyLength = maxBodyLength })
            .WithHeader(DigestHeaders.ReprDigest, result.ReprDigest)
            .WithHeader(CommonHeaders.UploadResponse, result.IsResponseLost ? CommonHeaders.LostResponse : null);

    // A method that contains a lambda allocates its closure on entry, so these are called only if they are needed.
    private static Func<UploadResult, HttpResponseData> BindResponse(Func<UploadResult, HttpResponseData> createResponse, long? maxBodyLength) =>
        result => CreateResponse(result, createResponse, maxBodyLength);

    private Func<StoredRequest, bool> CreateCreationMatcher(HttpRequest request) => first => endpointServices.CreationRequests.Matches(request, first);

    private void WatchNextAppend(UploadRequest request, UploadKey key) => request.IsContinuedByAnother = () => engine.IsAppending(key);

    private (IUploadCallbacks Callbacks, EndpointExecutor? Executor) CreateCallbacks(UploadRequest request, Func<UploadResult, HttpResponseData>? createResponse)
    {
        var callbacks = new EventUploadCallbacks(events, endpointServices.Store, services, request);
        return request.Target is { } target ? CreateCallbacks(callbacks, request, target, createResponse) : (callbacks, null);
    }

    private (IUploadCallbacks Callbacks, EndpointExecutor? Executor) CreateCallbacks(
        EventUploadCallbacks callbacks, UploadRequest request, EndpointTarget target, Func<UploadResult, HttpResponseData>? createResponse)
    {
        var executor = new EndpointExecutor(request, target, endpointServices, createResponse);
        return (new EndpointUploadCallbacks(callbacks, executor, request, target, () => CreateDetachedCallbacks(request)), executor);
    }
}
