using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;

namespace ResumableUploads.S3;

/// <summary>The log messages of the S3 store: event ids 500 to 599.</summary>
internal static partial class Log
{
    [LoggerMessage(500, LogLevel.Warning,
        "An append to upload {Key} failed, and its claim could not be removed from the state object. The upload is busy until another request takes it over, or for {Timeout}.")]
    public static partial void WriterNotEnded(ILogger logger, UploadKey key, TimeSpan timeout, Exception exception);

    [LoggerMessage(501, LogLevel.Warning, "Objects of upload {Key} that are no longer needed could not be deleted. The clean-up after a sweep deletes them.")]
    public static partial void DeleteFailed(ILogger logger, UploadKey key, Exception exception);

    [LoggerMessage(502, LogLevel.Warning, "The writer of upload {Key} has not changed the state object for {Timeout}. Its process has died or is paused; its append was ended.")]
    public static partial void DeadWriterEnded(ILogger logger, UploadKey key, TimeSpan timeout);

    [LoggerMessage(503, LogLevel.Error, "The state object of upload {Key} cannot be understood. The upload is skipped, and does not expire. Inspect the object, or delete it.")]
    public static partial void UploadSkipped(ILogger logger, UploadKey key, Exception exception);

    [LoggerMessage(504, LogLevel.Information, "Deleted {Count} objects of {Folder} that belonged to no upload.")]
    public static partial void OrphansDeleted(ILogger logger, int count, string folder);

    [LoggerMessage(505, LogLevel.Warning, "The multipart upload of {Name} could not be aborted. A lifecycle rule of the bucket should abort incomplete multipart uploads.")]
    public static partial void AbortFailed(ILogger logger, string name, Exception exception);
}
