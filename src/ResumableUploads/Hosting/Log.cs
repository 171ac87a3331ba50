using Microsoft.Extensions.Logging;

namespace ResumableUploads.Hosting;

/// <summary>What the hosting layer logs: events 300 to 399.</summary>
internal static partial class Log
{
    [LoggerMessage(300, LogLevel.Information, "Resumable uploads are taken at {UploadPath}. Unfinished ones are kept for {Expiration}.")]
    public static partial void Started(ILogger logger, string uploadPath, TimeSpan expiration);

    [LoggerMessage(301, LogLevel.Warning, "OnCompleted is not set: finished uploads stay in the store, and nobody is told. Set it to take them out.")]
    public static partial void OnCompletedNotSet(ILogger logger);

    [LoggerMessage(304, LogLevel.Information, "Resumable uploads are taken for endpoints of the app ({Name}). Unfinished ones are kept for {Expiration}.")]
    public static partial void StartedForEndpoints(ILogger logger, string name, TimeSpan expiration);

    [LoggerMessage(302, LogLevel.Debug, "A status or cancel request failed in the store.")]
    public static partial void StoreRequestFailed(ILogger logger, Exception exception);

    [LoggerMessage(306, LogLevel.Warning, "The host looks for changes of {File}, and for that watches every directory near it: also each of {Directory}, which takes time and a handle of the system for each upload. Start it with --hostBuilder:reloadConfigOnChange=false, or keep uploads elsewhere with ResumableUploads:Directory.")]
    public static partial void UploadDirectoryWatched(ILogger logger, string directory, string file);

    [LoggerMessage(305, LogLevel.Information, "Endpoint {Endpoint} rejected the content of an upload as a bad request. The response is stored and sent to the client.")]
    public static partial void EndpointThrewBadRequest(ILogger logger, Exception exception, string? endpoint);

    [LoggerMessage(EventId = 307, Message = "A chunk for {Endpoint} was rejected with 415 (decoded-body) and nothing was stored, because middleware decoded its Content-Encoding first. Call UseResumableUploadEndpoints() or UseResumableUploads() before UseRequestDecompression(). For MapResumableUploads(), exclude its path from request decompression with UseWhen().")]
    public static partial void BodyDecoded(ILogger logger, LogLevel level, string endpoint);
}
