using Microsoft.AspNetCore.Http;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Protocols.FileId;

namespace ResumableUploads.Hosting;

/// <summary>Handles requests to the upload path, to uploads below it, and to the status path. Passes all others on unchanged.</summary>
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

        // The app may have its own /status: a request without a file id is passed on.
        if (_statusPath.HasValue && request.Path.Equals(_statusPath))
        {
            return request.Headers.ContainsKey(FileIdHeaders.FileId) && !UploadRequestClassifier.IsCorsPreflight(request)
                ? _dispatcher.HandleAsync(context, UploadUrl.ForPath(_uploadPath, request), onStatusPath: true)
                : _next(context);
        }

        if (request.Path.StartsWithSegments(_uploadPath, out PathString rest))
        {
            // The app, or another instance of this middleware, may have other URLs below the path: only those that look like an upload are handled.
            bool isUploadRequest = !rest.HasValue || rest.Value == "/" || UploadUrl.IsId(rest.Value.AsSpan(1).TrimEnd('/'));
            return isUploadRequest && !UploadRequestClassifier.IsCorsPreflight(request)
                ? _dispatcher.HandleAsync(context, UploadUrl.ForPath(_uploadPath, rest))
                : _next(context);
        }

        return _next(context);
    }
}
