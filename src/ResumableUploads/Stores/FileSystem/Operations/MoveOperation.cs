using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>
/// Moves the content of an upload out of the store. The target is recorded before the rename, so that after a crash the next call can
/// distinguish moved content from lost content.
/// </summary>
internal sealed class MoveOperation(StoreContext context, RecordFile records, UploadLocker locker)
{
    private readonly FileLayer _files = context.Files;
    private readonly FileMover _mover = new(context.Files, context.Logger);

    public async ValueTask<MoveResult> MoveAsync(UploadKey key, string path, bool overwrite, CancellationToken cancellationToken)
    {
        string target = Path.GetFullPath(path);
        string targetDirectory = Path.GetDirectoryName(target)
            ?? throw new ArgumentException("The target path must not be the root of a file system.", nameof(path));

        LockStatus status = locker.TryAcquire(key, out LockedUpload? upload);
        using (upload)
        {
            if (upload is null)
            {
                return new MoveResult(status == LockStatus.NotFound ? MoveStatus.NotFound : MoveStatus.Busy, null);
            }

            if (upload.Record.Record.State == UploadState.Receiving)
            {
                return new MoveResult(MoveStatus.Busy, null);
            }

            if (_files.Stat(upload.Paths.DataPath) is not { } data)
            {
                return GetEarlierMoveResult(upload);
            }

            if (data.Length != upload.Offset)
            {
                throw new UploadStoreException(
                    StoreFailure.Corrupt, $"'{upload.Paths.DataPath}' has {data.Length} bytes, but {upload.Offset} were received.", upload.Offset);
            }

            if (upload.Record.MovedTo is { } recorded && await IsContentAtAsync(upload, recorded, cancellationToken))
            {
                // A crash interrupted a copy to another volume, or a rename by link and delete.
                DeleteContent(upload, recorded);
                return new MoveResult(MoveStatus.Moved, recorded);
            }

            if (!overwrite && (_files.FileExists(target) || _files.DirectoryExists(target)))
            {
                return new MoveResult(MoveStatus.TargetExists, null);
            }

            if (!_files.DirectoryExists(targetDirectory))
            {
                throw new UploadStoreException(StoreFailure.Unavailable, $"The directory '{targetDirectory}' does not exist.", upload.Offset);
            }

            return await MoveAsync(upload, target, overwrite, cancellationToken);
        }
    }

    private MoveResult GetEarlierMoveResult(LockedUpload upload)
    {
        if (upload.Record.MovedTo is { } target)
        {
            // The process that moved the content may have died before its directories were synced.
            SyncDirectories(upload, target);
            return new MoveResult(MoveStatus.Moved, target);
        }

        Log.ContentMissing(context.Logger, upload.Paths.Directory);
        throw new UploadStoreException(StoreFailure.Corrupt, $"The content file '{upload.Paths.DataPath}' is missing.", upload.Offset);
    }

    private async ValueTask<MoveResult> MoveAsync(LockedUpload upload, string target, bool overwrite, CancellationToken cancellationToken)
    {
        StoredRecord before = upload.Record;

        // The generation, and with it the version, does not change: the caller's record is the same.
        StoredRecord moving = before with { MovedTo = target, WriteCount = before.WriteCount + 1 };
        if (before.MovedTo != target && !records.Write(upload.Paths.Directory, moving))
        {
            return new MoveResult(MoveStatus.NotFound, null);
        }

        bool moved;
        try
        {
            moved = _mover.TryRename(upload.Paths.DataPath, target, overwrite);
        }
        catch (IOException e) when (e.HResult == NativeMethods.EXDEV)
        {
            moved = await CopyToOtherVolumeAsync(upload, target, overwrite, cancellationToken);
        }

        if (!moved)
        {
            // Another file was created at the target in the meantime. A later call must not mistake it for this content.
            records.Write(upload.Paths.Directory, moving with { MovedTo = null, WriteCount = moving.WriteCount + 1 });
            return new MoveResult(MoveStatus.TargetExists, null);
        }

        SyncDirectories(upload, target);
        return new MoveResult(MoveStatus.Moved, target);
    }

    private async ValueTask<bool> CopyToOtherVolumeAsync(LockedUpload upload, string target, bool overwrite, CancellationToken cancellationToken)
    {
        using (Stream content = OpenContent(upload))
        {
            if (!await _mover.TryCopyAsync(content, target, $".{upload.Paths.Nonce}.part", overwrite, cancellationToken))
            {
                return false;
            }
        }

        _files.DeleteFile(upload.Paths.DataPath);
        return true;
    }

    private async ValueTask<bool> IsContentAtAsync(LockedUpload upload, string target, CancellationToken cancellationToken)
    {
        using Stream content = OpenContent(upload);
        return await _mover.HasSameContentAsync(content, target, cancellationToken);
    }

    private BoundedReadStream OpenContent(LockedUpload upload) => new(_files.OpenRead(upload.Paths.DataPath), upload.Offset);

    private void DeleteContent(LockedUpload upload, string target)
    {
        // The other copy must be durable first.
        using (OpenFile file = _files.OpenWrite(target))
        {
            _files.Sync(file);
        }

        _files.SyncDirectory(Path.GetDirectoryName(target)!);
        _files.DeleteFile(upload.Paths.DataPath);
        SyncDirectories(upload, target);
    }

    private void SyncDirectories(LockedUpload upload, string target)
    {
        if (upload.Record.Durability == Durability.PowerLoss)
        {
            _files.SyncDirectory(Path.GetDirectoryName(target)!);
            _files.SyncDirectory(upload.Paths.Directory);
        }
    }
}
