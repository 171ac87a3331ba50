using System.Diagnostics.CodeAnalysis;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>Reads, replaces and repairs the record of an upload, and moves damaged uploads to quarantine.</summary>
internal sealed class RecordFile(StoreContext context, DirectorySync directorySync)
{
    private const int MaxSyncAttempts = 16;

    private readonly FileLayer _files = context.Files;
    private readonly RecordCache _cache = new();
    private readonly RecordAppender _appender = new(context.Files);

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
    public StoredRecord? ReadUnsynced(UploadKey key, FileSnapshot? snapshot) => ReadOrRepair(key, Decode(snapshot?.Content));

    private StoredRecord? ReadOrRepair(UploadKey key, RecordDecodeResult result)
    {
        if (result.Record is not null)
        {
            return result.Record;
        }

        string directory = context.Paths.GetUploadDirectory(key);
        if (result.NewerFormat is { } format)
        {
            throw new UploadStoreException(
                StoreFailure.Unavailable,
                $"The record in '{directory}' has format version {format}; this version of the package reads up to {RecordCodec.FormatVersion}. It was written by a newer version, and was left untouched.");
        }

        if (!_files.DirectoryExists(directory))
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
            return result.Record;
        }

        return TryRepair(key, damage, out StoredRecord? repaired) ? repaired : Quarantine(key, damage);
    }

    /// <summary>Replaces the record of a locked upload. Returns false if the upload was deleted.</summary>
    /// <param name="upload">The upload.</param>
    /// <param name="next">The record that replaces its record.</param>
    /// <param name="isDeferred">Whether the record becomes durable only with a later change, or when it is read.</param>
    public bool Write(LockedUpload upload, StoredRecord next, bool isDeferred = false)
    {
        if (_appender.TryAppend(upload, next) is { } isWritten)
        {
            return isWritten;
        }

        string directory = upload.Paths.Directory;

        // While the last change is not durable, the temporary name is that of the last durable record. The record itself then gets a third name: a reader
        // may be making it durable at the same time.
        string? durablePath = upload.IsUnsynced ? Path.Combine(directory, StorePaths.TemporaryRecordFileName) : null;
        bool hasDurable = durablePath is not null && _files.FileExists(durablePath);
        if (next.Durability == Durability.PowerLoss && !hasDurable)
        {
            // What a crash has left under the third name must not be taken for a later record.
            DeleteIfExists(Path.Combine(directory, StorePaths.NextRecordFileName));
        }

        var replacement = new FileReplacement(
            directory,
            StorePaths.GetLockFileName(next.Nonce),
            StorePaths.RecordFileName,
            hasDurable ? StorePaths.NextRecordFileName : StorePaths.TemporaryRecordFileName,
            next.Durability == Durability.PowerLoss ? FileReplacementMode.Exchange : FileReplacementMode.Unsynced);
        ReadOnlyMemory<byte> encoded = RecordCodec.Encode(next);
        using ReplacedFile? replaced = _files.ReplaceFile(replacement, encoded.Span);
        if (replaced is null)
        {
            return false;
        }

        string? previous = replaced.PreviousPath;
        if (hasDurable && previous is not null && IsDurable(previous))
        {
            // A reader has made the replaced record durable in the meantime, and has reported it.
            _files.RenameFile(previous, durablePath!);
            previous = durablePath;
        }

        if (replacement.Mode != FileReplacementMode.Unsynced && !isDeferred)
        {
            Sync(replaced, replacement, previous, upload.IsUnsynced ? directorySync.GetAncestors(upload.Key) : []);
            DeleteIfExists(previous);
            DeleteIfExists(hasDurable ? durablePath : null);
        }

        upload.IsUnsynced = isDeferred;
        upload.Record = next.EndingAt(encoded.Length);
        return true;
    }

    /// <summary>Replaces the record with one that has another staging offset. Returns false if the upload was deleted.</summary>
    public bool WriteStagingOffset(LockedUpload upload, long? offset) =>
        Write(upload, upload.Record with { StagingOffset = offset, WriteCount = upload.Record.WriteCount + 1 });

    /// <summary>Makes a replaced file durable. If that fails and the old file still exists, the old file gets its name back.</summary>
    private void Sync(ReplacedFile replaced, in FileReplacement replacement, string? previous, ReadOnlySpan<SyncTarget> others)
    {
        try
        {
            ReadOnlySpan<SyncTarget> content = replaced.IsContentSynced ? [] : [new SyncTarget(replaced.File)];
            context.SyncAll([.. content, new SyncTarget(replacement.Directory), .. others]);
            _files.MarkNameSynced(replaced.File);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            if (previous is not null && _files.FileExists(Path.Combine(replacement.Directory, replacement.GuardName)))
            {
                RestorePrevious(replaced, previous, replacement.Path);
            }

            throw;
        }
    }

    /// <summary>Gives the old file its name back, unless a reader has made the new one durable meanwhile and has reported it.</summary>
    private void RestorePrevious(ReplacedFile replaced, string previous, string path)
    {
        if (!_files.IsNameUnsynced(replaced.File))
        {
            return;
        }

        // A reader must sync the directory before it reports the old file, because the name of the new one may have reached the disk.
        using (OpenFile old = _files.OpenWrite(previous))
        {
            _files.MarkNameUnsynced(old);
        }

        _files.ExchangeFiles(previous, path);
        if (_files.IsNameUnsynced(replaced.File))
        {
            DeleteIfExists(previous);
            return;
        }

        // The next reader must sync the directory again, because the name of the old one may have reached the disk.
        _files.MarkNameUnsynced(replaced.File);
        _files.ExchangeFiles(previous, path);
    }

    private bool IsDurable(string path)
    {
        using OpenFile file = _files.OpenRead(path);
        return !_files.IsNameUnsynced(file);
    }

    private void DeleteIfExists(string? path)
    {
        if (path is null)
        {
            return;
        }

        try
        {
            _files.DeleteFile(path);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            // The next change of the record deletes it.
        }
    }

    /// <summary>Moves a damaged upload to quarantine, which frees its key. Returns the record if the upload turns out to be intact.</summary>
    public StoredRecord? Quarantine(UploadKey key, string reason)
    {
        string directory = context.Paths.GetUploadDirectory(key);
        string target = Path.Combine(context.Paths.Quarantine, $"{key.Owner}.{key.Id}.{NonceGenerator.Next()}");
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
        if (ReadIntact(target) is { } intact && _files.RenameDirectory(target, directory))
        {
            _files.SyncDirectory(context.Paths.GetShardDirectory(key));
            return intact;
        }

        _files.SyncDirectory(context.Paths.GetShardDirectory(key));
        Log.Quarantined(context.Logger, directory, reason, target);
        return null;
    }

    /// <summary>Returns the record in a directory if the record can be read and the content is not missing.</summary>
    private StoredRecord? ReadIntact(string directory) =>
        Decode(_files.ReadFile(Path.Combine(directory, StorePaths.RecordFileName), RecordCodec.MaxLength)).Record is { } record
        && (record.Record.State != UploadState.Receiving || _files.FileExists(new UploadFilePaths(directory, record.Nonce).DataPath))
            ? record
            : null;

    private RecordDecodeResult Decode(byte[]? bytes) =>
        bytes is null ? new RecordDecodeResult(null, null, "the record is missing") : _cache.Decode(bytes);

    /// <summary>Decodes a record and makes it and its name durable before its content is reported.</summary>
    private RecordDecodeResult Decode(UploadKey key, FileSnapshot? snapshot, int attempt = 1)
    {
        RecordDecodeResult result = Decode(snapshot?.Content);
        if (result.Record is null || !directorySync.EnsureSynced(key, snapshot!) || _files.IsUnchanged(snapshot!))
        {
            return result;
        }

        // The syncs may have been those of another record: of the next one, or of the previous one, to which its writer returned after a failure.
        if (attempt == MaxSyncAttempts)
        {
            throw new UploadStoreException(StoreFailure.Unavailable, $"The record in '{context.Paths.GetUploadDirectory(key)}' kept changing while it was made durable.");
        }

        using FileSnapshot? current = ReadSnapshot(key);
        return Decode(key, current, attempt + 1);
    }

    /// <summary>Replaces a damaged record, and returns the new one, or null if the upload was deleted. The file from which it was restored stays until the new one is durable.</summary>
    private StoredRecord? WriteRepaired(string directory, StoredRecord record)
    {
        var replacement = new FileReplacement(
            directory,
            StorePaths.GetLockFileName(record.Nonce),
            StorePaths.RecordFileName,
            StorePaths.RepairedRecordFileName,
            record.Durability == Durability.ProcessCrash ? FileReplacementMode.Unsynced : FileReplacementMode.SyncFirst);
        ReadOnlyMemory<byte> encoded = RecordCodec.Encode(record);
        using ReplacedFile? replaced = _files.ReplaceFile(replacement, encoded.Span);
        if (replaced is null)
        {
            return null;
        }

        if (replacement.Mode != FileReplacementMode.Unsynced)
        {
            Sync(replaced, replacement, previous: null, []);
        }

        DeleteIfExists(Path.Combine(directory, StorePaths.NextRecordFileName));
        DeleteIfExists(Path.Combine(directory, StorePaths.TemporaryRecordFileName));
        return record.EndingAt(encoded.Length);
    }

    /// <summary>
    /// Restores a damaged record from a file with one of the temporary names, if there is a valid one: the version before a change that a power loss interrupted,
    /// or the version after it.
    /// </summary>
    private bool TryRepair(UploadKey key, string damage, [NotNullWhen(true)] out StoredRecord? record)
    {
        record = null;
        string directory = context.Paths.GetUploadDirectory(key);
        if (FindLatestRecord(directory, out string? source) is not { } next)
        {
            return false;
        }

        try
        {
            string lockPath = new UploadFilePaths(directory, next.Nonce).LockPath;
            if (!_files.FileExists(lockPath))
            {
                UploadLocker.RestoreLockFile(_files, lockPath);
            }

            using OpenFile lockFile = _files.TryLock(lockPath) ?? throw new UploadStoreException(
                StoreFailure.Unavailable, $"The record in '{directory}' is damaged, and the upload is locked by another request or process.");
            using FileSnapshot? snapshot = ReadSnapshot(key);
            if (Decode(key, snapshot).Record is { } intact)
            {
                record = intact;
                return true;
            }

            // Only the holder of the lock writes the temporary file, so it is still as it was read. Its content is written again, because it
            // may not have been synced.
            record = WriteRepaired(directory, next with { WriteCount = next.WriteCount + 1 });
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
    private StoredRecord? FindLatestRecord(string directory, out string source)
    {
        source = Path.Combine(directory, StorePaths.TemporaryRecordFileName);
        string nextPath = Path.Combine(directory, StorePaths.NextRecordFileName);
        StoredRecord? record = ReadRecord(source);
        if (ReadRecord(nextPath) is not { } next || (record is not null && (record.Nonce != next.Nonce || record.WriteCount > next.WriteCount)))
        {
            return record;
        }

        source = nextPath;
        return next;
    }

    private StoredRecord? ReadRecord(string path) => _files.ReadFile(path, RecordCodec.MaxLength) is { } bytes ? RecordCodec.Decode(bytes).Record : null;
}
