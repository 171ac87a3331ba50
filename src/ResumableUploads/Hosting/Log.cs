using Microsoft.Extensions.Logging;

namespace ResumableUploads.Hosting;

/// <summary>What the hosting layer logs: events 300 to 399.</summary>
internal static partial class Log
{
    [LoggerMessage(300, LogLevel.Information, "Resumable uploads are taken at {UploadPath}. Unfinished ones are kept for {Expiration}.")]
    public static partial void Started(ILogger logger, string uploadPath, TimeSpan expiration);

    [LoggerMessage(301, LogLevel.Warning, "OnCompleted is not set: finished uploads stay in the store, and nobody is told. Set it to take them out.")]
    public static partial void OnCompletedNotSet(ILogger logger);

    [LoggerMessage(303, LogLevel.Warning, "A rate limiter stands in front of the pieces for {Endpoint}: it counts each of them, and one that hangs holds its permit while its client comes back. Call app.UseResumableUploadEndpoints() before app.UseRateLimiter(); MaxAppendsPerOwner limits the pieces.")]
    public static partial void RateLimiterBeforeChunks(ILogger logger, string? endpoint);

    [LoggerMessage(304, LogLevel.Information, "Resumable uploads are taken for endpoints of the app ({Name}). Unfinished ones are kept for {Expiration}.")]
    public static partial void StartedForEndpoints(ILogger logger, string name, TimeSpan expiration);

    [LoggerMessage(302, LogLevel.Debug, "A status or cancel request failed in the store.")]
    public static partial void StoreRequestFailed(ILogger logger, Exception exception);

    [LoggerMessage(306, LogLevel.Warning, "The host looks for changes of {File}, and for that watches every directory near it: also each of {Directory}, which takes time and a handle of the system for each upload. Start it with --hostBuilder:reloadConfigOnChange=false, or keep uploads elsewhere with ResumableUploads:Directory.")]
    public static partial void UploadDirectoryWatched(ILogger logger, string directory, string file);

    [LoggerMessage(305, LogLevel.Information, "{Endpoint} has called the content of an upload a bad request, and that is its answer.")]
    public static partial void EndpointThrewBadRequest(ILogger logger, Exception exception, string? endpoint);
}
