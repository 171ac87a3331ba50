using ResumableUploads.Engine.Locking;

namespace ResumableUploads.Engine.Content;

/// <summary>
/// Ends a request body when another request preempts the upload or the server stops. Dispose it to unregister.
/// </summary>
internal readonly struct StopRegistration : IDisposable
{
    private readonly UploadLock _uploadLock;
    private readonly CancellationTokenRegistration _shutdownRegistration;

    public StopRegistration(RequestBodyReader reader, UploadLock uploadLock, CancellationToken stopping)
    {
        _uploadLock = uploadLock;
        _shutdownRegistration = stopping.UnsafeRegister(static reader => ((RequestBodyReader)reader!).RequestStop(BodyEndReason.Shutdown), reader);
        uploadLock.SetReleaseCallback(
            uploadLock.CannotBePreempted ? null : static reader => ((RequestBodyReader)reader!).RequestStop(BodyEndReason.Preempted), reader);
    }

    public void Dispose()
    {
        _uploadLock.SetReleaseCallback(null);
        _shutdownRegistration.Dispose();
    }
}
