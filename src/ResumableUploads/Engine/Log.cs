using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Content;

namespace ResumableUploads.Engine;

/// <summary>The log messages of the engine, with event ids from 200 to 299. They contain keys, which are hashes, and no text from clients.</summary>
internal static partial class Log
{
    [LoggerMessage(200, LogLevel.Debug, "Upload {Key} was created.")]
    public static partial void Created(ILogger logger, UploadKey key);

    [LoggerMessage(202, LogLevel.Information, "An append to upload {Key} ended early ({Reason}). The {Offset} bytes stored so far are kept, and the client can resume.")]
    public static partial void AppendInterrupted(ILogger logger, UploadKey key, BodyEndReason reason, long offset);

    [LoggerMessage(203, LogLevel.Debug, "Upload {Key} was received: all {Offset} bytes are stored.")]
    public static partial void Received(ILogger logger, UploadKey key, long offset);

    [LoggerMessage(204, LogLevel.Information, "Upload {Key} was completed: {Size} bytes in {Duration} and {Requests} requests, {Rate} bytes per second.")]
    public static partial void Completed(ILogger logger, UploadKey key, long size, TimeSpan duration, int requests, long rate);

    [LoggerMessage(217, LogLevel.Debug, "The file name of upload {Key} is {FileName}.")]
    public static partial void FileName(ILogger logger, UploadKey key, string fileName);

    [LoggerMessage(205, LogLevel.Information, "Upload {Key} was canceled by its client and removed.")]
    public static partial void Cancelled(ILogger logger, UploadKey key);

    [LoggerMessage(206, LogLevel.Information, "Upload {Key} expired and was removed.")]
    public static partial void Expired(ILogger logger, UploadKey key);

    [LoggerMessage(207, LogLevel.Warning, "Upload {Key} is locked by another request, which did not release the lock in time; the client should retry. If this repeats, check whether the storage hangs.")]
    public static partial void LockNotAcquired(ILogger logger, UploadKey key);

    /// <summary>Logs a failure of the store, as an error or, if failures of the kind were logged recently, at level Debug.</summary>
    [LoggerMessage(EventId = 208, Message = "The store failed ({Failure}) during a request for upload {Key}. {Offset} bytes of the upload are durable, and the client can resume. Check the storage. Such failures are errors in the log once per minute; {Skipped} were not since the last one.")]
    public static partial void StoreFailed(ILogger logger, LogLevel level, Exception exception, StoreFailure failure, UploadKey key, long? offset, int skipped);

    [LoggerMessage(209, LogLevel.Error, "The completion handler failed for upload {Key} (attempt {Attempt} of {MaxAttempts}). The content is kept.")]
    public static partial void HandlerFailed(ILogger logger, Exception? exception, UploadKey key, int attempt, int maxAttempts);

    [LoggerMessage(210, LogLevel.Error, "Upload {Key} was dead-lettered after {Attempts} attempts of its completion handler. The handler does not run again; the content is kept until the upload expires.")]
    public static partial void DeadLettered(ILogger logger, UploadKey key, int attempts);

    [LoggerMessage(218, LogLevel.Information, "Upload {Key} was dead-lettered because its endpoint does not accept the request of the client, for example because of a wrong antiforgery token. The content is kept until the upload expires.")]
    public static partial void RejectedByEndpoint(ILogger logger, UploadKey key);

    [LoggerMessage(211, LogLevel.Error, "The progress event handler failed for upload {Key}. The upload continues.")]
    public static partial void ProgressHandlerFailed(ILogger logger, Exception exception, UploadKey key);

    [LoggerMessage(212, LogLevel.Error, "The expiration event handler failed for upload {Key}. The upload was removed.")]
    public static partial void ExpirationHandlerFailed(ILogger logger, Exception exception, UploadKey key);

    [LoggerMessage(213, LogLevel.Error, "The sweep for expired uploads failed. It is retried in {Delay}.")]
    public static partial void SweepFailed(ILogger logger, Exception exception, TimeSpan delay);

    [LoggerMessage(230, LogLevel.Error, "The stored response of upload {Key} is damaged or missing. The upload is completed, and its handler does not run again; clients get a response that says so. Check the storage.")]
    public static partial void ResponseLost(ILogger logger, UploadKey key);

    [LoggerMessage(214, LogLevel.Debug, "Upload {Key} was rejected because of a quota: {Reason}.")]
    public static partial void CreationRejected(ILogger logger, UploadKey key, UploadResultKind reason);

    [LoggerMessage(215, LogLevel.Warning, "Upload {Key} cannot be read, so the sweep skips it. It does not expire until it can be read again. This is logged once.")]
    public static partial void UnreadableUploadSkipped(ILogger logger, Exception exception, UploadKey key);

    [LoggerMessage(216, LogLevel.Error, "The dead-letter event handler failed for upload {Key}. The event is repeated with increasing delays for about a day. The content is kept until then.")]
    public static partial void DeadLetterHandlerFailed(ILogger logger, Exception exception, UploadKey key);

    [LoggerMessage(240, LogLevel.Information, "Upload {Key} concatenates others and can never be completed ({Reason}). It was removed; the client must send its content again.")]
    public static partial void ConcatenationFailed(ILogger logger, UploadKey key, UploadResultKind reason);

    [LoggerMessage(241, LogLevel.Warning, "The parts of the concatenated upload {Key} were not removed. The upload is not affected; the next sweep tries again, and the parts are removed at the latest when they expire.")]
    public static partial void PartsNotRemoved(ILogger logger, Exception exception, UploadKey key);

    [LoggerMessage(220, LogLevel.Error, "A sweep ended, but a step after it failed. The next sweep runs as planned.")]
    public static partial void SweepStepFailed(ILogger logger, Exception exception);

    [LoggerMessage(221, LogLevel.Error, "The sweep could not process upload {Key}. It continues with the next upload, and the next sweep tries again.")]
    public static partial void VisitFailed(ILogger logger, Exception exception, UploadKey key);

    [LoggerMessage(222, LogLevel.Warning, "The position of the sweep could not be read or stored. The sweep continues; after a restart, it starts with the first upload.")]
    public static partial void CheckpointFailed(ILogger logger, Exception exception);

    [LoggerMessage(223, LogLevel.Warning, "The lease of the completion handler for upload {Key} was not renewed. The renewal is repeated; if it keeps failing, the token of the handler is canceled. Check the storage.")]
    public static partial void LeaseRenewalFailed(ILogger logger, Exception exception, UploadKey key);

    [LoggerMessage(231, LogLevel.Warning, "The lease of the completion handler for upload {Key} was not renewed in time. The token of the handler was canceled, because another process may run the handler now. Check whether the storage responds in time.")]
    public static partial void LeaseNotRenewed(ILogger logger, UploadKey key);

    [LoggerMessage(224, LogLevel.Warning, "Another process has the lease of the completion handler for upload {Key}, or has removed the upload. The token of the handler in this process was canceled. Check whether this process was suspended or could not reach its storage.")]
    public static partial void LeaseLost(ILogger logger, UploadKey key);

    [LoggerMessage(229, LogLevel.Warning, "The result of the completion handler for upload {Key} was discarded: another process has leased or completed the upload, or the upload was deleted or replaced. Check whether this process was suspended or could not reach its storage.")]
    public static partial void HandlerResultDiscarded(ILogger logger, UploadKey key);

    [LoggerMessage(225, LogLevel.Error, "Code of the application that runs when a token is canceled failed for upload {Key}.")]
    public static partial void CancellationCallbackFailed(ILogger logger, Exception exception, UploadKey key);

    [LoggerMessage(226, LogLevel.Error, "{EventName} did not end within {GracePeriod} after its token was canceled, for upload {Key}. The server continues without it. Pass the token on to everything that the event handler awaits.")]
    public static partial void EventAbandoned(ILogger logger, string eventName, UploadKey key, TimeSpan gracePeriod);

    [LoggerMessage(227, LogLevel.Warning, "A completion handler did not end within {GracePeriod} after its token was canceled by the stop of the server. It runs again after the restart. Pass the token on to everything that the handler awaits.")]
    public static partial void HandlersIgnoredStop(ILogger logger, TimeSpan gracePeriod);

    [LoggerMessage(270, LogLevel.Warning, "A sweep did not end within {Timeout} after the server began to stop. The server stops without waiting for it. Check whether the storage hangs, and pass the tokens of events on to everything that they await.")]
    public static partial void SweepIgnoredStop(ILogger logger, TimeSpan timeout);

    [LoggerMessage(232, LogLevel.Warning, "The clock of the storage could not be read. The last reading stays in use, or the clock of this machine until the first one. The clock is read again every minute. Check the storage.")]
    public static partial void StoreClockNotRead(ILogger logger, Exception exception);

    [LoggerMessage(233, LogLevel.Warning, "The clock of this machine differs from that of the storage by {Difference}. Uploads expire by the clock of the storage. Check the time synchronization of both.")]
    public static partial void ClockDiffers(ILogger logger, TimeSpan difference);

    [LoggerMessage(282, LogLevel.Warning, "Upload {Key} was received but not processed, and expired at least a day ago. It belongs to '{EngineName}', which this app does not have, so it was removed without events.")]
    public static partial void OrphanedUploadExpired(ILogger logger, UploadKey key, string? engineName);

    [LoggerMessage(281, LogLevel.Warning, "Upload {Key} expired at least a day ago and its record is damaged, so it was removed without events. Check the storage.")]
    public static partial void DamagedUploadExpired(ILogger logger, UploadKey key);

    [LoggerMessage(283, LogLevel.Error, "OnExpired for upload {Key} was canceled, or did not end before the server stopped. The upload may be deleted already, and the event is then not repeated.")]
    public static partial void ExpirationEventLost(ILogger logger, UploadKey key);

    [LoggerMessage(284, LogLevel.Warning, "The system clock is {Jump} ahead of the time that has passed. Uploads expire by the earlier time until the clock has kept the new one for {ConfirmationTime}. If the clock is wrong, correct it before that. If the machine was suspended, nothing needs to be done.")]
    public static partial void ClockJumped(ILogger logger, TimeSpan jump, TimeSpan confirmationTime);

    [LoggerMessage(280, LogLevel.Warning, "Upload {Key} cannot be read, so it is missing in lists of uploads.")]
    public static partial void UnreadableUploadNotListed(ILogger logger, Exception exception, UploadKey key);

    [LoggerMessage(285, LogLevel.Error, "The store cannot receive the requests of other processes to end an append. It tries again in {Delay}. Until then, a client that continues its upload in another process waits until this process notices the end of its connection. Check the storage.")]
    public static partial void ListenerFailed(ILogger logger, Exception exception, TimeSpan delay);
}
