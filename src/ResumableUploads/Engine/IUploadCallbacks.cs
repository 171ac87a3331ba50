using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine;

/// <summary>The calls from the engine to the application during a request or a sweep.</summary>
internal interface IUploadCallbacks
{
    /// <summary>Gets whether there is a completion handler. If not, a received upload is completed immediately.</summary>
    bool HasCompletionHandler { get; }

    /// <summary>Gets whether <see cref="OnCreatingAsync"/> does anything.</summary>
    bool HasCreatingHandler => true;

    /// <summary>Gets whether there is a handler for <see cref="OnProgressAsync"/>.</summary>
    bool HasProgressHandler { get; }

    /// <summary>Returns callbacks for another upload that this request completes. Its response is stored and not sent to the client.</summary>
    IUploadCallbacks ForOtherUpload();

    /// <summary>Called before an upload is created. The application can reject the upload.</summary>
    ValueTask<CreationDecision> OnCreatingAsync(UploadKey key, CreateCommand createCommand, long? length, CancellationToken cancellationToken);

    /// <summary>Called when bytes have become durable.</summary>
    ValueTask OnProgressAsync(UploadKey key, EngineRecord record, long offset, long? length, CancellationToken cancellationToken);

    /// <summary>Runs the completion handler. Exceptions of the handler are not caught.</summary>
    /// <param name="info">The upload.</param>
    /// <param name="record">The engine's data in its record.</param>
    /// <param name="cancellationToken">The token that is canceled when the server stops.</param>
    ValueTask<HandlerResult> RunHandlerAsync(UploadInfo info, EngineRecord record, CancellationToken cancellationToken);

    /// <summary>Called after an upload was dead-lettered. The engine does not run its handler again.</summary>
    ValueTask OnDeadLetteredAsync(UploadInfo info, EngineRecord record, CancellationToken cancellationToken);

    /// <summary>Called after an expired upload was removed.</summary>
    ValueTask OnExpiredAsync(UploadInfo info, EngineRecord record, CancellationToken cancellationToken);

    /// <summary>Called when the engine continues without an event that ignores its token and is still running.</summary>
    void OnAbandoned(Task call)
    {
    }
}

/// <summary>The application's decision about a new upload.</summary>
/// <param name="Rejection">The reason to reject the upload, or null to accept it.</param>
/// <param name="FileName">The file name chosen by the application, or null to keep the client's.</param>
internal readonly record struct CreationDecision(Rejection? Rejection, string? FileName)
{
    /// <summary>Gets the result of the request if the application was interrupted before it decided, or null.</summary>
    public UploadResultKind? Interruption { get; init; }

    /// <summary>Gets the request to record instead of that of the command, or null to keep it.</summary>
    public StoredRequest? Request { get; init; }
}

/// <summary>The result of a completion handler.</summary>
/// <param name="Kind">The kind of the result.</param>
/// <param name="Response">The response as it is stored, or null to send the protocol's own response.</param>
internal readonly record struct HandlerResult(HandlerResultKind Kind, ReadOnlyMemory<byte>? Response)
{
    /// <summary>Gets whether the client caused the result, so that it is no error of the server.</summary>
    public bool IsClientFault { get; init; }
}

/// <summary>Specifies how the engine processes an upload after its completion handler has run.</summary>
internal enum HandlerResultKind
{
    /// <summary>The response is stored, and the upload is completed.</summary>
    Final,

    /// <summary>The response is sent and not stored. The handler may run again.</summary>
    Retry,

    /// <summary>The response is sent and not stored. The upload is dead-lettered, because another run would not succeed.</summary>
    DeadLetter,
}
