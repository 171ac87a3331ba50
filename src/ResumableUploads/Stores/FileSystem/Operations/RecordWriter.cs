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
    /// <param name="obsoleteName">The name of a file that is deleted before the record is replaced, or null.</param>
    public bool Write(LockedUpload upload, StoredRecord next, bool isDeferred = false, string? obsoleteName = null)
    {
        if (obsoleteName is null && _appender.TryAppend(upload, next) is { } isWritten)
        {
            return isWritten;
        }

        bool isPowerLoss = next.Durability == Durability.PowerLoss;
        if (isPowerLoss && (!isDeferred || !_files.CanExchangeNames))
        {
            context.RequireThread();
        }

        FileReplacement replacement = CreateReplacement(upload, next, obsoleteName);
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
            Sync(replaced, replacement, previous: null, []);
        }

        DeleteIfExists(replaced, StorePaths.NextRecordFileName);
        DeleteIfExists(replaced, StorePaths.TemporaryRecordFileName);
        return record.EndingAt(encoded.Length);
    }

    private FileReplacement CreateReplacement(LockedUpload upload, StoredRecord next, string? obsoleteName = null)
    {
        // While the last change is not durable, the temporary name is that of the last durable record. The record itself then gets a third name: a reader
        // may be making it durable at the same time.
        string directory = upload.Paths.Directory;
        bool hasDurable = upload.IsUnsynced && _files.FileExists(Path.Combine(directory, StorePaths.TemporaryRecordFileName));
        bool isPowerLoss = next.Durability == Durability.PowerLoss;

        // What a crash has left under the third name must not be taken for a later record.
        string? leftoverName = isPowerLoss && !hasDurable ? StorePaths.NextRecordFileName : null;
        return new FileReplacement(
            directory,
            StorePaths.GetLockFileName(next.Nonce),
            StorePaths.RecordFileName,
            hasDurable ? StorePaths.NextRecordFileName : StorePaths.TemporaryRecordFileName,
            isPowerLoss ? FileReplacementMode.Exchange : FileReplacementMode.Unsynced)
        {
            ObsoleteNames = [leftoverName, obsoleteName],
        };
    }

    /// <summary>Makes a replaced record durable, unless its change is deferred.</summary>
    private void Complete(LockedUpload upload, in FileReplacement replacement, ReplacedFile replaced, bool isDeferred)
    {
        bool hasDurable = replacement.TemporaryName == StorePaths.NextRecordFileName;
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
    }

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
        try
        {
            using OpenFile file = _files.OpenSibling(replaced, name);
            return !_files.IsNameUnsynced(file);
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e))
        {
            // The upload was deleted.
            return false;
        }
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
