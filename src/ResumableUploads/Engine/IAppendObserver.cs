using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine;

/// <summary>Observes a running append, so that the client can be informed before the final response.</summary>
internal interface IAppendObserver
{
    /// <summary>Called when the upload has been created, before any byte of the body is read.</summary>
    ValueTask OnCreatedAsync(UploadInfo info);

    /// <summary>Called when bytes have become durable, on any thread, one call at a time. It must not block.</summary>
    void OnDurable(long durableOffset);

    /// <summary>Waits until all pending notifications are sent. Called once, after all other calls and before any response can start.</summary>
    ValueTask FlushAsync();
}
