using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Content;

namespace ResumableUploads.Engine;

/// <summary>The log messages of the engine, with event ids from 200 to 299. They contain keys, which are hashes, and no text from clients.</summary>
internal static partial class Log
{
    [LoggerMessage(200, LogLevel.Information, "Upload {Key} was created.")]
    public static partial void Created(ILogger logger, UploadKey key);

    [LoggerMessage(202, LogLevel.Information, "An append to upload {Key} ended early ({Reason}). The {Offset} bytes stored so far are kept, and the client can resume.")]
    public static partial void AppendInterrupted(ILogger logger, UploadKey key, BodyEndReason reason, long offset);

    [LoggerMessage(203, LogLevel.Information, "Upload {Key} was received: all {Offset} bytes are stored.")]
    public static partial void Received(ILogger logger, UploadKey key, long offset);

    [LoggerMessage(204, LogLevel.Information, "Upload {Key} was completed.")]
    public static partial void Completed(ILogger logger, UploadKey key);

    [LoggerMessage(205, LogLevel.Information, "Upload {Key} was canceled by its client and removed.")]
    public static partial void Cancelled(ILogger logger, UploadKey key);

    [LoggerMessage(206, LogLevel.Information, "Upload {Key} expired and was removed.")]
    public static partial void Expired(ILogger logger, UploadKey key);

    [LoggerMessage(207, LogLevel.Warning, "Upload {Key} is locked by another request, which did not release the lock in time; the client should retry. If this repeats, check whether the storage hangs.")]
    public static partial void LockNotAcquired(ILogger logger, UploadKey key);

    [LoggerMessage(208, LogLevel.Error, "The store failed ({Failure}) during a request for upload {Key}. {Offset} bytes of the upload are durable, and the client can resume. Check the storage.")]
    public static partial void StoreFailed(ILogger logger, Exception exception, StoreFailure failure, UploadKey key, long? offset);

    [LoggerMessage(209, LogLevel.Error, "The completion handler failed for upload {Key} (attempt {Attempt} of {MaxAttempts}). The content is kept.")]
    public static partial void HandlerFailed(ILogger logger, Exception? exception, UploadKey key, int attempt, int maxAttempts);

    [LoggerMessage(210, LogLevel.Error, "Upload {Key} was dead-lettered after {Attempts} attempts of its completion handler. The handler does not run again; the content is kept until the upload expires.")]
    public static partial void DeadLettered(ILogger logger, UploadKey key, int attempts);

    [LoggerMessage(211, LogLevel.Error, "The progress event handler failed for upload {Key}. The upload continues.")]
    public static partial void ProgressHandlerFailed(ILogger logger, Exception exception, UploadKey key);

    [LoggerMessage(212, LogLevel.Error, "The expiration event handler failed for upload {Key}. The upload was removed.")]
    public static partial void ExpirationHandlerFailed(ILogger logger, Exception exception, UploadKey key);

    [LoggerMessage(213, LogLevel.Error, "The sweep for expired uploads failed. It is retried at the next interval.")]
    public static partial void SweepFailed(ILogger logger, Exception exception);

    [LoggerMessage(230, LogLevel.Error, "The stored response of upload {Key} is damaged. The upload is completed, and its handler does not run again; clients get a response that says so. Check the storage.")]
    public static partial void ResponseLost(ILogger logger, UploadKey key);

    [LoggerMessage(214, LogLevel.Information, "Upload {Key} was rejected because of a quota: {Reason}.")]
    public static partial void CreationRejected(ILogger logger, UploadKey key, UploadResultKind reason);

    [LoggerMessage(215, LogLevel.Warning, "Upload {Key} cannot be read, so the sweep skipped it.")]
    public static partial void UnreadableUploadSkipped(ILogger logger, Exception exception, UploadKey key);

    [LoggerMessage(216, LogLevel.Error, "The dead-letter event handler failed for upload {Key}. It is not called again for this upload.")]
    public static partial void DeadLetterHandlerFailed(ILogger logger, Exception exception, UploadKey key);

    [LoggerMessage(240, LogLevel.Warning, "Upload {Key} concatenates others and can never be completed ({Reason}). It was removed; the client must send its content again.")]
    public static partial void ConcatenationFailed(ILogger logger, UploadKey key, UploadResultKind reason);

    [LoggerMessage(241, LogLevel.Warning, "The parts of the concatenated upload {Key} were not removed. The upload is not affected; the parts are removed after the next start or when they expire.")]
    public static partial void PartsNotRemoved(ILogger logger, Exception exception, UploadKey key);
}
