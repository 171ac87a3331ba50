using Microsoft.Extensions.Logging;

namespace ResumableUploads;

/// <summary>What the hosting layer logs: events 300 to 399.</summary>
internal static partial class Log
{
    [LoggerMessage(300, LogLevel.Information, "Resumable uploads are taken at {UploadPath}. Unfinished ones are kept for {Expiration}.")]
    public static partial void Ready(ILogger logger, string uploadPath, TimeSpan expiration);

    [LoggerMessage(301, LogLevel.Warning, "OnCompleted is not set: finished uploads stay in the store, and nobody is told. Set it to take them out.")]
    public static partial void NobodyTakesUploads(ILogger logger);

    [LoggerMessage(302, LogLevel.Debug, "A status or cancel request failed in the store.")]
    public static partial void StoreFailed(ILogger logger, Exception exception);
}
