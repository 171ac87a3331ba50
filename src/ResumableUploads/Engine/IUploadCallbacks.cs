using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine;

/// <summary>What the engine asks of the application, through the request (or the background run) that it works for.</summary>
internal interface IUploadCallbacks
{
    /// <summary>Whether <see cref="RunHandlerAsync"/> does anything. If not, a received upload is completed at once.</summary>
    bool HasCompletionHandler { get; }

    /// <summary>Whether somebody listens to <see cref="OnProgressAsync"/>.</summary>
    bool HasProgressHandler { get; }

    /// <summary>Before an upload is made: whether it may be, and under which name.</summary>
    ValueTask<CreationDecision> OnCreatingAsync(UploadKey key, CreateCommand createCommand, long? length, CancellationToken cancellationToken);

    ValueTask OnProgressAsync(UploadKey key, EngineRecord record, long offset, long? length, CancellationToken cancellationToken);

    /// <summary>Runs the application's handler. It throws when the handler does.</summary>
    /// <param name="info">The upload.</param>
    /// <param name="record">What is known about it.</param>
    /// <param name="storeResponse">Stores an outcome before the handler has ended, because its answer is about to leave. It is then the one.</param>
    /// <param name="cancellationToken">Fires when the server stops.</param>
    ValueTask<HandlerResult> RunHandlerAsync(
        UploadInfo info, EngineRecord record, Func<ReadOnlyMemory<byte>, ValueTask> storeResponse, CancellationToken cancellationToken);

    /// <summary>After a received upload was given up: its handler is not started again by itself.</summary>
    ValueTask OnDeadLetteredAsync(UploadInfo info, EngineRecord record, CancellationToken cancellationToken);

    ValueTask OnExpiredAsync(UploadInfo info, EngineRecord record, CancellationToken cancellationToken);
}

/// <summary>What the application says to a new upload.</summary>
/// <param name="Rejection">Its no, or null.</param>
/// <param name="FileName">Its own name for the file, or null to keep the client's.</param>
internal readonly record struct CreationDecision(Rejection? Rejection, string? FileName);

/// <summary>What the handler left.</summary>
/// <param name="Kind">What becomes of the upload.</param>
/// <param name="Response">The outcome as bytes, or null where the protocol's own answer does.</param>
internal readonly record struct HandlerResult(HandlerResultKind Kind, ReadOnlyMemory<byte>? Response);

/// <summary>What becomes of an upload after its handler.</summary>
internal enum HandlerResultKind
{
    /// <summary>The outcome is stored, and the handler not run again.</summary>
    Final,

    /// <summary>The answer is given now and not stored; the handler may be run again.</summary>
    Retry,

    /// <summary>The answer is given now and not stored, and another run would not help: the upload waits for an operator.</summary>
    DeadLetter,
}
