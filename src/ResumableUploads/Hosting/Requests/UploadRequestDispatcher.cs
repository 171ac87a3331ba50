using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Caching;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Requests.Bodies;
using ResumableUploads.Hosting.Requests.Responses;
using ResumableUploads.Hosting.Tickets;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.FileId;
using ResumableUploads.Protocols.Ietf;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.Hosting.Requests;

/// <summary>Selects the handler of the protocol that a request uses, and writes the response.</summary>
internal sealed class UploadRequestDispatcher(UploadRequestServices services, CancellationToken stopping)
{
    private readonly FileIdRequestHandler _fileId = new(services);
    private readonly TusRequestHandler _tus = new(services);
    private readonly IetfRequestHandler _ietf = new(services);
    private readonly string? _appendLimit = IetfLimits.FormatMaxAppendSize(services.Options.Limits.MaxAppendSize);

    /// <summary>Handles a request to a ready-made path.</summary>
    /// <param name="context">The request.</param>
    /// <param name="url">The URL that it was sent to.</param>
    /// <param name="onStatusPath">Whether that is the status path.</param>
    public Task HandleAsync(HttpContext context, UploadUrl url, bool onStatusPath = false) =>
        HandleAsync(new UploadRequest(context, url, Target: null, onStatusPath));

    /// <summary>Handles a request to one of the app's endpoints.</summary>
    public Task HandleAsync(HttpContext context, EndpointTarget target) =>
        HandleAsync(new UploadRequest(context, UploadUrl.ForEndpoint(context.Request, target.Route.Tag), target));

    /// <summary>Looks for the upload that a request is about among those of an endpoint.</summary>
    public async ValueTask<UploadLookupResult> LookUpAsync(HttpContext context, EndpointTarget target)
    {
        var request = new UploadRequest(context, UploadUrl.ForEndpoint(context.Request, target.Route.Tag), target);
        services.Tickets.Read(request);
        try
        {
            UploadInfo? info = request.Url.IsUpload
                ? await _tus.FindUploadAsync(request) ?? await _ietf.FindUploadAsync(request)
                : await _fileId.FindUploadAsync(request);
            return info is null ? UploadLookupResult.NotFound
                : !EngineRecord.AllowsAccess(info, services.Appends.GetCreationMatcher(request)) ? UploadLookupResult.DifferentRequest
                : info.State == UploadState.Receiving ? UploadLookupResult.Receiving
                : UploadLookupResult.Received;
        }
        catch (UploadStoreException)
        {
            return UploadLookupResult.StoreFailed;
        }
    }

    /// <summary>Responds that the store cannot be used. The client retries.</summary>
    public Task HandleStoreFailureAsync(HttpContext context, EndpointTarget target)
    {
        DisableLimitsAndCaching(context);
        var request = new UploadRequest(context, UploadUrl.ForEndpoint(context.Request, target.Route.Tag), target);
        request.Origin = services.GetOrigin(request);
        services.Tickets.Read(request);
        TicketReader.Apply(request);
        HttpResponseData response = CreateStoreFailureResponse(request);
        services.Refusals.Report(request, response);
        return ResponseWriter.WriteAsync(context, response, stopping);
    }

    private async Task HandleAsync(UploadRequest request)
    {
        try
        {
            await RespondAsync(request);
        }
        catch (Exception) when (request.AbandonedEvents.Any)
        {
            // The response of an exception handler could be sent only after the events have ended.
            request.Context.Abort();
            throw;
        }
        finally
        {
            await request.AbandonedEvents.WaitAsync(request.Context, stopping);
        }
    }

    private async Task RespondAsync(UploadRequest request)
    {
        request.Origin = services.GetOrigin(request);
        services.Tickets.Read(request);
        TicketReader.Apply(request);
        if (request.TicketProblem is { } problem)
        {
            // No policy may have been applied to the request, so nothing else is done for it: the limits of the server stay, and the body is not read.
            ExpectContinueBodyReader.Install(request.Context);
            HttpResponseData refusal = CreateTicketResponse(request, problem);
            services.Refusals.Report(request, refusal);
            await ResponseWriter.WriteAsync(request.Context, refusal, stopping, drains: false);
            return;
        }

        // Before the request can be rejected: under the server's limits a large body could not be drained, and the client would not read the response.
        DisableLimitsAndCaching(request.Context);
        ExpectContinueBodyReader.Install(request.Context);
        if (await GetResponseAsync(request) is { } response)
        {
            services.Refusals.Report(request, response);
            request.AbandonedEvents.CloseConnectionAfterResponse(request.Context.Request.Protocol, request.Context.Features.GetRequiredFeature<IHttpResponseFeature>());
            await ResponseWriter.WriteAsync(request.Context, response, stopping, request.IsContinuedByAnother);
        }
    }

    /// <summary>Creates the response to a request whose ticket is refused, whatever else it contains.</summary>
    private HttpResponseData CreateTicketResponse(UploadRequest request, Problem problem)
    {
        IHeaderDictionary headers = request.Context.Request.Headers;
        return headers.ContainsKey(TusHeaders.Resumable) ? _tus.CreateResponse(request, problem)
            : !headers.ContainsKey(FileIdHeaders.FileId) && IetfHeaders.ArePresent(headers) ? _ietf.CreateResponse(request, problem)
            : problem.ToResponse();
    }

    private async ValueTask<HttpResponseData?> GetResponseAsync(UploadRequest request)
    {
        (UploadUrl url, bool onStatusPath, IHeaderDictionary headers) = (request.Url, request.IsOnStatusPath, request.Context.Request.Headers);
        if (!onStatusPath && (headers.ContainsKey(TusHeaders.Resumable) || IsTusCreationWithoutVersion(request)))
        {
            return AddLimit(await _tus.HandleAsync(request));
        }

        if (HttpMethods.IsOptions(request.Context.Request.Method))
        {
            return CreateDiscoveryResponse(request);
        }

        if (onStatusPath || (!url.IsUpload && (headers.ContainsKey(FileIdHeaders.FileId) || !IetfHeaders.ArePresent(headers))))
        {
            return AddLimit(await _fileId.HandleAsync(request));
        }

        try
        {
            // A request to an upload without the headers of a protocol uses the protocol that created the upload.
            return url.IsUpload && !IetfHeaders.ArePresent(headers) && await _tus.FindUploadAsync(request) is not null
                ? AddLimit(await _tus.HandleAsync(request))
                : await _ietf.HandleAsync(request);
        }
        catch (UploadStoreException)
        {
            return CreateStoreFailureResponse(request);
        }
    }

    /// <summary>
    /// Returns whether a request to a ready-made path is a creation of tus whose <c>Tus-Resumable</c> is missing. The response names the missing header. On
    /// endpoints of the app, such a request is one for the app.
    /// </summary>
    private static bool IsTusCreationWithoutVersion(UploadRequest request)
    {
        IHeaderDictionary headers = request.Context.Request.Headers;
        return !request.Url.IsUpload
            && HttpMethods.IsPost(request.Context.Request.Method)
            && (headers.ContainsKey(TusHeaders.Length) || headers.ContainsKey(TusHeaders.DeferLength) || headers.ContainsKey(TusHeaders.Concat))
            && !headers.ContainsKey(FileIdHeaders.FileId)
            && !IetfHeaders.ArePresent(headers);
    }

    /// <summary>Adds the maximum size of a request, which neither tus nor the file-id protocol has a header for.</summary>
    private HttpResponseData? AddLimit(HttpResponseData? response) => response?.WithHeader(IetfHeaders.Limit, _appendLimit);

    private static HttpResponseData CreateStoreFailureResponse(UploadRequest request)
    {
        var failed = new UploadResult(UploadResultKind.StorageFailed);
        return !request.Context.Request.Headers.ContainsKey(TusHeaders.Resumable) ? FileIdResponses.For(failed)
            : HttpMethods.IsHead(request.Method) || HttpMethods.IsGet(request.Method) ? TusResponses.ForFailedStatus(failed)
            : TusResponses.For(failed);
    }

    /// <summary>Announces the capabilities of every protocol. The status is 200 because URLSession does not accept 204.</summary>
    private HttpResponseData CreateDiscoveryResponse(UploadRequest request) => new(StatusCodes.Status200OK)
    {
        Headers =
        [
            new("Allow", request.Url.IsUpload
                ? IetfParser.GetAllowHeader(isUpload: true)
                : FileIdParser.GetAllowHeader(request.IsOnStatusPath)),
            new("Cache-Control", "no-store"),
            .. request.IsOnStatusPath ? [] : (IEnumerable<KeyValuePair<string, string>>)
            [
                // Clients of tus omit the header in this request, and some expect it in the response.
                new(TusHeaders.Resumable, TusHeaders.ProtocolVersion),
                .. _tus.GetCapabilities(request.Target).Headers,
            ],
            .. request.IsOnStatusPath ? [] : _ietf.GetSupportHeaders(request),
        ],
    };

    /// <summary>
    /// Disables Kestrel's limits (30 MB per request, 240 bytes per second), because the engine has its own: the remaining size of the upload, the idle
    /// timeout and the minimum data rate. On HTTP/2, Kestrel only accepts <see langword="null"/> as a data rate. The request timeout of the app is disabled as
    /// well, because a chunk can take long on a slow connection. No cache of the app stores the response, which is meant for one client.
    /// </summary>
    private static void DisableLimitsAndCaching(HttpContext context)
    {
        UploadOutputCachePolicy.DisableStorage(context);
        context.Features.Get<IHttpRequestTimeoutFeature>()?.DisableTimeout();
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }
    }
}
