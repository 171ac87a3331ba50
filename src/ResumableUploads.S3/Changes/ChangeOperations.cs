using ResumableUploads.Abstractions;
using ResumableUploads.S3.State;
using ResumableUploads.S3.Storage;

namespace ResumableUploads.S3.Changes;

/// <summary>Changes and deletes uploads.</summary>
internal sealed class ChangeOperations(StoreContext context, StateReader reader)
{
    /// <summary>The maximum length, in bytes, of a response within the state object.</summary>
    private const int MaxInlineResponseLength = 8 * 1024;

    public const string ResponsePrefix = "response-";

    private const int MaxAttempts = 100;

    /// <summary>Updates the record and, if there is one, the response.</summary>
    public async Task<UpdateResult> UpdateAsync(
        UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte>? response, CancellationToken cancellationToken)
    {
        string? responseObject = null;
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            (ChangeStatus status, StoredState? state) = await FindChangeableAsync(key, version, cancellationToken);
            if (status != ChangeStatus.Succeeded)
            {
                return new UpdateResult(status, null);
            }

            if (state is null)
            {
                continue;
            }

            UploadDocument document = state.Document;
            if (record.State < document.State)
            {
                if (context.States.Forget(key))
                {
                    continue;
                }

                throw new ArgumentException($"The upload is in state {document.State} and cannot return to {record.State}.", nameof(record));
            }

            UploadDocument updated = document.WithRecord(record, context.Clock.GetChangeTime());
            if (response is { } bytes)
            {
                responseObject ??= await StoreResponseAsync(document, bytes, cancellationToken);
                updated = WithResponse(updated, bytes, responseObject);
            }

            StateWrite write = await context.States.WriteAsync(state, updated, cancellationToken);
            if (write.IsWritten)
            {
                return new UpdateResult(ChangeStatus.Succeeded, write.State!.Document.ToInfo(key));
            }
        }

        throw KeptChanging(key);
    }

    public async Task<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken)
    {
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            UploadDocument? document = (await reader.FindAsync(key, cancellationToken))?.Document;
            if (document?.ResponseObject is not { } name)
            {
                return document?.Response is { } response ? (ReadOnlyMemory<byte>?)response : null;
            }

            if (await context.Storage.FindAsync(context.Keys.GetObject(document.Folder, name), cancellationToken) is { } found)
            {
                return found.Bytes;
            }
        }

        throw KeptChanging(key);
    }

    public async Task<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken)
    {
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            StoredState? state;
            if (version is null)
            {
                state = await reader.FindAsync(key, cancellationToken);
                if (state is null)
                {
                    return new DeleteResult(ChangeStatus.NotFound);
                }

                state = state.Document.Move is null ? state : await reader.EndMoveAsync(state, cancellationToken);
            }
            else
            {
                (ChangeStatus status, state) = await FindChangeableAsync(key, version, cancellationToken);
                if (status != ChangeStatus.Succeeded)
                {
                    return new DeleteResult(status);
                }
            }

            if (state is not null && await context.States.WriteAsync(state, CreateTombstone(state.Document), cancellationToken) is { IsWritten: true } write)
            {
                await RemoveAsync(write.State!, cancellationToken);
                return new DeleteResult(ChangeStatus.Succeeded);
            }
        }

        throw KeptChanging(key);
    }

    /// <summary>Ends a creation whose process has died.</summary>
    public async Task EndCreationAsync(StoredState state, CancellationToken cancellationToken)
    {
        if (context.Writers.IsDead(state) && await context.States.WriteAsync(state, CreateTombstone(state.Document), cancellationToken) is { IsWritten: true } write)
        {
            await RemoveAsync(write.State!, cancellationToken);
        }
    }

    /// <summary>Deletes the objects of a deleted upload, and then its state. What remains after a failure is found by the clean-up.</summary>
    public async Task RemoveAsync(StoredState tombstone, CancellationToken cancellationToken)
    {
        try
        {
            await RemoveObjectsAsync(tombstone.Key, tombstone.Document, cancellationToken);
            StateWrite removing = await context.States.WriteAsync(tombstone, tombstone.Document with { Phase = UploadPhase.Removing }, cancellationToken);
            if (removing.IsWritten)
            {
                await context.States.DeleteAsync(removing.State!, cancellationToken);
            }
        }
        catch (UploadStoreException e)
        {
            Log.DeleteFailed(context.Logger, tombstone.Key, e);
        }
    }

    /// <summary>Deletes the objects of an upload that no longer exists, unless another upload may use them.</summary>
    public async Task RemoveObjectsAsync(UploadKey key, UploadDocument document, CancellationToken cancellationToken)
    {
        List<string> found = [];
        await foreach (IReadOnlyList<Amazon.S3.Model.S3Object> page in context.Storage.ListAsync(context.Keys.GetFolder(document.Folder), null, cancellationToken))
        {
            found.AddRange(page.Select(static item => item.Key));
        }

        string uses = context.Keys.GetUses(document.Folder);
        string ownUse = $"{uses}{key}/";
        if (!found.Any(name => name.StartsWith(uses, StringComparison.Ordinal) && !name.StartsWith(ownUse, StringComparison.Ordinal)))
        {
            await context.Storage.DeleteAsync(found, cancellationToken);
        }
    }

    private static UploadDocument CreateTombstone(UploadDocument document) => new()
    {
        Phase = UploadPhase.Deleted,
        Nonce = document.Nonce,
        Folder = document.Folder,
        Generation = document.Generation,
        Epoch = document.Epoch + 1,
        LastModified = document.LastModified,
    };

    private static UploadDocument WithResponse(UploadDocument document, ReadOnlyMemory<byte> response, string? name) =>
        document with { Response = name is null ? response.ToArray() : null, ResponseObject = name };

    /// <summary>Returns the state of an upload with a version. A status of success without a state means that it must be read again.</summary>
    private async Task<(ChangeStatus Status, StoredState? State)> FindChangeableAsync(UploadKey key, string version, CancellationToken cancellationToken)
    {
        if (context.States.FindRecent(key) is { } recent && recent.Document.Version == version)
        {
            return (ChangeStatus.Succeeded, recent);
        }

        if (await reader.FindAsync(key, cancellationToken) is not { } state)
        {
            return (ChangeStatus.NotFound, null);
        }

        if (state.Document.Version != version)
        {
            return (ChangeStatus.VersionMismatch, null);
        }

        bool isChanging = state.Document is { HasWriter: true } or { Move: not null };
        StoredState? changeable = await reader.FindChangeableAsync(state, cancellationToken);
        return changeable is null && isChanging && !context.Writers.IsDead(state) ? (ChangeStatus.Busy, null) : (ChangeStatus.Succeeded, changeable);
    }

    /// <summary>Writes a long response to an object of its own. Its name has the generation that names it, so that the clean-up knows when none can.</summary>
    private async Task<string?> StoreResponseAsync(UploadDocument document, ReadOnlyMemory<byte> response, CancellationToken cancellationToken)
    {
        if (response.Length <= MaxInlineResponseLength)
        {
            return null;
        }

        string name = $"{ResponsePrefix}{document.Generation:x16}-{RandomName.Create()}";
        using var content = new MemoryStream(response.ToArray(), writable: false);
        await context.Storage.PutAsync(context.Keys.GetObject(document.Folder, name), content, cancellationToken);
        return name;
    }

    private static UploadStoreException KeptChanging(UploadKey key) =>
        new(StoreFailure.Unavailable, $"The state of upload '{key}' kept changing while it was read; gave up after {MaxAttempts} attempts.");
}
