using Microsoft.AspNetCore.Http;
using ResumableUploads.Protocols.FileId;

namespace ResumableUploads;

/// <summary>Takes requests to the two paths, and to uploads below the first; every other goes on untouched.</summary>
internal sealed class ResumableUploadMiddleware
{
    private readonly RequestDelegate _next;
    private readonly UploadEndpoint _endpoint;
    private readonly PathString _uploadPath;
    private readonly PathString _statusPath;

    public ResumableUploadMiddleware(RequestDelegate next, UploadEndpoint endpoint, ResumableUploadOptions options)
    {
        _next = next;
        _endpoint = endpoint;
        _uploadPath = options.UploadPath.TrimEnd('/');
        _statusPath = options.StatusPath?.TrimEnd('/');
    }

    public Task InvokeAsync(HttpContext context)
    {
        HttpRequest request = context.Request;

        // Other pages may live at /status: without a file id it is not ours.
        if (_statusPath.HasValue && request.Path.Equals(_statusPath))
        {
            return request.Headers.ContainsKey(FileIdHeaders.FileId) && !ProtocolOf.IsPreflight(request)
                ? _endpoint.HandleAsync(context, UploadUrl.Below(_uploadPath, request), onStatusPath: true)
                : _next(context);
        }

        if (request.Path.StartsWithSegments(_uploadPath, out PathString rest))
        {
            // Other pages may live below: there only what looks like an upload is ours.
            bool isOurs = !rest.HasValue || rest.Value == "/" || UploadUrl.IsId(rest.Value.AsSpan(1).TrimEnd('/')) || ProtocolOf.Of(request) is UploadProtocol.Tus or UploadProtocol.Ietf;
            return isOurs && !ProtocolOf.IsPreflight(request)
                ? _endpoint.HandleAsync(context, UploadUrl.Below(_uploadPath, request))
                : _next(context);
        }

        return _next(context);
    }
}
