using Microsoft.AspNetCore.Http;

namespace ResumableUploads;

/// <summary>Takes requests to the two paths; every other goes on untouched.</summary>
internal sealed class ResumableUploadMiddleware
{
    private readonly RequestDelegate _next;
    private readonly UploadEndpoint _endpoint;
    private readonly PathString _uploadPath;
    private readonly PathString _uploadPathSlash;
    private readonly PathString _statusPath;

    public ResumableUploadMiddleware(RequestDelegate next, UploadEndpoint endpoint, ResumableUploadOptions options)
    {
        _next = next;
        _endpoint = endpoint;
        _uploadPath = options.UploadPath.TrimEnd('/');
        _uploadPathSlash = _uploadPath + "/";
        _statusPath = options.StatusPath?.TrimEnd('/');
    }

    public Task InvokeAsync(HttpContext context)
    {
        PathString path = context.Request.Path;
        if (path.Equals(_uploadPath) || path.Equals(_uploadPathSlash))
        {
            return UploadEndpoint.IsPreflight(context.Request) ? _next(context) : _endpoint.HandleAsync(context, onStatusPath: false);
        }

        // Other pages may live at /status: without a file id it is not ours.
        return _statusPath.HasValue && path.Equals(_statusPath) && UploadEndpoint.IsOurs(context.Request)
            ? _endpoint.HandleAsync(context, onStatusPath: true)
            : _next(context);
    }
}
