using Microsoft.Extensions.Logging;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>The log messages of the file-system store: event ids 100 to 199.</summary>
internal static partial class Log
{
    [LoggerMessage(100, LogLevel.Error,
        "The upload in {Directory} is damaged ({Reason}). It was moved to {Quarantine}, and its key is free again.")]
    public static partial void Quarantined(ILogger logger, string directory, string reason, string quarantine);

    [LoggerMessage(101, LogLevel.Warning, "The record in {Directory} was damaged ({Reason}) and has been repaired from {Source}.")]
    public static partial void RecordRepaired(ILogger logger, string directory, string reason, string source);

    [LoggerMessage(102, LogLevel.Error,
        "The file {Path} has {Length} bytes, though {Marked} had been made durable: the disk or somebody else removed some. The upload goes on with what is there.")]
    public static partial void ShorterThanDurableOffset(ILogger logger, string path, long length, long marked);

    [LoggerMessage(103, LogLevel.Warning,
        "The bytes of {Path} from {Offset} to {Length} were not durable when the machine stopped, and have been cut off.")]
    public static partial void TruncatedAfterPowerLoss(ILogger logger, string path, long offset, long length);

    [LoggerMessage(104, LogLevel.Warning, "The bytes of {Path} behind {Offset} could not be made durable just now; the upload is reported with that offset.")]
    public static partial void ReconcileFailed(ILogger logger, string path, long offset, Exception exception);

    [LoggerMessage(105, LogLevel.Error, "Syncing {Path} failed. The upload went back to {Offset} bytes, the last that are known to be durable.")]
    public static partial void SyncFailed(ILogger logger, string path, long offset, Exception exception);

    [LoggerMessage(106, LogLevel.Error, "{Path} could not be cut back to {Offset} bytes. It is marked to be cut back when it is next used.")]
    public static partial void TruncateFailed(ILogger logger, string path, long offset, Exception exception);

    [LoggerMessage(107, LogLevel.Warning, "Staged bytes of {Path} behind {Offset} could not be removed just now; they do not count, and the next append removes them.")]
    public static partial void DiscardFailed(ILogger logger, string path, long offset, Exception exception);

    [LoggerMessage(108, LogLevel.Warning, "Whether to keep the staged bytes of {Path} was not answered; they are dropped.")]
    public static partial void CommitDecisionFailed(ILogger logger, string path, Exception exception);

    [LoggerMessage(109, LogLevel.Warning, "An upload in {Directory} is skipped by the listing: {Reason}")]
    public static partial void UploadSkipped(ILogger logger, string directory, string reason);

    [LoggerMessage(110, LogLevel.Warning, "{Path} could not be removed; it will be tried again.")]
    public static partial void DeleteFailed(ILogger logger, string path, Exception exception);

    [LoggerMessage(111, LogLevel.Warning, "The disk of the upload directory {Directory} has only {FreeBytes} bytes left.")]
    public static partial void LowDiskSpace(ILogger logger, string directory, long freeBytes);

    [LoggerMessage(113, LogLevel.Error, "The disk of the upload directory {Directory} is full ({Reason}). Uploads are refused until there is room.")]
    public static partial void DiskFull(ILogger logger, string directory, string reason);

    [LoggerMessage(112, LogLevel.Error, "The content of the upload in {Directory} is missing, though nobody asked to move it.")]
    public static partial void ContentMissing(ILogger logger, string directory);
}
