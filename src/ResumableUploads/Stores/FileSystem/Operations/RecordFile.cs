using System.Diagnostics.CodeAnalysis;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>Reads and replaces the record of an upload, and takes damaged ones out of the way.</summary>
internal sealed class RecordFile(StoreContext context, DirectorySync directorySync)
{
    private readonly FileLayer _files = context.Files;
    private readonly RecordCache _cache = new();

    /// <summary>The record, or null where there is no upload, or was only a damaged one that is now in quarantine.</summary>
    /// <exception cref="UploadStoreException">The record is one of a newer format. It is left as it is.</exception>
    public StoredRecord? Read(UploadKey key)
    {
        using FileSnapshot? file = ReadSnapshot(key);
        return Read(key, file);
    }

    /// <summary>The file of the record, or null where there is none.</summary>
    public FileSnapshot? ReadSnapshot(UploadKey key) => _files.ReadSnapshot(context.Paths.GetRecordPath(key), RecordCodec.MaxLength);

    /// <summary>Whether the record is still the one in the file: every record that is written is a new file.</summary>
    public bool IsCurrent(FileSnapshot? file) => file is not null && _files.IsUnchanged(file);

    /// <summary>The same as <see cref="Read(UploadKey)"/>, where the file has been read already.</summary>
    public StoredRecord? Read(UploadKey key, FileSnapshot? file)
    {
        RecordDecodeResult result = ReadAndDecode(key, file);
        if (result.Record is not null)
        {
            return result.Record;
        }

        string directory = context.Paths.GetUploadDirectory(key);
        if (result.NewerFormat is { } format)
        {
            throw new UploadStoreException(
                StoreFailure.Unavailable,
                $"The record in '{directory}' has format version {format}; this package reads up to {RecordCodec.FormatVersion}. It was written by a newer package, and is left untouched.");
        }

        if (!_files.DirectoryExists(directory))
        {
            return null;
        }

        // Read once more, because an upload may have come into being between the two looks.
        result = ReadAndDecode(key);
        if (result.DamageReason is not { } damage)
        {
            return result.Record;
        }

        return TryRepair(key, damage, out StoredRecord? repaired) ? repaired : Quarantine(key, damage);
    }

    /// <summary>Writes a record in the place of the one before; false when the upload is gone.</summary>
    public bool Write(string directory, StoredRecord record) => _files.ReplaceFile(
        directory,
        StorePaths.GetLockFileName(record.Nonce),
        StorePaths.RecordFileName,
        StorePaths.TemporaryRecordFileName,
        RecordCodec.Encode(record).Span,
        record.Durability == Durability.PowerLoss);

    /// <summary>Moves a damaged upload to quarantine, so that its key is free. Gives the record that turned out to be whole instead, if any.</summary>
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
            // Somebody else was faster.
            return null;
        }

        // What was moved may be a new upload that took the place of the damaged one a moment ago. It goes back.
        if (Decode(_files.ReadFile(Path.Combine(target, StorePaths.RecordFileName), RecordCodec.MaxLength)).Record is { } whole && (whole.Record.State != UploadState.Receiving || _files.FileExists(new UploadFilePaths(target, whole.Nonce).DataPath)))
        {
            if (_files.RenameDirectory(target, directory))
            {
                _files.SyncDirectory(context.Paths.GetShardDirectory(key));
                return whole;
            }
        }

        _files.SyncDirectory(context.Paths.GetShardDirectory(key));
        Log.Quarantined(context.Logger, directory, reason, target);
        return null;
    }

    private RecordDecodeResult Decode(byte[]? bytes) =>
        bytes is null ? new RecordDecodeResult(null, null, "it has no record") : _cache.Decode(bytes);

    private RecordDecodeResult ReadAndDecode(UploadKey key)
    {
        using FileSnapshot? file = ReadSnapshot(key);
        return ReadAndDecode(key, file);
    }

    private RecordDecodeResult ReadAndDecode(UploadKey key, FileSnapshot? file)
    {
        RecordDecodeResult result = Decode(file?.Content);
        if (result.Record is not null)
        {
            directorySync.EnsureSynced(key, file!);
        }

        return result;
    }

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
            using OpenFile held = _files.TryLock(new UploadFilePaths(directory, next.Nonce).LockPath) ?? throw new UploadStoreException(
                StoreFailure.Unavailable, $"The record in '{directory}' is damaged, and somebody else is working on it.");
            if (ReadAndDecode(key).Record is { } whole)
            {
                record = whole;
                return true;
            }

            // Only the holder of the lock writes that file: it is as it was read, or was put in place by the repair of another.
            // Written anew, because it may not have been synced.
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
