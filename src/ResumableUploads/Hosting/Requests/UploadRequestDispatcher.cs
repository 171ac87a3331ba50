using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Requests.Bodies;
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

    /// <summary>Handles a request to a ready-made path.</summary>
    /// <param name="context">The request.</param>
    /// <param name="url">The URL that it was sent to.</param>
    /// <param name="onStatusPath">Whether that is the status path.</param>
    public Task HandleAsync(HttpContext context, UploadUrl url, bool onStatusPath = false) =>
        HandleAsync(new UploadRequest(context, url, Target: null, onStatusPath));

    /// <summary>Handles a request to one of the app's endpoints.</summary>
    public Task HandleAsync(HttpContext context, EndpointTarget target) =>
        HandleAsync(new UploadRequest(context, UploadUrl.ForEndpoint(context.Request), target));

    /// <summary>Looks for the upload that a request is about among those of an endpoint.</summary>
    public async ValueTask<UploadLookupResult> LookUpAsync(HttpContext context, EndpointTarget target)
    {
        var request = new UploadRequest(context, UploadUrl.ForEndpoint(context.Request), target);
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
    public Task HandleStoreFailureAsync(HttpContext context)
    {
        DisableServerLimits(context);
        return ResponseWriter.WriteAsync(context, CreateStoreFailureResponse(context), stopping);
    }

    private async Task HandleAsync(UploadRequest request)
    {
        // Before the request can be rejected: under the server's limits a large body could not be drained, and the client would not read the response.
        DisableServerLimits(request.Context);
        ExpectContinueBodyReader.Install(request.Context);
        if (await GetResponseAsync(request) is { } response)
        {
            await ResponseWriter.WriteAsync(request.Context, response, stopping);
        }
    }

    private async ValueTask<HttpResponseData?> GetResponseAsync(UploadRequest request)
    {
        (UploadUrl url, bool onStatusPath, IHeaderDictionary headers) = (request.Url, request.IsOnStatusPath, request.Context.Request.Headers);
        if (!onStatusPath && headers.ContainsKey(TusHeaders.Resumable))
        {
            return await _tus.HandleAsync(request);
        }

        if (HttpMethods.IsOptions(request.Context.Request.Method))
        {
            return CreateDiscoveryResponse(request);
        }

        if (onStatusPath || (!url.IsUpload && (headers.ContainsKey(FileIdHeaders.FileId) || !IetfHeaders.ArePresent(headers))))
        {
            return await _fileId.HandleAsync(request);
        }

        try
        {
            // A request to an upload without the headers of a protocol uses the protocol that created the upload.
            return url.IsUpload && !IetfHeaders.ArePresent(headers) && await _tus.FindUploadAsync(request) is not null
                ? await _tus.HandleAsync(request)
                : await _ietf.HandleAsync(request);
        }
        catch (UploadStoreException)
        {
            return CreateStoreFailureResponse(request.Context);
        }
    }

    private static HttpResponseData CreateStoreFailureResponse(HttpContext context)
    {
        var failed = new UploadResult(UploadResultKind.StorageFailed);
        return context.Request.Headers.ContainsKey(TusHeaders.Resumable) ? TusResponses.For(failed) : FileIdResponses.For(failed);
    }

    /// <summary>Announces the capabilities of every protocol. The status is 200 because URLSession does not accept 204.</summary>
    private HttpResponseData CreateDiscoveryResponse(UploadRequest request) => new(StatusCodes.Status200OK)
    {
        Headers =
        [
            new("Allow", request.Url.IsUpload
                ? IetfParser.GetAllowHeader(isUpload: true, IetfVersion.Latest)
                : FileIdParser.GetAllowHeader(request.IsOnStatusPath)),
            new("Cache-Control", "no-store"),
            .. request.IsOnStatusPath ? [] : _tus.GetCapabilities(request.Target).Headers,
            .. request.IsOnStatusPath ? [] : _ietf.GetSupportHeaders(request),
        ],
    };

    /// <summary>
    /// Disables Kestrel's limits (30 MB per request, 240 bytes per second), because the engine has its own: the remaining size of the upload, the idle
    /// timeout and the minimum data rate. On HTTP/2, Kestrel only accepts <see langword="null"/> as a data rate.
    /// </summary>
    private static void DisableServerLimits(HttpContext context)
    {
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
