using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.FileId;
using ResumableUploads.Protocols.Ietf;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.Hosting.Requests;

/// <summary>Takes a request to those who speak its protocol, and writes what they answer.</summary>
internal sealed class UploadRequestDispatcher(UploadRequestServices services, CancellationToken stopping)
{
    private readonly FileIdRequestHandler _fileId = new(services);
    private readonly TusRequestHandler _tus = new(services);
    private readonly IetfRequestHandler _ietf = new(services);

    /// <summary>Takes a request to a ready-made endpoint.</summary>
    /// <param name="context">The request.</param>
    /// <param name="url">What it was sent to.</param>
    /// <param name="onStatusPath">Whether that is the path where only the status is asked.</param>
    public Task HandleAsync(HttpContext context, UploadUrl url, bool onStatusPath = false) => HandleAsync(context, url, onStatusPath, target: null);

    /// <summary>Takes a piece for an endpoint of the app, or a question about one.</summary>
    public Task HandleAsync(HttpContext context, EndpointTarget target) =>
        HandleAsync(context, UploadUrl.ForEndpoint(context.Request), onStatusPath: false, target);

    private async Task HandleAsync(HttpContext context, UploadUrl url, bool onStatusPath, EndpointTarget? target)
    {
        // Before anything is refused: with the server's limits a large body could not be drained, and nobody would read the refusal.
        DisableServerLimits(context);
        ExpectContinueBodyReader.Install(context);
        if (await GetResponseAsync(context, url, onStatusPath, target) is { } response)
        {
            await ResponseWriter.WriteAsync(context, response, stopping);
        }
    }

    private async ValueTask<HttpResponseData?> GetResponseAsync(HttpContext context, UploadUrl url, bool onStatusPath, EndpointTarget? target)
    {
        IHeaderDictionary headers = context.Request.Headers;
        if (!onStatusPath && headers.ContainsKey(TusHeaders.Resumable))
        {
            return await _tus.HandleAsync(context, url, target);
        }

        if (HttpMethods.IsOptions(context.Request.Method))
        {
            return CreateDiscoveryResponse(context, url, onStatusPath, target);
        }

        if (onStatusPath || (!url.IsUpload && (headers.ContainsKey(FileIdHeaders.FileId) || !IetfHeaders.ArePresent(headers))))
        {
            return await _fileId.HandleAsync(context, url, onStatusPath, target);
        }

        // An upload has the protocol that made it. A request to one that says nothing of its own is told by that (T-2, R-115).
        return url.IsUpload && !IetfHeaders.ArePresent(headers) && await _tus.HasUploadAsync(context, url)
            ? await _tus.HandleAsync(context, url, target)
            : await _ietf.HandleAsync(context, url, target);
    }

    /// <summary>What can be done here, in the words of every protocol. With 200, as clients of the IETF draft want it .</summary>
    private HttpResponseData CreateDiscoveryResponse(HttpContext context, UploadUrl url, bool onStatusPath, EndpointTarget? target) => new(200)
    {
        Headers =
        [
            new("Allow", url.IsUpload ? IetfParser.GetAllowHeader(isUpload: true, IetfVersion.Latest) : FileIdParser.GetAllowHeader(onStatusPath)),
            new("Cache-Control", "no-store"),
            .. onStatusPath ? [] : _tus.GetSupport(target).Headers,
            .. onStatusPath ? [] : _ietf.GetSupportHeaders(context, target),
        ],
    };

    /// <summary>
    /// The engine's own limits take the place of Kestrel's: what an upload may still take instead of 30 MB a request, and the idle timeout and
    /// lowest rate instead of 240 bytes a second. (On HTTP/2 null is the only rate that Kestrel lets one set.)
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
