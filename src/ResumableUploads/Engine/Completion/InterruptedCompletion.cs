using System.Buffers;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Appending;
using ResumableUploads.Engine.Locking;

namespace ResumableUploads.Engine.Completion;

/// <summary>
/// Completes uploads that are complete with their last byte and are still receiving: the process died before it updated the record, or a power loss reverted
/// that update. The client got no response, and may not retry.
/// </summary>
internal sealed class InterruptedCompletion(EngineContext context, UploadLockTable locks, AppendFinisher finisher, CompletionService completion)
{
    /// <summary>
    /// Returns whether an upload is to be completed without a request. One whose client declares the end is not, because the client may still do so. An upload
    /// that has just changed is not either: a request of another process may still verify its digest. An upload whose content did not match its digest is not either, nor one of an endpoint, which only a request can run.
    /// </summary>
    public bool IsInterrupted(UploadInfo info, IUploadCallbacks callbacks) =>
        info.State == UploadState.Receiving
        && info.Offset == info.Length
        && context.RecordPolicy.ExpirationTime - info.LastModified >= context.Settings.SweepInterval
        && !EngineRecord.IsDamaged(info)
        && context.RecordPolicy.BelongsToThisEngine(info)
        && EngineRecord.From(info) is { CompletesAtLength: true, Request: null, Concatenation: null, ContentDigests: null } record
        && (callbacks.HasCompletionHandler || record.EngineName is not null);

    /// <summary>Completes an upload, unless a request holds its lock or has changed it.</summary>
    public async Task TryCompleteAsync(UploadKey key, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        AppendStep step;
        using (UploadLock? uploadLock = locks.TryAcquire(key))
        {
            if (uploadLock is null || await context.Store.GetAsync(key, cancellationToken) is not { } info || !IsInterrupted(info, callbacks))
            {
                return;
            }

            var command = new AppendCommand
            {
                Key = key,
                Offset = info.Offset,
                Body = PipeReader.Create(ReadOnlySequence<byte>.Empty),
                BodyLength = 0,
                CompletionRule = CompletionRule.AtLength,
            };
            step = await finisher.FinishAsync(new LockedAppend(command, uploadLock, callbacks), info, EngineRecord.From(info), cancellationToken);
        }

        await completion.CompleteAsync(step, callbacks, cancellationToken);
    }
}
