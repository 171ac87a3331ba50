using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>Replaces the records of locked uploads.</summary>
internal sealed class RecordWriter(StoreContext context, DirectorySync directorySync)
{
    private readonly FileLayer _files = context.Files;
    private readonly RecordAppender _appender = new(context.Files);

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

        if (IsPowerLoss(upload, next) && (!isDeferred || !_files.CanExchangeNames))
        {
            context.RequireThread();
        }

        FileReplacement replacement = CreateReplacement(upload, next);
        ReadOnlyMemory<byte> encoded = RecordCodec.Encode(next);
        using ReplacedFile? replaced = _files.ReplaceFile(replacement, encoded.Span);
        if (replaced is null)
        {
            return false;
        }

        Complete(upload, replacement, replaced, isDeferred);
        upload.Record = next.EndingAt(encoded.Length);
        return true;
    }

    /// <summary>
    /// Replaces a record that may not be durable by one with the same content, and makes it durable. Returns false if the upload was deleted, or if the disk is
    /// full or read-only.
    /// </summary>
    public bool TryWriteAgain(LockedUpload upload)
    {
        StoredRecord next = upload.Record with { WriteCount = upload.Record.WriteCount + 1 };
        FileReplacement replacement = CreateReplacement(upload, next);
        ReplacedFile? replaced = null;
        try
        {
            replaced = _files.ReplaceFile(replacement, RecordCodec.Encode(next).Span);
            if (replaced is null)
            {
                return false;
            }

            Complete(upload, replacement, replaced, isDeferred: false);
            return true;
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e) || (replaced is null && StorageErrors.IsFullOrReadOnly(e)))
        {
            return false;
        }
        finally
        {
            replaced?.Dispose();
        }
    }

    /// <summary>Replaces a damaged record, and returns the new one, or null if the upload was deleted. The file from which it was restored stays until the new one is durable.</summary>
    public StoredRecord? WriteRepaired(string directory, StoredRecord record)
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
            Sync(replaced, []);
        }

        DeleteTemporaryRecords(replaced);
        return record.EndingAt(encoded.Length);
    }

    /// <summary>Returns whether the old or the new record must survive a power loss. They differ if an upload is replaced by another one.</summary>
    private static bool IsPowerLoss(LockedUpload upload, StoredRecord next) =>
        upload.Record.Durability == Durability.PowerLoss || next.Durability == Durability.PowerLoss;

    private FileReplacement CreateReplacement(LockedUpload upload, StoredRecord next)
    {
        // While the last change is not durable, the last durable record has one of the two temporary names, and the other name is free. The record itself keeps
        // its name until the exchange: a reader may be making it durable at the same time.
        string? durableName = upload.IsUnsynced ? FindDurableName(upload) : null;
        bool isPowerLoss = IsPowerLoss(upload, next);
        return new FileReplacement(
            upload.Paths.Directory,
            StorePaths.RecordFileName,
            StorePaths.RecordFileName,
            durableName == StorePaths.TemporaryRecordFileName ? StorePaths.NextRecordFileName : StorePaths.TemporaryRecordFileName,
            isPowerLoss ? FileReplacementMode.Exchange : FileReplacementMode.Unsynced)
        {
            GuardText = upload.Paths.Nonce,

            // What a crash has left under the third name must not be taken for a later record.
            ObsoleteName = isPowerLoss && durableName is null ? StorePaths.NextRecordFileName : null,
        };
    }

    /// <summary>
    /// Returns the temporary name of the last durable record, or null if there is none. What is torn, or was written after the current record, is left of a change
    /// that failed. A reader may have made one of the earlier records durable and reported it: the newest of these counts. Otherwise, the oldest one is the
    /// durable one.
    /// </summary>
    private string? FindDurableName(LockedUpload upload)
    {
        (string Name, long WriteCount, bool IsUnsynced)? found = null;
        foreach (string name in (ReadOnlySpan<string>)[StorePaths.TemporaryRecordFileName, StorePaths.NextRecordFileName])
        {
            using FileSnapshot? file = _files.ReadSnapshot(Path.Join(upload.Paths.Directory, name), RecordCodec.MaxLength);
            if (file is null || RecordCodec.Decode(file.Content).Record is not { } record || record.WriteCount >= upload.Record.WriteCount)
            {
                continue;
            }

            bool isUnsynced = _files.IsNameUnsynced(file);
            bool isBetter = found is not { } other
                || (isUnsynced == other.IsUnsynced ? (record.WriteCount > other.WriteCount) != isUnsynced : other.IsUnsynced);
            found = isBetter ? (name, record.WriteCount, isUnsynced) : found;
        }

        return found?.Name;
    }

    /// <summary>Makes a replaced record durable, unless its change is deferred.</summary>
    private void Complete(LockedUpload upload, in FileReplacement replacement, ReplacedFile replaced, bool isDeferred)
    {
        if (replacement.Mode != FileReplacementMode.Unsynced && !isDeferred)
        {
            try
            {
                Sync(replaced, upload.IsUnsynced ? directorySync.GetAncestors(upload.Key) : []);
            }
            catch (Exception e) when (StorageErrors.IsStorageError(e) && replaced.PreviousName is not null && upload.Exists(_files))
            {
                RestorePrevious(replaced, replaced.PreviousName);
                throw;
            }

            if (replacement.ObsoleteName is null)
            {
                DeleteTemporaryRecords(replaced);
            }
            else
            {
                DeleteIfExists(replaced, replaced.PreviousName);
            }
        }

        upload.IsUnsynced = isDeferred;
    }

    /// <summary>Makes a replaced file durable.</summary>
    private void Sync(ReplacedFile replaced, ReadOnlySpan<SyncTarget> others)
    {
        try
        {
            ReadOnlySpan<SyncTarget> content = replaced.IsContentSynced ? [] : [new SyncTarget(replaced.File)];
            context.SyncAll([.. content, new SyncTarget(replaced.Directory), .. others]);
            _files.MarkNameSynced(replaced.File);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            if (!replaced.IsContentSynced)
            {
                _files.MarkSyncFailed(replaced.File);
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
            if (!_files.IsNameUnsynced(old))
            {
                _files.MarkNameUnsynced(old);
            }
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

    private void DeleteTemporaryRecords(ReplacedFile replaced)
    {
        DeleteIfExists(replaced, StorePaths.NextRecordFileName);
        DeleteIfExists(replaced, StorePaths.TemporaryRecordFileName);
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
}
