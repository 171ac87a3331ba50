using ResumableUploads;

namespace SampleHost;

/// <summary>Logs uploads, and moves completed ones to the finished files.</summary>
public sealed class SampleUploadEvents(FinishedFiles finished, ILogger<SampleUploadEvents> logger) : ResumableUploadEvents
{
    public override Task OnCreatingAsync(UploadCreating upload, CancellationToken cancellationToken)
    {
        logger.LogInformation("Upload of {Name} started, {Size} bytes.", upload.FileName, upload.Length);
        return Task.CompletedTask;
    }

    public override async Task OnCompletedAsync(CompletedUpload upload, CancellationToken cancellationToken)
    {
        string path = await upload.MoveToDirectoryAsync(finished.Directory, cancellationToken);
        logger.LogInformation("Upload of {Name} completed, {Size} bytes.", Path.GetFileName(path), upload.Size);
    }

    public override Task OnExpiredAsync(UploadExpired upload, CancellationToken cancellationToken)
    {
        logger.LogInformation("Upload of {Name} expired; its {Size} bytes were deleted.", upload.FileName, upload.Offset);
        return Task.CompletedTask;
    }
}
