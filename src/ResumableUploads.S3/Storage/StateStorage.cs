using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Amazon.S3.Model;
using ResumableUploads.Abstractions;
using ResumableUploads.S3.State;

namespace ResumableUploads.S3.Storage;

/// <summary>A state object that was read or written.</summary>
internal sealed record StoredState(UploadKey Key, UploadDocument Document, string ETag);

/// <summary>The result of a conditional write of a state object.</summary>
/// <param name="IsWritten">Whether the write has taken effect.</param>
/// <param name="State">
/// The state after the write; or the current state, which another write has changed, or <see langword="null"/> if it does not exist.
/// </param>
internal readonly record struct StateWrite(bool IsWritten, StoredState? State);

/// <summary>
/// The state objects. Only here the state of an upload changes, by one conditional write at a time. If the answer to a write is lost or unclear, the state is read:
/// each write has an id of its own, and the state names the ids of its last writes.
/// </summary>
internal sealed class StateStorage(ObjectStorage storage, ObjectKeys keys)
{
    private const string OverwrittenETag = "\"overwritten\"";
    private const int MaxRecent = 256;

    private readonly ConcurrentDictionary<UploadKey, StoredState> _recent = new();

    /// <summary>
    /// Returns the state that this store has written last, if it is remembered. It may have changed since, so that it may only be used for a conditional write; that
    /// saves a request.
    /// </summary>
    public StoredState? FindRecent(UploadKey key) => _recent.GetValueOrDefault(key);

    /// <summary>Forgets the state that this store has written last, so that the next call reads it.</summary>
    /// <returns>Whether it was remembered.</returns>
    public bool Forget(UploadKey key) => _recent.TryRemove(key, out _);

    public async Task<StoredState?> FindAsync(UploadKey key, CancellationToken cancellationToken)
    {
        string name = keys.GetState(key);
        return await storage.FindAsync(name, cancellationToken) is { } found ? new StoredState(key, DocumentJsonContext.Deserialize(found.Bytes, name), found.ETag) : null;
    }

    /// <summary>Lists the keys of state objects, page by page.</summary>
    public async IAsyncEnumerable<IReadOnlyList<UploadKey>> ListAsync(
        string? owner, UploadKey? startAfter, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string prefix = owner is null ? keys.States : keys.GetStates(owner);
        await foreach (IReadOnlyList<S3Object> page in storage.ListAsync(prefix, startAfter is { } key ? keys.GetState(key) : null, cancellationToken))
        {
            yield return [.. page.Select(found => keys.ParseState(found.Key)).OfType<UploadKey>()];
        }
    }

    /// <summary>Creates a state object.</summary>
    public Task<StateWrite> CreateAsync(UploadKey key, UploadDocument document, CancellationToken cancellationToken) => WriteAsync(key, document, eTag: null, cancellationToken);

    /// <summary>Replaces a state object if it has not changed since it was read.</summary>
    public Task<StateWrite> WriteAsync(StoredState current, UploadDocument document, CancellationToken cancellationToken) =>
        WriteAsync(current.Key, document with { Writes = current.Document.Writes }, current.ETag, cancellationToken);

    /// <summary>Deletes a state object if it has not changed since it was read. The request is not repeated: a copy of it could come late.</summary>
    public async Task DeleteAsync(StoredState current, CancellationToken cancellationToken)
    {
        string name = keys.GetState(current.Key);
        try
        {
            await storage.DeleteOnceAsync(name, current.ETag, cancellationToken);
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e) || StorageErrors.IsConditionFailed(e))
        {
            // Another process has deleted it, or a new upload has replaced it.
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw StorageErrors.Create(e, $"delete '{name}'", storage.Bucket, isWrite: true);
        }
    }

    private async Task<StateWrite> WriteAsync(UploadKey key, UploadDocument document, string? eTag, CancellationToken cancellationToken)
    {
        _recent.TryRemove(key, out _);
        StateWrite write = await TryWriteAsync(key, document, eTag, cancellationToken);
        if (write is { IsWritten: true, State: { Document: { Phase: UploadPhase.Live, HasWriter: false, Move: null } } written })
        {
            if (_recent.Count >= MaxRecent)
            {
                _recent.Clear();
            }

            _recent[key] = written;
        }

        return write;
    }

    private async Task<StateWrite> TryWriteAsync(UploadKey key, UploadDocument document, string? eTag, CancellationToken cancellationToken)
    {
        string name = keys.GetState(key);
        string id = RandomName.Create();
        document = document.WithWrite(id);
        byte[] bytes = DocumentJsonContext.Serialize(document);
        for (int attempt = 1; ; attempt++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Exception failure;
            try
            {
                return new StateWrite(true, new StoredState(key, document, await storage.PutOnceAsync(name, bytes, eTag, cancellationToken)));
            }
            catch (Exception e) when (StorageErrors.IsStorageError(e))
            {
                failure = e;
            }

            cancellationToken.ThrowIfCancellationRequested();
            if (!StorageErrors.IsTransient(failure) && !StorageErrors.IsConditionFailed(failure) && !StorageErrors.IsNotFound(failure))
            {
                throw StorageErrors.Create(failure, $"write '{name}'", storage.Bucket, isWrite: true);
            }

            StoredState? current = await FindAsync(key, cancellationToken);
            if (current is not null && current.Document.Writes.Contains(id))
            {
                // After another write, the entity tag must not match: it would let the next write of this caller replace a state that it has not seen.
                return new StateWrite(true, current.Document.Writes[0] == id ? current : new StoredState(key, document, OverwrittenETag));
            }

            if (current?.ETag != eTag)
            {
                return new StateWrite(false, current);
            }

            // A delayed copy of this write cannot take effect twice: it has the same condition as the next attempt.
            if (attempt == ObjectStorage.MaxAttempts)
            {
                throw StorageErrors.Create(failure, $"write '{name}'", storage.Bucket, isWrite: true);
            }

            await storage.DelayAsync(attempt, cancellationToken);
        }
    }
}
