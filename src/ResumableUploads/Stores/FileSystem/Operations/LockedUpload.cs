using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>Whether an upload could be locked.</summary>
internal enum LockStatus
{
    Locked,
    Busy,
    NotFound,
}

/// <summary>An upload that nobody else changes as long as this is not disposed, as it is under the lock.</summary>
internal sealed class LockedUpload : IDisposable
{
    private const int MaxAttempts = 8;

    private readonly OpenFile _lock;

    private LockedUpload(OpenFile held, UploadFilePaths files, StoredRecord record, DataFileState? observed)
    {
        _lock = held;
        Files = files;
        Record = record;
        DataFileState = observed;
    }

    public UploadFilePaths Files { get; }

    public StoredRecord Record { get; }

    /// <summary>The settled offset of a receiving upload, else null.</summary>
    public DataFileState? DataFileState { get; }

    public long Offset => DataFileState?.Offset ?? Record.FinalOffset ?? 0;

    public string Version => Record.GetVersion(Offset);

    /// <summary>
    /// Tries to lock. Another's lock is given a few moments, because most changes take no longer; nobody is waited for.
    /// </summary>
    public static LockStatus TryAcquire(StoreContext context, RecordFile records, OffsetReconciler reconciler, UploadKey key, out LockedUpload? upload)
    {
        upload = null;
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            using FileSnapshot? file = records.ReadSnapshot(key);
            if (records.Read(key, file) is not { } record)
            {
                return LockStatus.NotFound;
            }

            var files = new UploadFilePaths(context.Paths.GetUploadDirectory(key), record.Nonce);
            bool isTaken = false;
            lock (reconciler.GetLock(files))
            {
                // False: the upload was deleted meanwhile; or the file was lost, and the next round finds a new one.
                if (TryLockFile(context.Files, files.LockPath, out OpenFile? held))
                {
                    isTaken = held is null;
                    upload = held is null ? null : OpenOrRelease(records, reconciler, key, files, record, file, held);
                }
            }

            if (upload is not null)
            {
                return LockStatus.Locked;
            }

            if (isTaken)
            {
                Thread.Yield();
            }
        }

        return LockStatus.Busy;
    }

    /// <summary>Whether the upload is still where its key leads: it can be deleted under the lock.</summary>
    public bool Exists(FileLayer files) => files.FileExists(Files.LockPath);

    /// <summary>Makes the lock file of an upload, if the upload is there: it was lost, or was not needed before.</summary>
    public static void RestoreLockFile(FileLayer files, string path)
    {
        try
        {
            if (files.DirectoryExists(Path.GetDirectoryName(path)!))
            {
                files.CreateFile(path).Dispose();
            }
        }
        catch (IOException) when (files.FileExists(path) || !files.DirectoryExists(Path.GetDirectoryName(path)!))
        {
            // Another was faster, or the upload is gone.
        }
    }

    public void Dispose() => _lock.Dispose();

    private static LockedUpload? OpenOrRelease(
        RecordFile records, OffsetReconciler reconciler, UploadKey key, UploadFilePaths files, StoredRecord read, FileSnapshot? file, OpenFile held)
    {
        LockedUpload? upload = null;
        try
        {
            return upload = Open(records, reconciler, key, files, read, file, held);
        }
        finally
        {
            if (upload is null)
            {
                held.Dispose();
            }
        }
    }

    private static LockedUpload? Open(
        RecordFile records, OffsetReconciler reconciler, UploadKey key, UploadFilePaths files, StoredRecord read, FileSnapshot? file, OpenFile held)
    {
        // State, staging and all else may have changed before the lock was ours.
        if ((records.IsCurrent(file) ? read : records.Read(key)) is not { } record || record.Nonce != files.Nonce)
        {
            return null;
        }

        if (record.Record.State != UploadState.Receiving)
        {
            return new LockedUpload(held, files, record, null);
        }

        if (reconciler.Reconcile(files, record) is { } observed)
        {
            return new LockedUpload(held, files, record, observed);
        }

        records.Quarantine(key, "its content is missing");
        return null;
    }

    private static bool TryLockFile(FileLayer files, string path, out OpenFile? held)
    {
        held = null;
        try
        {
            held = files.TryLock(path);
            return true;
        }
        catch (DirectoryNotFoundException)
        {
            return false;
        }
        catch (FileNotFoundException)
        {
            RestoreLockFile(files, path);
            return false;
        }
    }
}
