using Microsoft.AspNetCore.Http;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Protocols.FileId;

namespace ResumableUploads.Hosting;

/// <summary>Takes requests to the two paths, and to uploads below the first; every other goes on untouched.</summary>
internal sealed class ResumableUploadMiddleware
{
    private readonly RequestDelegate _next;
    private readonly UploadRequestDispatcher _dispatcher;
    private readonly PathString _uploadPath;
    private readonly PathString _statusPath;

    public ResumableUploadMiddleware(RequestDelegate next, UploadRequestDispatcher dispatcher, ResumableUploadOptions options)
    {
        _next = next;
        _dispatcher = dispatcher;
        _uploadPath = options.UploadPath.TrimEnd('/');
        _statusPath = options.StatusPath?.TrimEnd('/');
    }

    public Task InvokeAsync(HttpContext context)
    {
        HttpRequest request = context.Request;

        // Other pages may live at /status: without a file id it is not ours.
        if (_statusPath.HasValue && request.Path.Equals(_statusPath))
        {
            return request.Headers.ContainsKey(FileIdHeaders.FileId) && !UploadRequestClassifier.IsCorsPreflight(request)
                ? _dispatcher.HandleAsync(context, UploadUrl.ForPath(_uploadPath, request), onStatusPath: true)
                : _next(context);
        }

        if (request.Path.StartsWithSegments(_uploadPath, out PathString rest))
        {
            // Other pages may live below: there only what looks like an upload is ours.
            bool isOurs = !rest.HasValue || rest.Value == "/" || UploadUrl.IsId(rest.Value.AsSpan(1).TrimEnd('/')) || UploadRequestClassifier.Classify(request) is UploadRequestKind.Tus or UploadRequestKind.IetfCreation;
            return isOurs && !UploadRequestClassifier.IsCorsPreflight(request)
                ? _dispatcher.HandleAsync(context, UploadUrl.ForPath(_uploadPath, request))
                : _next(context);
        }

        return _next(context);
    }
}
