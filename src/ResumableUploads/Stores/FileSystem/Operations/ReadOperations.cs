using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>Reads uploads: what is known of them, and their bytes.</summary>
internal sealed class ReadOperations(StoreContext context, RecordFile records, OffsetReconciler reconciler)
{
    // A receiving upload is read in several steps; each new try means that somebody changed it in between.
    private const int MaxAttempts = 100;

    private readonly FileLayer _files = context.Files;

    /// <summary>The upload, or null: where there is no record, there is none.</summary>
    public UploadInfo? Get(UploadKey key) => Read(key)?.Info;

    /// <summary>The same for a directory that was seen: where that has no record it is damaged, and goes to quarantine.</summary>
    public UploadInfo? GetListed(UploadKey key) => Read(key, isSeen: true)?.Info;

    public Stream? OpenRead(UploadKey key)
    {
        if (Read(key) is not var (record, info))
        {
            return null;
        }

        var files = new UploadFilePaths(context.Paths.GetUploadDirectory(key), record.Nonce);
        try
        {
            return new BoundedReadStream(_files.OpenRead(files.DataPath), info.Offset);
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e))
        {
            if (record.MovedTo is null && records.Read(key) is { MovedTo: null } now && now.Nonce == record.Nonce)
            {
                Log.ContentMissing(context.Logger, files.Directory);
            }

            return null;
        }
    }

    private (StoredRecord Record, UploadInfo Info)? Read(UploadKey key, bool isSeen = false)
    {
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            using FileSnapshot? file = records.ReadSnapshot(key);
            if ((file is null && !isSeen) || records.Read(key, file) is not { } record)
            {
                return null;
            }

            if (record.Record.State != UploadState.Receiving)
            {
                return (record, record.ToUploadInfo(key, record.FinalOffset ?? 0));
            }

            var files = new UploadFilePaths(context.Paths.GetUploadDirectory(key), record.Nonce);
            DataFileState? observed = reconciler.Read(files, record);
            if (observed is { NeedsReconciliation: true } open)
            {
                observed = TryReconcile(key, files, record, open);
            }
            else if (!records.IsCurrent(file))
            {
                // What was measured may belong to another state than the record: bytes that were staged meanwhile, a content that has moved.
                continue;
            }
            else if (observed is null)
            {
                records.Quarantine(key, "its content is missing");
                continue;
            }

            if (observed is { } seen)
            {
                return (record, record.ToUploadInfo(key, seen.Offset, seen.LastWriteTime));
            }
        }

        throw new UploadStoreException(StoreFailure.Unavailable, $"The upload in '{context.Paths.GetUploadDirectory(key)}' does not hold still.");
    }

    /// <summary>Null when all is to be read again.</summary>
    private DataFileState? TryReconcile(UploadKey key, UploadFilePaths files, StoredRecord record, in DataFileState seen)
    {
        // After a restart the first sweep and the clients look at the same uploads. Who comes second waits for the first one's sync, and
        // does not take it for an append: else it would be told less than what is there a moment later.
        lock (reconciler.GetLock(files))
        {
            try
            {
                using OpenFile? held = _files.TryLock(files.LockPath);
                if (held is null)
                {
                    // Somebody appends, and goes on with it: what is certain is certain.
                    return reconciler.Read(files, record);
                }

                return records.Read(key) is { } now && now.Nonce == record.Nonce && now.WriteCount == record.WriteCount
                    ? reconciler.Reconcile(files, now)
                    : null;
            }
            catch (Exception e) when (StorageErrors.IsNotFound(e))
            {
                return null;
            }
            catch (Exception e) when (StorageErrors.IsStorageError(e) && e is not UploadStoreException)
            {
                // A disk that is full or read-only can still be asked.
                Log.ReconcileFailed(context.Logger, files.DataPath, seen.Offset, e);
                return seen;
            }
        }
    }
}
