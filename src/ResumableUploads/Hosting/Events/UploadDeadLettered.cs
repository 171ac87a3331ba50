using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads;

/// <summary>
/// An upload whose handler does not run again: it failed <see cref="ResumableUploadHandlerOptions.MaxAttempts"/> times, or the upload expired
/// before a client requested the response. The content is available until the handler of this event returns; if the upload has not expired,
/// until it expires.
/// </summary>
public sealed class UploadDeadLettered : ReceivedUpload
{
    internal UploadDeadLettered(IUploadStore store, UploadInfo info, EngineRecord record, IServiceProvider services)
        : base(store, info, record, services)
    {
    }
}
