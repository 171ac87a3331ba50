using ResumableUploads.Abstractions;
using ResumableUploads.Infrastructure;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>
/// Moves the content of an upload out of the store. The target is recorded before the rename, so that after a crash the next call can
/// distinguish moved content from lost content. What takes long, a copy to another volume or a comparison after a crash, runs without the lock of the
/// upload, so that its record can be updated meanwhile; a lock of its own excludes a second copy.
/// </summary>
internal sealed class MoveOperation(StoreContext context, RecordFile records, UploadLocker locker)
{
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MaxLockDelay = TimeSpan.FromMilliseconds(250);

    private readonly FileLayer _files = context.Files;
    private readonly FileMover _mover = new(context.Files, context.Logger);

    public async ValueTask<MoveResult> MoveAsync(UploadKey key, string path, bool overwrite, CancellationToken cancellationToken)
    {
        string target = Path.GetFullPath(path);
        if (Path.GetDirectoryName(target) is null)
        {
            throw new ArgumentException("The target path must not be the root of a file system.", nameof(path));
        }

        if (MoveUnderLock(key, target, overwrite, isComparisonDone: false, out SlowMove? slow) is { } result)
        {
            return result;
        }

        using (slow)
        {
            using OpenFile? moveLock = TryLockMove(slow!.Paths);
            return moveLock is null ? new MoveResult(MoveStatus.Busy, null) : await MoveSlowlyAsync(key, slow, target, overwrite, cancellationToken);
        }
    }

    /// <summary>Moves the content if that takes only a moment.</summary>
    /// <returns>The result, or null if <paramref name="slow"/> remains to be done without the lock.</returns>
    private MoveResult? MoveUnderLock(UploadKey key, string target, bool overwrite, bool isComparisonDone, out SlowMove? slow)
    {
        slow = null;
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

            if (!isComparisonDone && upload.Record.MovedTo is { } recorded && _files.FileExists(recorded))
            {
                slow = new SlowMove(upload.Paths, OpenContent(upload), recorded);
                return null;
            }

            return GetTargetProblem(upload, target, overwrite) ?? StartMove(upload, target, overwrite, out slow);
        }
    }

    private MoveResult? GetTargetProblem(LockedUpload upload, string target, bool overwrite)
    {
        if (!overwrite && (_files.FileExists(target) || _files.DirectoryExists(target)))
        {
            return new MoveResult(MoveStatus.TargetExists, null);
        }

        string targetDirectory = Path.GetDirectoryName(target)!;
        return _files.DirectoryExists(targetDirectory)
            ? null
            : throw new UploadStoreException(StoreFailure.Unavailable, $"The directory '{targetDirectory}' does not exist.", upload.Offset);
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

    /// <summary>Records the target and renames the content, or prepares a copy if the target is on another volume.</summary>
    private MoveResult? StartMove(LockedUpload upload, string target, bool overwrite, out SlowMove? slow)
    {
        slow = null;
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
            slow = new SlowMove(upload.Paths, OpenContent(upload), ComparedWith: null);
            return null;
        }

        if (!moved)
        {
            return ForgetTarget(upload, moving);
        }

        SyncDirectories(upload, target);
        return new MoveResult(MoveStatus.Moved, target);
    }

    private async ValueTask<MoveResult> MoveSlowlyAsync(
        UploadKey key, SlowMove slow, string target, bool overwrite, CancellationToken cancellationToken)
    {
        if (slow.ComparedWith is { } recorded)
        {
            if (await _mover.HasSameContentAsync(slow.Content, recorded, cancellationToken))
            {
                // A crash interrupted a copy to another volume, or a rename by link and delete.
                using LockedUpload? same = await LockAgainAsync(key, slow.Paths, cancellationToken);
                return same is null ? new MoveResult(MoveStatus.NotFound, null)
                    : _files.FileExists(same.Paths.DataPath) ? DeleteContent(same, recorded)
                    : GetEarlierMoveResult(same);
            }

            if (MoveUnderLock(key, target, overwrite, isComparisonDone: true, out SlowMove? copy) is { } result)
            {
                return result;
            }

            using (copy)
            {
                return await CopyAsync(key, copy!, target, overwrite, cancellationToken);
            }
        }

        return await CopyAsync(key, slow, target, overwrite, cancellationToken);
    }

    private async ValueTask<MoveResult> CopyAsync(UploadKey key, SlowMove slow, string target, bool overwrite, CancellationToken cancellationToken)
    {
        string part = Path.Combine(Path.GetDirectoryName(target)!, $".{slow.Paths.Nonce}.part");
        await _mover.CopyToPartAsync(slow.Content, part, cancellationToken);
        bool isPublishing = false;
        try
        {
            using LockedUpload? upload = await LockAgainAsync(key, slow.Paths, cancellationToken);
            if (upload is null)
            {
                return new MoveResult(MoveStatus.NotFound, null);
            }

            if (!_files.FileExists(upload.Paths.DataPath))
            {
                return GetEarlierMoveResult(upload);
            }

            isPublishing = true;
            if (!_mover.TryPublish(part, target, overwrite))
            {
                return ForgetTarget(upload, upload.Record);
            }

            slow.Content.Dispose();
            _files.DeleteFile(upload.Paths.DataPath);
            SyncDirectories(upload, target);
            return new MoveResult(MoveStatus.Moved, target);
        }
        finally
        {
            if (!isPublishing)
            {
                _mover.DeletePart(part);
            }
        }
    }

    /// <summary>Removes the recorded target after another file was created there. A later call must not mistake that file for this content.</summary>
    private MoveResult ForgetTarget(LockedUpload upload, StoredRecord moving)
    {
        records.Write(upload.Paths.Directory, moving with { MovedTo = null, WriteCount = moving.WriteCount + 1 });
        return new MoveResult(MoveStatus.TargetExists, null);
    }

    /// <summary>Takes the lock of the upload after a slow step. Waits if it is held, because the work should not be lost.</summary>
    /// <returns>The upload, whose content another call may have moved meanwhile, or null if it was deleted.</returns>
    private async ValueTask<LockedUpload?> LockAgainAsync(UploadKey key, UploadFilePaths paths, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(context.TimeProvider, LockTimeout, MaxLockDelay);
        while (true)
        {
            LockStatus status = locker.TryAcquire(key, out LockedUpload? upload);
            if (upload is not null && upload.Paths.Nonce == paths.Nonce)
            {
                return upload;
            }

            upload?.Dispose();
            if (status != LockStatus.Busy)
            {
                return null;
            }

            if (!await backoff.WaitAsync(cancellationToken))
            {
                throw new UploadStoreException(StoreFailure.Unavailable, $"Upload {key} was locked by another process for {LockTimeout} after its content was copied.");
            }
        }
    }

    /// <summary>Takes the lock that excludes a second copy of the same content.</summary>
    private OpenFile? TryLockMove(UploadFilePaths paths)
    {
        try
        {
            return _files.TryLock(paths.MoveLockPath);
        }
        catch (FileNotFoundException)
        {
            UploadLocker.RestoreLockFile(_files, paths.MoveLockPath);
            return _files.TryLock(paths.MoveLockPath);
        }
    }

    private BoundedReadStream OpenContent(LockedUpload upload) => new(_files.OpenRead(upload.Paths.DataPath), upload.Offset);

    private MoveResult DeleteContent(LockedUpload upload, string target)
    {
        // The other copy must be durable first.
        using (OpenFile file = _files.OpenWrite(target))
        {
            _files.Sync(file);
        }

        _files.SyncDirectory(Path.GetDirectoryName(target)!);
        _files.DeleteFile(upload.Paths.DataPath);
        SyncDirectories(upload, target);
        return new MoveResult(MoveStatus.Moved, target);
    }

    private void SyncDirectories(LockedUpload upload, string target)
    {
        if (upload.Record.Durability == Durability.PowerLoss)
        {
            _files.SyncDirectory(Path.GetDirectoryName(target)!);
            _files.SyncDirectory(upload.Paths.Directory);
        }
    }

    /// <summary>A step that takes long and needs only the content.</summary>
    /// <param name="Paths">The paths of the upload's files.</param>
    /// <param name="Content">The content, opened under the lock.</param>
    /// <param name="ComparedWith">The recorded target that may have the content already, or null to copy the content.</param>
    private sealed record SlowMove(UploadFilePaths Paths, Stream Content, string? ComparedWith) : IDisposable
    {
        public void Dispose() => Content.Dispose();
    }
}
