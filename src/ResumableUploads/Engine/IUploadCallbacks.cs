using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine;

/// <summary>What the engine asks of the application, through the request (or the background run) that it works for.</summary>
internal interface IUploadCallbacks
{
    /// <summary>Whether <see cref="CompleteAsync"/> does anything. If not, a received upload is completed at once.</summary>
    bool HasHandler { get; }

    /// <summary>Whether somebody listens to <see cref="ProgressAsync"/>.</summary>
    bool HasProgress { get; }

    /// <summary>Before an upload is made: whether it may be, and under which name.</summary>
    ValueTask<CreationVerdict> CreatingAsync(UploadKey key, UploadDetails details, long? length, CancellationToken cancellationToken);

    ValueTask ProgressAsync(UploadKey key, UploadData data, long offset, long? length, CancellationToken cancellationToken);

    /// <summary>Runs the application's handler. It throws when the handler does.</summary>
    ValueTask<HandlerResult> CompleteAsync(UploadInfo info, UploadData data, CancellationToken cancellationToken);

    ValueTask ExpiredAsync(UploadInfo info, UploadData data, CancellationToken cancellationToken);
}

/// <summary>What the application says to a new upload.</summary>
/// <param name="Refusal">Its no, or null.</param>
/// <param name="FileName">Its own name for the file, or null to keep the client's.</param>
internal readonly record struct CreationVerdict(Refusal? Refusal, string? FileName);

/// <summary>What the handler left.</summary>
/// <param name="IsFinal">Whether the outcome is to be stored, and the handler not run again.</param>
/// <param name="Answer">The outcome as bytes, or null where the protocol's own answer does.</param>
internal readonly record struct HandlerResult(bool IsFinal, ReadOnlyMemory<byte>? Answer);
