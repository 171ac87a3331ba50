using Microsoft.Extensions.Logging;

namespace ResumableUploads.Hosting;

/// <summary>Log messages of the hosting layer. Event ids 300 to 399.</summary>
internal static partial class Log
{
    [LoggerMessage(300, LogLevel.Information, "Handling resumable uploads at {UploadPath}. Unfinished uploads expire after {Expiration}.")]
    public static partial void Started(ILogger logger, string uploadPath, TimeSpan expiration);

    [LoggerMessage(301, LogLevel.Warning, "OnCompleted is not set, so finished uploads stay in the store and no code processes them. Set it to process uploads.")]
    public static partial void OnCompletedNotSet(ILogger logger);

    [LoggerMessage(303, LogLevel.Warning, "Several branches of the pipeline call UseResumableUploads() with the same options, so they share the uploads at {Path}: a file id is the same upload in each of them. To separate them, use named options: builder.Services.AddResumableUploads(\"name\", options => ...) and UseResumableUploads(\"name\").")]
    public static partial void DefaultOptionsShared(ILogger logger, string path);

    [LoggerMessage(304, LogLevel.Information, "Handling resumable uploads for endpoints of the app ({Name}). Unfinished uploads expire after {Expiration}.")]
    public static partial void StartedForEndpoints(ILogger logger, string name, TimeSpan expiration);

    [LoggerMessage(360, LogLevel.Warning, "A request was rejected with 403 (owner-unknown): the user that the scheme {Scheme} has authenticated has neither a NameIdentifier or sub claim nor a name, so the owner of an upload is unknown. Add a claim in the authentication handler, or set options.Owner.")]
    public static partial void OwnerUnknown(ILogger logger, string? scheme);

    [LoggerMessage(361, LogLevel.Warning, "Resumable uploads are handled before authentication: the app has the default scheme {Scheme}, but UseAuthentication() has not run for this request, so every client is anonymous. Call UseAuthentication() before UseResumableUploads().")]
    public static partial void AuthenticationTooLate(ILogger logger, string scheme);

    [LoggerMessage(362, LogLevel.Information, "Uploads are stored in {Directory}.")]
    public static partial void StoreDirectory(ILogger logger, string directory);

    [LoggerMessage(363, LogLevel.Information, "The last {Count} large request bodies that came through a proxy arrived at more than {Rate} MiB per second. If the clients are not in the same data center, the proxy buffers whole requests: when a connection breaks, everything that the request has sent is lost. Disable request buffering in the proxy, see docs/deployment/proxies.md#proxies-that-buffer-requests. This message is logged once.")]
    public static partial void ProxyBuffersRequests(ILogger logger, int count, int rate);

    [LoggerMessage(302, LogLevel.Debug, "A request for the status, the progress or the cancellation of an upload failed in the store.")]
    public static partial void StoreRequestFailed(ILogger logger, Exception exception);

    [LoggerMessage(306, LogLevel.Warning, "The host watches {File} for changes, and with it every directory below the content root, including {Directory}. This slows down the start and uses an inotify watch per upload. Start the host with --hostBuilder:reloadConfigOnChange=false, or set {Option} to a directory outside the content root.")]
    public static partial void UploadDirectoryWatched(ILogger logger, string directory, string file, string option);

    [LoggerMessage(305, LogLevel.Debug, "Endpoint {Endpoint} rejected the content of an upload as a bad request. The response is stored and sent to the client.")]
    public static partial void EndpointThrewBadRequest(ILogger logger, Exception exception, string? endpoint);

    [LoggerMessage(308, LogLevel.Information, "A request was refused with {StatusCode} ({Problem}): upload {Key}, protocol {Protocol}, endpoint {Endpoint}, owner {OwnerKind}.")]
    public static partial void Refused(ILogger logger, int statusCode, string problem, string key, string protocol, string endpoint, string ownerKind);

    [LoggerMessage(310, LogLevel.Information, "The upload manager was called to {Action} upload {Key}: {Status}.")]
    public static partial void UploadManaged(ILogger logger, string action, string key, string status);

    [LoggerMessage(352, LogLevel.Warning, "Endpoints {First} and {Second} share a URL and have different policies for CORS or rate limiting. CORS preflights, status requests and cancellations do not show which of them they are for, so the policies of {First} apply to them. Set the same policies, or use different URLs.")]
    public static partial void PoliciesDiffer(ILogger logger, string? first, string? second);

    [LoggerMessage(EventId = 307, Message = "A chunk for {Endpoint} was rejected with 415 (decoded-body) and nothing was stored, because middleware decoded its Content-Encoding first. Call UseResumableUploadEndpoints() or UseResumableUploads() before UseRequestDecompression(). For MapResumableUploads(), exclude its path from request decompression with UseWhen().")]
    public static partial void BodyDecoded(ILogger logger, LogLevel level, string endpoint);
}
