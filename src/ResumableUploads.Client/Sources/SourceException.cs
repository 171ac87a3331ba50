namespace ResumableUploads.Client.Sources;

/// <summary>A source that cannot be read, or has changed.</summary>
internal sealed class SourceException(UploadFailureReason reason, string message, Exception? innerException = null) : Exception(message, innerException)
{
    public UploadFailureReason Reason => reason;

    public static SourceException Changed(string how) => new(UploadFailureReason.SourceChanged, $"The content has changed during the upload: {how}");
}
