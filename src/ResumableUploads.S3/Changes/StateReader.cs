using ResumableUploads.Abstractions;
using ResumableUploads.S3.State;
using ResumableUploads.S3.Storage;

namespace ResumableUploads.S3.Changes;

/// <summary>Reads the state of uploads that exist, and ends what processes have left that died.</summary>
internal sealed class StateReader(StoreContext context)
{
    /// <summary>Returns the state of an upload, or <see langword="null"/> if the upload does not exist.</summary>
    public async Task<StoredState?> FindAsync(UploadKey key, CancellationToken cancellationToken)
    {
        if (await context.States.FindAsync(key, cancellationToken) is not { Document.Phase: UploadPhase.Live } state)
        {
            return null;
        }

        return state.Document.Move is { } move && await IsMovedAsync(state, move, cancellationToken) ? null : state;
    }

    /// <summary>
    /// Returns the state that a change of the upload starts from, or <see langword="null"/> if another call is changing the upload. If that call belongs to a process
    /// that has died, its change is ended.
    /// </summary>
    /// <param name="state">The state that was read.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    public async Task<StoredState?> FindChangeableAsync(StoredState state, CancellationToken cancellationToken)
    {
        if (state.Document is { HasWriter: false, Move: null })
        {
            context.Writers.Forget(state.Key);
            return state;
        }

        if (!context.Writers.IsDead(state))
        {
            return null;
        }

        return state.Document.Move is null ? await EndWriterAsync(state, cancellationToken) : await EndMoveAsync(state, cancellationToken);
    }

    /// <summary>Raises the epoch, so that the running append can no longer change the upload.</summary>
    /// <returns>The new state, or <see langword="null"/> if the state has changed.</returns>
    public async Task<StoredState?> EndWriterAsync(StoredState state, CancellationToken cancellationToken)
    {
        StateWrite write = await context.States.WriteAsync(state, state.Document.WithEpoch(hasWriter: false), cancellationToken);
        if (!write.IsWritten)
        {
            return null;
        }

        Log.DeadWriterEnded(context.Logger, state.Key, context.Options.WriterTimeout);
        return write.State;
    }

    /// <summary>Ends a move to another key: completes it if the other state has been written, and otherwise makes sure that it never is.</summary>
    /// <returns>The new state, or <see langword="null"/> if the upload was moved, or the state has changed.</returns>
    public async Task<StoredState?> EndMoveAsync(StoredState state, CancellationToken cancellationToken)
    {
        PendingMove move = state.Document.Move!;
        if (await IsMovedAsync(state, move, cancellationToken))
        {
            await context.States.DeleteAsync(state, cancellationToken);
            return null;
        }

        StoredState? target = await context.States.FindAsync(new UploadKey(move.Owner, move.Id), cancellationToken);
        if (target?.ETag == move.ETag && !(await context.States.WriteAsync(target, target.Document, cancellationToken)).IsWritten)
        {
            return null;
        }

        StateWrite write = await context.States.WriteAsync(state, state.Document with { Move = null }, cancellationToken);
        return write.IsWritten ? write.State : null;
    }

    private async Task<bool> IsMovedAsync(StoredState state, PendingMove move, CancellationToken cancellationToken) =>
        (await context.States.FindAsync(new UploadKey(move.Owner, move.Id), cancellationToken))?.Document.Nonce == state.Document.Nonce;
}
