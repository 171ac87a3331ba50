using ResumableUploads.Abstractions;
using ResumableUploads.S3.State;
using ResumableUploads.S3.Storage;

namespace ResumableUploads.S3.Changes;

/// <summary>
/// Moves an upload to the key of another one. First, the upload is marked as moving to the state that was read; nothing else can change it then. One conditional
/// write of the other state makes the move. If the process dies between the two, the next call that finds the mark ends the move.
/// </summary>
internal sealed class ReplaceOperation(StoreContext context, StateReader reader, ChangeOperations changes)
{
    private const int MaxAttempts = 100;

    public async Task<UpdateResult> ReplaceAsync(
        UploadKey key, string version, UploadKey replacementKey, string replacementVersion, CancellationToken cancellationToken)
    {
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            StoredState? old = await reader.FindAsync(key, cancellationToken);
            StoredState? replacement = await reader.FindAsync(replacementKey, cancellationToken);
            if (old is null || replacement is null)
            {
                return new UpdateResult(ChangeStatus.NotFound, null);
            }

            if (old.Document.Version != version || replacement.Document.Version != replacementVersion)
            {
                return new UpdateResult(ChangeStatus.VersionMismatch, null);
            }

            if (replacement.Document.State != UploadState.Receiving)
            {
                throw new ArgumentException("The replacement must be in state Receiving.", nameof(replacementKey));
            }

            if (await reader.FindChangeableAsync(old, cancellationToken) is not { } changeableOld
                || await reader.FindChangeableAsync(replacement, cancellationToken) is not { } changeable)
            {
                return new UpdateResult(ChangeStatus.Busy, null);
            }

            if (await TryMoveAsync(changeableOld, changeable, cancellationToken) is { } moved)
            {
                return new UpdateResult(ChangeStatus.Succeeded, moved.Document.ToInfo(key));
            }
        }

        throw new UploadStoreException(StoreFailure.Unavailable, $"The state of upload '{key}' kept changing while it was replaced; gave up after {MaxAttempts} attempts.");
    }

    private async Task<StoredState?> TryMoveAsync(StoredState old, StoredState replacement, CancellationToken cancellationToken)
    {
        UploadDocument document = replacement.Document;
        using var empty = new MemoryStream();
        await context.Storage.PutAsync(context.Keys.GetUse(document.Folder, $"{old.Key}/{document.Nonce}/move"), empty, cancellationToken);
        StateWrite marked = await context.States.WriteAsync(
            replacement, document with { Move = new PendingMove(old.Key.Owner, old.Key.Id, old.ETag) }, cancellationToken);
        if (!marked.IsWritten)
        {
            return null;
        }

        StateWrite moved = await context.States.WriteAsync(old, document.WithEpoch(hasWriter: false) with { Generation = document.Generation + 1 }, cancellationToken);
        if (!moved.IsWritten)
        {
            await context.States.WriteAsync(marked.State!, document, cancellationToken);
            return null;
        }

        try
        {
            await context.States.DeleteAsync(marked.State!, cancellationToken);
            await changes.RemoveObjectsAsync(old.Key, old.Document, cancellationToken);
        }
        catch (UploadStoreException e)
        {
            Log.DeleteFailed(context.Logger, replacement.Key, e);
        }

        return moved.State;
    }
}
