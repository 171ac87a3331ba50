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

        context.RequireThread();
        if (TryRepair(key, damage, out StoredRecord? repaired))
        {
            return repaired;
        }

        // Another request may have repaired the record, and then deleted the files from which it can be restored.
        using FileSnapshot? repairedElsewhere = ReadSnapshot(key);
        return Decode(key, repairedElsewhere).Record ?? Quarantine(key, damage);
    }

    /// <summary>Replaces the record of a locked upload. Returns false if the upload was deleted.</summary>
    /// <param name="upload">The upload.</param>
    /// <param name="next">The record that replaces its record.</param>
    /// <param name="isDeferred">Whether the record becomes durable only with a later change, or when it is read.</param>
    /// <param name="obsoleteName">The name of a file that is deleted before the record is replaced, or null.</param>
    public bool Write(LockedUpload upload, StoredRecord next, bool isDeferred = false, string? obsoleteName = null)
    {
        if (obsoleteName is null && _appender.TryAppend(upload, next) is { } isWritten)
        {
            return isWritten;
        }

        string directory = upload.Paths.Directory;
        bool isPowerLoss = next.Durability == Durability.PowerLoss;
        if (isPowerLoss && (!isDeferred || !_files.CanExchangeNames))
        {
            context.RequireThread();
        }

        // While the last change is not durable, the temporary name is that of the last durable record. The record itself then gets a third name: a reader
        // may be making it durable at the same time.
        bool hasDurable = upload.IsUnsynced && _files.FileExists(Path.Combine(directory, StorePaths.TemporaryRecordFileName));

        // What a crash has left under the third name must not be taken for a later record.
        string? leftoverName = isPowerLoss && !hasDurable ? StorePaths.NextRecordFileName : null;
        var replacement = new FileReplacement(
            directory,
            StorePaths.GetLockFileName(next.Nonce),
            StorePaths.RecordFileName,
            hasDurable ? StorePaths.NextRecordFileName : StorePaths.TemporaryRecordFileName,
            isPowerLoss ? FileReplacementMode.Exchange : FileReplacementMode.Unsynced)
        {
            ObsoleteNames = [leftoverName, obsoleteName],
        };
        ReadOnlyMemory<byte> encoded = RecordCodec.Encode(next);
        using ReplacedFile? replaced = _files.ReplaceFile(replacement, encoded.Span);
        if (replaced is null)
        {
            return false;
        }

        string? previous = replaced.PreviousName;
        if (hasDurable && previous is not null && IsDurable(replaced, previous))
        {
            // A reader has made the replaced record durable in the meantime, and has reported it.
            _files.RenameSibling(replaced, previous, StorePaths.TemporaryRecordFileName);
            previous = StorePaths.TemporaryRecordFileName;
        }

        if (replacement.Mode != FileReplacementMode.Unsynced && !isDeferred)
        {
            Sync(replaced, replacement, previous, upload.IsUnsynced ? directorySync.GetAncestors(upload.Key) : []);
            DeleteIfExists(replaced, previous);
            DeleteIfExists(replaced, hasDurable ? StorePaths.TemporaryRecordFileName : null);
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
                RestorePrevious(replaced, previous);
            }

            throw;
        }
    }

    /// <summary>Gives the old file its name back, unless a reader has made the new one durable meanwhile and has reported it.</summary>
    private void RestorePrevious(ReplacedFile replaced, string previous)
    {
        if (!_files.IsNameUnsynced(replaced.File))
        {
            return;
        }

        // A reader must sync the directory before it reports the old file, because the name of the new one may have reached the disk.
        using (OpenFile old = _files.OpenSibling(replaced, previous))
        {
            _files.MarkNameUnsynced(old);
        }

        _files.ExchangeSiblings(replaced, previous, StorePaths.RecordFileName);
        if (_files.IsNameUnsynced(replaced.File))
        {
            DeleteIfExists(replaced, previous);
            return;
        }

        // The next reader must sync the directory again, because the name of the old one may have reached the disk.
        _files.MarkNameUnsynced(replaced.File);
        _files.ExchangeSiblings(replaced, previous, StorePaths.RecordFileName);
    }

    private bool IsDurable(ReplacedFile replaced, string name)
    {
        using OpenFile file = _files.OpenSibling(replaced, name);
        return !_files.IsNameUnsynced(file);
    }

    private void DeleteIfExists(ReplacedFile replaced, string? name)
    {
        if (name is null)
        {
            return;
        }

        try
        {
            _files.DeleteSibling(replaced, name);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            // The next change of the record deletes it.
        }
    }

    /// <summary>Moves a damaged upload to quarantine, which frees its key. Returns the record if the upload turns out to be intact.</summary>
    public StoredRecord? Quarantine(UploadKey key, string reason)
    {
        context.RequireThread();
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
        if (result.Record is not { } record || !_files.IsNameUnsynced(snapshot!))
        {
            return result;
        }

        context.RequireThread();
        bool isWritten = attempt == 1 && TryWriteAgain(key, record);
        if (!isWritten)
        {
            directorySync.EnsureSynced(key, snapshot!);
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
    /// <returns>Whether the record is durable now. False if it has been since it was created, or if the holder of the lock is about to make it durable.</returns>
    private bool TryWriteAgain(UploadKey key, StoredRecord record)
    {
        using KeyedLocks.KeyedLock? entered = record.WriteCount > 1 ? context.TryEnterUpload(record.Nonce) : null;
        var paths = new UploadFilePaths(context.Paths.GetUploadDirectory(key), record.Nonce);
        using OpenFile? lockFile = entered is null || !_files.FileExists(paths.LockPath) ? null : _files.TryLock(paths.LockPath);
        if (lockFile is null)
        {
            return false;
        }

        using FileSnapshot? snapshot = ReadSnapshot(key);
        return Decode(snapshot?.Content).Record is { } current && current.Nonce == record.Nonce
            && (!_files.IsNameUnsynced(snapshot!)
                || Write(new LockedUpload(key, lockFile, paths, current, null) { IsUnsynced = true }, current with { WriteCount = current.WriteCount + 1 }));
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

        DeleteIfExists(replaced, StorePaths.NextRecordFileName);
        DeleteIfExists(replaced, StorePaths.TemporaryRecordFileName);
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

        using KeyedLocks.KeyedLock? entered = context.TryEnterUpload(next.Nonce);
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
