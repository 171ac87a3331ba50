using System.Buffers;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Endpoints.Execution;
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
        long? contentLimit = create is null || command.Offset > 0 ? null : _limits.GetBufferedContentLimit(request, create.ContentType);
        command = (BufferingProxies?.Watch(request.Context.Request, command) ?? command) with
        {
            Origin = request.Origin,
            Connection = ConnectionReader.Get(request.Context, command.Body),
            Network = ClientNetwork.Get(request.Context, command.Key.Owner),
            MaxUploadSize = request.Target is null ? null : Math.Min(_limits.GetMaxUploadSize(request.Target), contentLimit ?? long.MaxValue),
            CreateIfMissing = create is null ? null : create with { MaxUploadSize = contentLimit, EngineName = request.Target?.Route.EngineName },
            MatchesCreationRequest = GetCreationMatcher(request),
            RequestedDigestAlgorithm = DigestHeaders.GetPreferred(request.Context.Request.Headers[DigestHeaders.WantReprDigest]),
            Permit = request.Permit,
        };
        if (request.Ticket is { } ticket)
        {
            command = ticket.Restrict(command, _limits.GetMaxUploadSize(request.Target));
            if (create is not null && command.Offset == 0 && ticket.CheckContentType(create.ContentType) is { } rejection)
            {
                return createResponse(new UploadResult(UploadResultKind.Rejected) { Rejection = rejection });
            }
        }

        HttpResponseData CreateResponse(UploadResult result) => createResponse(command.MaxBodyLength is null ? result : result with { MaxBodyLength = command.MaxBodyLength }).WithHeader(DigestHeaders.ReprDigest, result.ReprDigest)
            .WithHeader(CommonHeaders.UploadResponse, result.IsResponseLost ? CommonHeaders.LostResponse : null);
        (IUploadCallbacks callbacks, EndpointExecutor? executor) = CreateCallbacks(request, CreateResponse);
        UploadResult result = await engine.AppendAsync(command, callbacks, request.Aborted);
        if (result.Kind == UploadResultKind.Preempted)
        {
            request.IsContinuedByAnother = () => engine.IsAppending(command.Key);
        }

        executor?.AbortIfNotCompleted(result);
        if (executor is { HasSentResponse: true })
        {
            return null;
        }

        HttpResponseData response = CreateResponse(result);
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
    public Func<StoredRequest, bool>? GetCreationMatcher(UploadRequest request) =>
        request.Target is null ? null : first => endpointServices.CreationRequests.Matches(request.Context.Request, first);

    /// <summary>
    /// Creates callbacks for an upload that completes in a request about another upload. The response of the endpoint is stored and not sent.
    /// </summary>
    public IUploadCallbacks CreateDetachedCallbacks(UploadRequest request) => CreateCallbacks(request, createResponse: null).Callbacks;

    private (IUploadCallbacks Callbacks, EndpointExecutor? Executor) CreateCallbacks(UploadRequest request, Func<UploadResult, HttpResponseData>? createResponse)
    {
        var callbacks = new EventUploadCallbacks(events, endpointServices.Store, services, request);
        if (request.Target is not { } target)
        {
            return (callbacks, null);
        }

        var executor = new EndpointExecutor(request, target, endpointServices, createResponse);
        return (new EndpointUploadCallbacks(callbacks, executor, request, target, () => CreateDetachedCallbacks(request)), executor);
    }
}
