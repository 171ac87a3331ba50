using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads;

/// <summary>An upload whose bytes are all durable, handed to <see cref="ResumableUploadOptions.OnCompleted"/>.</summary>
public sealed class CompletedUpload : ReceivedUpload
{
    internal CompletedUpload(IUploadStore store, UploadInfo info, EngineRecord record, IServiceProvider services)
        : base(store, info, record, services)
    {
    }

    /// <summary>What the client is told, or null for 200 and the number of bytes.</summary>
    public UploadResponse? Response { get; set; }
}

/// <summary>
/// An upload that the server has given up: its handler failed as often as it may, or nobody came back for the answer until it expired.
/// The content is there until the handler of this event returns, and where the upload has not expired until it does.
/// </summary>
public sealed class UploadDeadLettered : ReceivedUpload
{
    internal UploadDeadLettered(IUploadStore store, UploadInfo info, EngineRecord record, IServiceProvider services)
        : base(store, info, record, services)
    {
    }
}
