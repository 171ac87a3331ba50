using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads;

/// <summary>A received upload, passed to <see cref="ResumableUploadOptions.OnCompleted"/>.</summary>
public sealed class CompletedUpload : ReceivedUpload
{
    internal CompletedUpload(IUploadStore store, UploadInfo info, EngineRecord record, IServiceProvider services)
        : base(store, info, record, services)
    {
    }

    /// <summary>Gets or sets the response to the client. Default: <see langword="null"/>, the protocol's own success response.</summary>
    public UploadResponse? Response { get; set; }
}
