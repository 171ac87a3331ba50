using System.Diagnostics.CodeAnalysis;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>Reads, replaces and repairs the record of an upload, and moves damaged uploads to quarantine.</summary>
internal sealed class RecordFile(StoreContext context, DirectorySync directorySync)
{
    private readonly FileLayer _files = context.Files;
    private readonly RecordCache _cache = new();

    /// <summary>Reads a record. Returns null if the upload does not exist, or if it was damaged and is now in quarantine.</summary>
    /// <exception cref="UploadStoreException">The record has a newer format, and is left untouched.</exception>
    public StoredRecord? Read(UploadKey key)
    {
        using FileSnapshot? snapshot = ReadSnapshot(key);
        return Read(key, snapshot);
    }

    /// <summary>Reads the file of a record, or returns null if there is none.</summary>
    public FileSnapshot? ReadSnapshot(UploadKey key) => _files.ReadSnapshot(context.Paths.GetRecordPath(key), RecordCodec.MaxLength);

    /// <summary>Returns whether the record has not been replaced since it was read. Each replacement is a new file.</summary>
    public bool IsCurrent([NotNullWhen(true)] FileSnapshot? snapshot) => snapshot is not null && _files.IsUnchanged(snapshot);

    /// <summary>Reads a record like <see cref="Read(UploadKey)"/>, from a file that has been read already.</summary>
    public StoredRecord? Read(UploadKey key, FileSnapshot? snapshot)
    {
        RecordDecodeResult result = Decode(key, snapshot);
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

    /// <summary>Replaces the record. Returns false if the upload was deleted.</summary>
    public bool Write(string directory, StoredRecord record) => _files.ReplaceFile(
        new FileReplacement(
            directory,
            StorePaths.GetLockFileName(record.Nonce),
            StorePaths.RecordFileName,
            StorePaths.TemporaryRecordFileName,
            Sync: record.Durability == Durability.PowerLoss),
        RecordCodec.Encode(record).Span);

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

    /// <summary>Decodes a record and makes its name durable before its content is reported.</summary>
    private RecordDecodeResult Decode(UploadKey key, FileSnapshot? snapshot)
    {
        RecordDecodeResult result = Decode(snapshot?.Content);
        if (result.Record is not null)
        {
            directorySync.EnsureSynced(key, snapshot!);
        }

        return result;
    }

    /// <summary>Restores a damaged record from the temporary file of its next version, if there is a valid one.</summary>
    private bool TryRepair(UploadKey key, string damage, [NotNullWhen(true)] out StoredRecord? record)
    {
        record = null;
        string directory = context.Paths.GetUploadDirectory(key);
        string source = Path.Combine(directory, StorePaths.TemporaryRecordFileName);
        if (_files.ReadFile(source, RecordCodec.MaxLength) is not { } bytes || RecordCodec.Decode(bytes).Record is not { } next)
        {
            return false;
        }

        try
        {
            using OpenFile lockFile = _files.TryLock(new UploadFilePaths(directory, next.Nonce).LockPath) ?? throw new UploadStoreException(
                StoreFailure.Unavailable, $"The record in '{directory}' is damaged, and the upload is locked by another request or process.");
            using FileSnapshot? snapshot = ReadSnapshot(key);
            if (Decode(key, snapshot).Record is { } intact)
            {
                record = intact;
                return true;
            }

            // Only the holder of the lock writes the temporary file, so it is still as it was read. Its content is written again, because it
            // may not have been synced.
            record = next with { WriteCount = next.WriteCount + 1 };
            if (!Write(directory, record))
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
}
