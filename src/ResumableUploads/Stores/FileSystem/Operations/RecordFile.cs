using System.Diagnostics.CodeAnalysis;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Operations.Locking;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>Reads, replaces and repairs the record of an upload, and moves damaged uploads to quarantine.</summary>
internal sealed class RecordFile(StoreContext context, DirectorySync directorySync)
{
    private const int MaxSyncAttempts = 16;

    private static readonly RecordDecodeResult Missing = new(null, null, "the record is missing");

    private readonly FileLayer _files = context.Files;
    private readonly RecordCache _cache = new();
    private readonly RecordWriter _writer = new(context, directorySync);
    private readonly LockFiles _lockFiles = new(context);

    /// <summary>Reads a record. Returns null if the upload does not exist, or if it was damaged and is now in quarantine.</summary>
    /// <exception cref="UploadStoreException">The record has a newer format, and is left untouched.</exception>
    public StoredRecord? Read(UploadKey key)
    {
        using FileSnapshot? snapshot = ReadSnapshot(key);
        return Read(key, snapshot);
    }

    /// <summary>Keeps a record that was written, so that the next reader of the same bytes need not decode them.</summary>
    public void Remember(ReadOnlySpan<byte> encoded, StoredRecord record) => _cache.Add(encoded, record);

    /// <summary>Reads the file of a record, or returns null if there is none.</summary>
    public FileSnapshot? ReadSnapshot(UploadKey key) => _files.ReadSnapshot(context.Paths.GetRecordPath(key), RecordCodec.MaxLength);

    /// <summary>Returns whether the record has not been replaced since it was read. Each replacement is a new file or a longer one.</summary>
    public bool IsCurrent([NotNullWhen(true)] FileSnapshot? snapshot) => snapshot is not null && _files.IsUnchanged(snapshot);

    /// <summary>Reads a record like <see cref="Read(UploadKey)"/>, from a file that has been read already.</summary>
    public StoredRecord? Read(UploadKey key, FileSnapshot? snapshot) => ReadOrRepair(key, Decode(key, snapshot));

    /// <summary>Reads a record, which may not be durable yet, from a file that has been read already.</summary>
    public StoredRecord? ReadUnsynced(UploadKey key, FileSnapshot? snapshot) => ReadOrRepair(key, Decode(snapshot));

    private StoredRecord? ReadOrRepair(UploadKey key, RecordDecodeResult result)
    {
        if (GetRecord(key, result) is { } found)
        {
            return found;
        }

        if (!_files.DirectoryExists(context.Paths.GetUploadDirectory(key)))
        {
            return null;
        }

        // The upload may have been created after the file was looked for, so read it once more.
        using (FileSnapshot? current = ReadSnapshot(key))
        {
            result = Decode(key, current);
        }

        if (result.DamageReason is not { } damage)
        {
            return GetRecord(key, result);
        }

        context.RequireThread();
        if (TryRepair(key, damage, out StoredRecord? repaired))
        {
            return repaired;
        }

        // Another request may have repaired the record, and then deleted the files from which it can be restored.
        using FileSnapshot? repairedElsewhere = ReadSnapshot(key);
        return GetRecord(key, Decode(key, repairedElsewhere)) ?? Quarantine(key, damage);
    }

    /// <summary>Returns a decoded record, or null if it is damaged.</summary>
    /// <exception cref="UploadStoreException">The record has a newer format.</exception>
    private StoredRecord? GetRecord(UploadKey key, in RecordDecodeResult result) => result.NewerFormat is { } format
        ? throw new UploadStoreException(
            StoreFailure.Unavailable,
            $"The record in '{context.Paths.GetUploadDirectory(key)}' has format version {format}; this version of the package reads up to {RecordCodec.FormatVersion}. It was written by a newer version, and was left untouched.")
        : result.Record;

    /// <inheritdoc cref="RecordWriter.Write"/>
    public bool Write(LockedUpload upload, StoredRecord next, bool isDeferred = false) => _writer.Write(upload, next, isDeferred);

    /// <summary>Replaces the record with one that has another staging offset. Returns false if the upload was deleted.</summary>
    public bool WriteStagingOffset(LockedUpload upload, long? offset) =>
        Write(upload, upload.Record with { StagingOffset = offset, WriteCount = upload.Record.WriteCount + 1 });

    /// <summary>Moves a damaged upload to quarantine, which frees its key. Returns the record if the upload turns out to be intact.</summary>
    /// <exception cref="UploadStoreException">The record has a newer format, and is left untouched.</exception>
    public StoredRecord? Quarantine(UploadKey key, string reason)
    {
        context.RequireThread();
        string directory = context.Paths.GetUploadDirectory(key);
        string target = context.Paths.GetQuarantineDirectory(key);
        try
        {
            _files.CreateDirectory(context.Paths.Quarantine);
            _files.RenameDirectory(directory, target);
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e))
        {
            // Another request moved or deleted it first.
            return null;
        }

        // The directory may belong to a new upload that was created after the damaged one was moved by another request. Move it back.
        try
        {
            RecordDecodeResult moved;
            using (FileSnapshot? record = _files.ReadSnapshot(Path.Combine(target, StorePaths.RecordFileName), RecordCodec.MaxLength))
            {
                moved = Decode(record);
            }

            if (IsIntact(target, moved) && directorySync.TryMoveBack(key, target))
            {
                return GetRecord(key, moved);
            }
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e) && _files.DirectoryExists(target))
        {
            // Whether it is intact is not known.
            directorySync.TryMoveBack(key, target);
            throw;
        }

        _files.SyncDirectory(context.Paths.GetShardDirectory(key));
        Log.Quarantined(context.Logger, directory, reason, target);
        return null;
    }

    /// <summary>Returns whether the record in a directory is not damaged and the content is not missing, as far as this version of the package can tell.</summary>
    private bool IsIntact(string directory, in RecordDecodeResult result) => result.NewerFormat is not null
        || (result.Record is { } record
            && (record.Record.State != UploadState.Receiving || _files.FileExists(new UploadFilePaths(directory, record.Nonce).DataPath)));

    private RecordDecodeResult Decode(FileSnapshot? snapshot) => snapshot is null ? Missing : _cache.Decode(snapshot.Content);

    /// <summary>Decodes a record and makes it and its name durable before its content is reported.</summary>
    private RecordDecodeResult Decode(UploadKey key, FileSnapshot? snapshot, int attempt = 1)
    {
        RecordDecodeResult result = Decode(snapshot);
        if (result.Record is not { } record || !_files.IsNameUnsynced(snapshot!))
        {
            return result;
        }

        context.RequireThread();
        bool isWritten = attempt == 1 && TryWriteAgain(key, record);
        if (!isWritten)
        {
            if (_files.HasSyncFailed(snapshot!))
            {
                throw new UploadStoreException(
                    StoreFailure.Unavailable, $"The record in '{context.Paths.GetUploadDirectory(key)}' could not be synced, and cannot be written again now.");
            }

            directorySync.EnsureSynced(key, snapshot!, isContentSynced: record.WriteCount == 1);
            if (_files.IsUnchanged(snapshot!))
            {
                return result;
            }
        }

        // The syncs may have been those of another record: of the next one, or of the previous one, to which its writer returned after a failure.
        if (attempt == MaxSyncAttempts)
        {
            throw new UploadStoreException(StoreFailure.Unavailable, $"The record in '{context.Paths.GetUploadDirectory(key)}' kept changing while it was made durable.");
        }

        using FileSnapshot? current = ReadSnapshot(key);
        return Decode(key, current, attempt + 1);
    }

    /// <summary>
    /// Replaces a record that may not be durable by one with the same content. A sync of the file itself can succeed without any effect: the kernel reports a
    /// failed write to the disk only once, perhaps to an earlier reader or to a process that has died.
    /// </summary>
    /// <returns>
    /// Whether the record is durable now. False if it has been since it was created, if the holder of the lock is about to make it durable, if the upload was
    /// deleted, or if the disk is full or read-only.
    /// </returns>
    private bool TryWriteAgain(UploadKey key, StoredRecord record)
    {
        using KeyedLocks.KeyedLock? entered = record.WriteCount > 1 ? context.TryEnterUpload(record.Nonce) : null;
        var paths = new UploadFilePaths(context.Paths.GetUploadDirectory(key), record.Nonce);
        using OpenFile? lockFile = entered is null ? null : TryLock(key, paths);
        if (lockFile is null)
        {
            return false;
        }

        using FileSnapshot? snapshot = ReadSnapshot(key);
        return Decode(snapshot).Record is { } current && current.Nonce == record.Nonce
            && (!_files.IsNameUnsynced(snapshot!) || _writer.TryWriteAgain(new LockedUpload(key, lockFile, paths, current, null) { IsUnsynced = true }));
    }

    private OpenFile? TryLock(UploadKey key, UploadFilePaths paths)
    {
        try
        {
            // A lost lock file is created by the first attempt.
            return _lockFiles.TryLock(key, paths, out OpenFile? lockFile) || _lockFiles.TryLock(key, paths, out lockFile) ? lockFile : null;
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e) || StorageErrors.IsFullOrReadOnly(e))
        {
            return null;
        }
    }

    /// <summary>
    /// Restores a damaged record from a file with one of the temporary names, if there is a valid one: the version before a change that a power loss interrupted,
    /// or the version after it.
    /// </summary>
    private bool TryRepair(UploadKey key, string damage, [NotNullWhen(true)] out StoredRecord? record)
    {
        record = null;
        string directory = context.Paths.GetUploadDirectory(key);
        if (FindLatestRecord(key, out string? source) is not { } next)
        {
            return false;
        }

        using KeyedLocks.KeyedLock? entered = context.TryEnterUpload(next.Nonce);
        try
        {
            string lockPath = new UploadFilePaths(directory, next.Nonce).LockPath;
            if (!_files.FileExists(lockPath))
            {
                LockFiles.Restore(_files, lockPath);
            }

            using OpenFile lockFile = _files.TryLock(lockPath) ?? throw new UploadStoreException(
                StoreFailure.Unavailable, $"The record in '{directory}' is damaged, and the upload is locked by another request or process.");
            using FileSnapshot? snapshot = ReadSnapshot(key);
            if (Decode(snapshot).DamageReason is null)
            {
                // The caller reads it without the lock, which is needed to make it durable.
                return false;
            }

            // Only the holder of the lock writes the temporary file, so it is still as it was read. Its content is written again, because it
            // may not have been synced.
            record = _writer.WriteRepaired(directory, next with { WriteCount = next.WriteCount + 1 });
            if (record is null)
            {
                return false;
            }

            Log.RecordRepaired(context.Logger, directory, damage, source);
            return true;
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e))
        {
            return false;
        }
    }

    /// <summary>Returns the record that was written last among those with a temporary name.</summary>
    private StoredRecord? FindLatestRecord(UploadKey key, out string source)
    {
        string directory = context.Paths.GetUploadDirectory(key);
        source = Path.Combine(directory, StorePaths.TemporaryRecordFileName);
        string nextPath = Path.Combine(directory, StorePaths.NextRecordFileName);
        StoredRecord? record = ReadRecord(key, source);
        if (ReadRecord(key, nextPath) is not { } next || record?.WriteCount > next.WriteCount)
        {
            return record;
        }

        source = nextPath;
        return next;
    }

    private StoredRecord? ReadRecord(UploadKey key, string path) =>
        _files.ReadFile(path, RecordCodec.MaxLength) is { } bytes ? GetRecord(key, RecordCodec.Decode(bytes)) : null;
}
