using ResumableUploads.Engine.Locking;

namespace ResumableUploads.Engine.Content;

/// <summary>As long as it is not disposed, a content ends when somebody else wants the turn, and when the server stops.</summary>
internal readonly struct StopRegistration : IDisposable
{
    private readonly UploadLock _uploadLock;
    private readonly CancellationTokenRegistration _shutdownRegistration;

    public StopRegistration(RequestBodyReader reader, UploadLock uploadLock, CancellationToken stopping)
    {
        _uploadLock = uploadLock;
        _shutdownRegistration = stopping.UnsafeRegister(static reader => ((RequestBodyReader)reader!).RequestStop(BodyEndReason.Shutdown), reader);
        uploadLock.OnReleaseRequested(uploadLock.CannotBePreempted ? null : () => reader.RequestStop(BodyEndReason.Preempted));
    }

    public void Dispose()
    {
        _uploadLock.OnReleaseRequested(null);
        _shutdownRegistration.Dispose();
    }
}
