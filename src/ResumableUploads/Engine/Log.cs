using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Content;

namespace ResumableUploads.Engine;

/// <summary>What the engine logs: events 200 to 299. Keys are hashes; a client's own text is never in here.</summary>
internal static partial class Log
{
    [LoggerMessage(200, LogLevel.Information, "Upload {Key} begins.")]
    public static partial void Created(ILogger logger, UploadKey key);

    [LoggerMessage(201, LogLevel.Debug, "Upload {Key} has {Offset} bytes now.")]
    public static partial void Appended(ILogger logger, UploadKey key, long offset);

    [LoggerMessage(202, LogLevel.Information, "Upload {Key} was broken off ({Reason}); its {Offset} bytes are kept.")]
    public static partial void AppendInterrupted(ILogger logger, UploadKey key, BodyEndReason reason, long offset);

    [LoggerMessage(203, LogLevel.Information, "Upload {Key} is received: {Offset} bytes.")]
    public static partial void Received(ILogger logger, UploadKey key, long offset);

    [LoggerMessage(204, LogLevel.Information, "Upload {Key} is completed.")]
    public static partial void Completed(ILogger logger, UploadKey key);

    [LoggerMessage(205, LogLevel.Information, "Upload {Key} was cancelled by its client.")]
    public static partial void Cancelled(ILogger logger, UploadKey key);

    [LoggerMessage(206, LogLevel.Information, "Upload {Key} expired and was removed.")]
    public static partial void Expired(ILogger logger, UploadKey key);

    [LoggerMessage(207, LogLevel.Warning, "Upload {Key} is changed by somebody else; asked again, a client gets on.")]
    public static partial void LockNotAcquired(ILogger logger, UploadKey key);

    [LoggerMessage(208, LogLevel.Error, "The store failed ({Failure}) while upload {Key} was worked on; {Offset} bytes of it are safe.")]
    public static partial void StoreFailed(ILogger logger, Exception exception, StoreFailure failure, UploadKey key, long? offset);

    [LoggerMessage(209, LogLevel.Error, "The completion handler failed for upload {Key} (attempt {Attempt} of {Attempts}); the content is kept.")]
    public static partial void HandlerFailed(ILogger logger, Exception? exception, UploadKey key, int attempt, int attempts);

    [LoggerMessage(210, LogLevel.Error, "Upload {Key} is parked after {Attempts} runs of its handler. The content is kept until the upload expires.")]
    public static partial void DeadLettered(ILogger logger, UploadKey key, int attempts);

    [LoggerMessage(211, LogLevel.Error, "A progress handler failed for upload {Key}.")]
    public static partial void ProgressHandlerFailed(ILogger logger, Exception exception, UploadKey key);

    [LoggerMessage(212, LogLevel.Error, "An expiration handler failed for upload {Key}.")]
    public static partial void ExpirationHandlerFailed(ILogger logger, Exception exception, UploadKey key);

    [LoggerMessage(213, LogLevel.Error, "Clearing expired uploads failed; it is tried again later.")]
    public static partial void SweepFailed(ILogger logger, Exception exception);

    [LoggerMessage(214, LogLevel.Information, "Upload {Key} is refused: {Reason}.")]
    public static partial void CreationRejected(ILogger logger, UploadKey key, UploadResultKind reason);

    [LoggerMessage(216, LogLevel.Error, "A handler for parked uploads failed for upload {Key}.")]
    public static partial void DeadLetterHandlerFailed(ILogger logger, Exception exception, UploadKey key);

    [LoggerMessage(215, LogLevel.Warning, "Upload {Key} cannot be read and is passed over.")]
    public static partial void UnreadableUploadSkipped(ILogger logger, Exception exception, UploadKey key);
}
