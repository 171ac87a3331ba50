using Microsoft.Extensions.Logging;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>The log messages of the file-system store: event ids 100 to 199.</summary>
internal static partial class Log
{
    [LoggerMessage(100, LogLevel.Error,
        "The upload in {Directory} is damaged ({Reason}). It was moved to {Quarantine} for inspection; a new upload can use the key.")]
    public static partial void Quarantined(ILogger logger, string directory, string reason, string quarantine);

    [LoggerMessage(101, LogLevel.Warning, "The record in {Directory} was damaged ({Reason}). It was restored from {Source}.")]
    public static partial void RecordRepaired(ILogger logger, string directory, string reason, string source);

    [LoggerMessage(102, LogLevel.Error,
        "{Path} has {Length} bytes, but {DurableOffset} bytes were durable: the disk lost some, or another program truncated the file. "
        + "The upload continues at {Length}. Check the disk.")]
    public static partial void ShorterThanDurableOffset(ILogger logger, string path, long length, long durableOffset);

    [LoggerMessage(103, LogLevel.Warning,
        "The machine stopped before the bytes of {Path} from {Offset} to {Length} were durable, or another machine wrote them. They were cut off; the client sends them again.")]
    public static partial void TruncatedAfterPowerLoss(ILogger logger, string path, long offset, long length);

    [LoggerMessage(104, LogLevel.Warning, "The bytes of {Path} after {Offset} could not be made durable. The upload reports {Offset}; the next request tries again.")]
    public static partial void ReconcileFailed(ILogger logger, string path, long offset, Exception exception);

    [LoggerMessage(105, LogLevel.Error, "Syncing {Path} failed. The upload was reset to {Offset}, its last durable offset. Check the disk.")]
    public static partial void SyncFailed(ILogger logger, string path, long offset, Exception exception);

    [LoggerMessage(106, LogLevel.Error, "{Path} could not be truncated to {Offset} bytes. The bytes after that do not count; the next access truncates the file.")]
    public static partial void TruncateFailed(ILogger logger, string path, long offset, Exception exception);

    [LoggerMessage(107, LogLevel.Warning, "The staged bytes of {Path} after {Offset} could not be removed. They do not count; the next access removes them.")]
    public static partial void DiscardFailed(ILogger logger, string path, long offset, Exception exception);

    [LoggerMessage(108, LogLevel.Warning, "The check of the staged bytes of {Path} failed. The bytes are discarded; the client can send them again.")]
    public static partial void CommitDecisionFailed(ILogger logger, string path, Exception exception);

    [LoggerMessage(109, LogLevel.Warning,
        "The upload in {Directory} could not be read ({Reason}). It is kept, and does not expire until it can be read again. This is logged once.")]
    public static partial void UploadSkipped(ILogger logger, string directory, string reason);

    [LoggerMessage(110, LogLevel.Warning, "{Path} could not be deleted. Temporary files inside the upload directory are retried by the next sweep.")]
    public static partial void DeleteFailed(ILogger logger, string path, Exception exception);

    [LoggerMessage(111, LogLevel.Warning, "The disk of the upload directory {Directory} has only {FreeBytes} bytes left.")]
    public static partial void LowDiskSpace(ILogger logger, string directory, long freeBytes);

    [LoggerMessage(112, LogLevel.Error, "The content of the upload in {Directory} is missing, and no move of it is recorded. It was deleted outside the store.")]
    public static partial void ContentMissing(ILogger logger, string directory);

    [LoggerMessage(113, LogLevel.Error, "The disk of the upload directory {Directory} is full ({Reason}). New bytes are refused until space is freed.")]
    public static partial void DiskFull(ILogger logger, string directory, string reason);

    [LoggerMessage(114, LogLevel.Warning,
        "The disk of the upload directory {Directory} is slow: {SlowCount} of {Count} syncs in the last {Seconds} seconds took more than {Threshold} ms, the slowest "
        + "one {Slowest} ms. Uploads wait for them. Check the disk and what else uses it.")]
    public static partial void SyncsSlow(ILogger logger, string directory, int slowCount, int count, long seconds, long threshold, long slowest);

    [LoggerMessage(115, LogLevel.Information,
        "The disk of the upload directory {Directory} is fast again: {SlowCount} of {Count} syncs in the last {Seconds} seconds took more than {Threshold} ms.")]
    public static partial void SyncsFastAgain(ILogger logger, string directory, int slowCount, int count, long seconds, long threshold);

    [LoggerMessage(116, LogLevel.Error,
        "Two processes hold the same file lock in the upload directory {Directory}: its file system does not share locks between machines. Bytes of uploads can be "
        + "lost if both processes write to one upload. Mount it with shared locks, or use another store.")]
    public static partial void LocksNotShared(ILogger logger, string directory);

    [LoggerMessage(117, LogLevel.Warning,
        "This process cannot be asked to release its uploads in {Directory}. A client that reconnects to another process waits until this one notices. The "
        + "next attempt is in a few seconds.")]
    public static partial void TakeoverUnavailable(ILogger logger, string directory, Exception exception);

    [LoggerMessage(185, LogLevel.Error, "The directory {Directory} could not be read. The uploads in it are not listed, and do not expire until it can be read again. Check the disk and the permissions.")]
    public static partial void DirectorySkipped(ILogger logger, Exception exception, string directory);
}
