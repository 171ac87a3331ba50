using ResumableUploads.Abstractions;
using ResumableUploads.Infrastructure;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Operations.Locking;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>
/// Moves the content of an upload out of the store. The target is recorded before the rename, so that after a crash the next call can
/// distinguish moved content from lost content. While the content or the part file exists, its rename has not happened, and a file at the target belongs to
/// another owner, even if its bytes are equal. What takes long, a copy to another volume or a comparison after a crash, runs without the lock of the
/// upload, so that its record can be updated meanwhile; a lock of its own excludes a second copy.
/// </summary>
internal sealed class MoveOperation(StoreContext context, RecordFile records, UploadLocker locker)
{
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MaxLockDelay = TimeSpan.FromMilliseconds(250);

    private readonly FileLayer _files = context.Files;
    private readonly FileMover _mover = new(context.Files, context.Logger, context.Scheduler);

    public async ValueTask<MoveResult> MoveAsync(MoveRequest move, CancellationToken cancellationToken)
    {
        move = move with { Target = Path.GetFullPath(move.Target) };
        if (Path.GetDirectoryName(move.Target) is null)
        {
            throw new ArgumentException("The target path must not be the root of a file system.", nameof(move));
        }

        (MoveResult? result, SlowMove? slow) = await RunAsync(
            DiskCallKind.Device, () => (MoveUnderLock(move, out SlowMove? slow), slow), cancellationToken);
        if (result is { } done)
        {
            return done;
        }

        using (slow)
        {
            using OpenFile? moveLock = await RunAsync(DiskCallKind.Cached, () => TryLockMove(slow!.Paths), cancellationToken);
            return moveLock is null ? new MoveResult(MoveStatus.Busy, null)
                : slow!.Copy is null ? await CopyAsync(move, slow, cancellationToken)
                : await CompareAsync(move, slow, cancellationToken);
        }
    }

    private ValueTask<T> RunAsync<T>(DiskCallKind kind, Func<T> call, CancellationToken cancellationToken) =>
        context.Scheduler.RunAsync(new DiskCallOptions(FileMover.Lane, kind, AbandonDelay: null), call, static call => call(), cancellationToken);

    /// <summary>Moves the content if that takes only a moment.</summary>
    /// <returns>The result, or null if <paramref name="slow"/> remains to be done without the lock.</returns>
    private MoveResult? MoveUnderLock(MoveRequest move, out SlowMove? slow)
    {
        slow = null;
        LockStatus status = locker.TryAcquire(move.Key, out LockedUpload? upload, allowUnsynced: true);
        using (upload)
        {
            if (upload is null)
            {
                return new MoveResult(status == LockStatus.NotFound ? MoveStatus.NotFound : MoveStatus.Busy, null);
            }

            if (upload.Version != move.Version)
            {
                return new MoveResult(MoveStatus.VersionMismatch, null);
            }

            if (upload.Record.Record.State == UploadState.Receiving)
            {
                return new MoveResult(MoveStatus.Busy, null);
            }

            if (_files.Stat(upload.Paths.DataPath) is not { } data)
            {
                return GetEarlierMoveResult(upload);
            }

            if (data.Length > upload.Offset)
            {
                CutOff(upload, data);
            }
            else if (data.Length < upload.Offset)
            {
                throw new UploadStoreException(
                    StoreFailure.Corrupt, $"'{upload.Paths.DataPath}' has {data.Length} bytes, but {upload.Offset} were received.", upload.Offset);
            }

            if (upload.Record.MovedTo is { } recorded)
            {
                if (IsSameFile(data, _files.Stat(recorded)))
                {
                    // A crash interrupted a rename by link and delete.
                    return DeleteContent(upload, recorded);
                }

                if (IsCopyPublished(upload))
                {
                    slow = new SlowMove(upload.Paths, OpenContent(upload, move.Key.Owner), recorded);
                    return null;
                }
            }

            return GetTargetProblem(upload, move) ?? StartMove(upload, move, out slow);
        }
    }

    /// <summary>Cuts off bytes that never counted. A power loss can revert a truncation that was not synced, after the offset was frozen.</summary>
    private void CutOff(LockedUpload upload, in FileStat before)
    {
        using OpenFile data = _files.OpenWrite(upload.Paths.DataPath);
        _files.Truncate(data, upload.Offset);
        _files.SetLastWriteTime(data, before.LastWriteTime);
        if (upload.Record.Durability == Durability.PowerLoss)
        {
            _files.Sync(data);
        }
    }

    /// <summary>Returns whether an earlier call has renamed its copy to the recorded target: it recorded that the copy is complete, and the copy has no other name.</summary>
    private bool IsCopyPublished(LockedUpload upload)
    {
        if (!upload.Record.IsCopied || _files.Stat(upload.Record.MovedTo!) is not { } target)
        {
            return false;
        }

        FileStat? part = _files.Stat(GetPartPath(upload.Paths, upload.Record.MovedTo!));
        return part is null || IsSameFile(target, part);
    }

    /// <summary>Returns whether two names lead to one file. Always false where the system has no inode numbers.</summary>
    private static bool IsSameFile(FileStat file, FileStat? other) => file.Inode != 0 && (file.Device, file.Inode) == (other?.Device, other?.Inode);

    private MoveResult? GetTargetProblem(LockedUpload upload, MoveRequest move)
    {
        if (!move.Overwrite && (_files.FileExists(move.Target) || _files.DirectoryExists(move.Target)))
        {
            return new MoveResult(MoveStatus.TargetExists, null);
        }

        string targetDirectory = Path.GetDirectoryName(move.Target)!;
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
    private MoveResult? StartMove(LockedUpload upload, MoveRequest move, out SlowMove? slow)
    {
        slow = null;
        StoredRecord before = upload.Record;

        // The generation, and with it the version, does not change: the caller's record is the same.
        StoredRecord moving = before with { MovedTo = move.Target, IsCopied = false, WriteCount = before.WriteCount + 1 };
        if ((upload.IsUnsynced || before.MovedTo != move.Target || before.IsCopied) && !records.Write(upload, moving))
        {
            return new MoveResult(MoveStatus.NotFound, null);
        }

        if (before.IsCopied)
        {
            _mover.DeletePart(GetPartPath(upload.Paths, before.MovedTo!));
        }

        bool moved;
        try
        {
            moved = _mover.TryRename(upload.Paths.DataPath, move.Target, move.Overwrite);
        }
        catch (IOException e) when (e.HResult == NativeMethods.EXDEV)
        {
            slow = new SlowMove(upload.Paths, OpenContent(upload, move.Key.Owner), Copy: null);
            return null;
        }

        if (!moved)
        {
            return ForgetTarget(upload, moving);
        }

        SyncDirectories(upload, move.Target);
        return new MoveResult(MoveStatus.Moved, move.Target);
    }

    /// <summary>
    /// Finishes an earlier call that was interrupted after its copy got its name. The file may have been changed or replaced since then, so its content is
    /// compared first.
    /// </summary>
    private async ValueTask<MoveResult> CompareAsync(MoveRequest move, SlowMove slow, CancellationToken cancellationToken)
    {
        string copy = slow.Copy!;
        bool isSame = await _mover.HasSameContentAsync(slow.Content, copy, cancellationToken);
        using LockedUpload? upload = await LockAgainAsync(move, slow.Paths, cancellationToken);
        (MoveResult? result, SlowMove? other) = await RunAsync(
            DiskCallKind.Device, () => (FinishComparison(move, copy, isSame, upload, out SlowMove? other), other), CancellationToken.None);
        if (result is { } done)
        {
            return done;
        }

        using (other)
        {
            return await CopyAsync(move, other!, cancellationToken);
        }
    }

    /// <summary>Uses the result of a comparison, and releases the upload.</summary>
    private MoveResult? FinishComparison(MoveRequest move, string copy, bool isSame, LockedUpload? locked, out SlowMove? other)
    {
        using LockedUpload? upload = locked;
        other = null;
        MoveResult? result =
            upload is null ? new MoveResult(MoveStatus.NotFound, null)
            : !_files.FileExists(upload.Paths.DataPath) ? GetEarlierMoveResult(upload)
            : upload.Record.MovedTo != copy || !IsCopyPublished(upload) ? new MoveResult(MoveStatus.Busy, null)
            : isSame ? DeleteContent(upload, copy)
            : GetTargetProblem(upload, move);
        return result ?? StartMove(upload!, move, out other);
    }

    private async ValueTask<MoveResult> CopyAsync(MoveRequest move, SlowMove slow, CancellationToken cancellationToken)
    {
        string part = GetPartPath(slow.Paths, move.Target);
        await _mover.CopyToPartAsync(slow.Content, part, lastWriteTime: null, cancellationToken);
        bool isPublishing = false;
        try
        {
            using LockedUpload? upload = await LockAgainAsync(move, slow.Paths, cancellationToken);
            return await RunAsync(DiskCallKind.Device, () => FinishCopy(upload, slow, part, move, out isPublishing), CancellationToken.None);
        }
        finally
        {
            if (!isPublishing)
            {
                await RunAsync(DiskCallKind.Device, () => { _mover.DeletePart(part); return true; }, CancellationToken.None);
            }
        }
    }

    private MoveResult FinishCopy(LockedUpload? upload, SlowMove slow, string part, MoveRequest move, out bool isPublishing)
    {
        isPublishing = false;
        if (upload is null)
        {
            return new MoveResult(MoveStatus.NotFound, null);
        }

        if (!_files.FileExists(upload.Paths.DataPath))
        {
            return GetEarlierMoveResult(upload);
        }

        isPublishing = true;
        return PublishCopy(upload, slow, part, move);
    }

    /// <summary>
    /// Records that the copy is complete, and renames it. As long as the record says so, the part file disappears only by the rename: that is how a later call
    /// knows that a file at the target is this copy.
    /// </summary>
    private MoveResult PublishCopy(LockedUpload upload, SlowMove slow, string part, MoveRequest move)
    {
        string targetDirectory = Path.GetDirectoryName(move.Target)!;
        _files.SyncDirectory(targetDirectory);
        StoredRecord copied = upload.Record with { MovedTo = move.Target, IsCopied = true, WriteCount = upload.Record.WriteCount + 1 };
        if (!records.Write(upload, copied))
        {
            _mover.DeletePart(part);
            return new MoveResult(MoveStatus.NotFound, null);
        }

        if (!_mover.TryRename(part, move.Target, move.Overwrite))
        {
            MoveResult result = ForgetTarget(upload, copied);
            _mover.DeletePart(part);
            return result;
        }

        _files.SyncDirectory(targetDirectory);
        slow.Content.Dispose();
        _files.DeleteFile(upload.Paths.DataPath);
        SyncDirectories(upload, move.Target);
        return new MoveResult(MoveStatus.Moved, move.Target);
    }

    /// <summary>Removes the recorded target after another file was created there. A later call must not mistake that file for this content.</summary>
    private MoveResult ForgetTarget(LockedUpload upload, StoredRecord moving)
    {
        records.Write(upload, moving with { MovedTo = null, IsCopied = false, WriteCount = moving.WriteCount + 1 });
        return new MoveResult(MoveStatus.TargetExists, null);
    }

    /// <summary>Takes the lock of the upload after a slow step. Waits if it is held, because the work should not be lost.</summary>
    /// <returns>The upload, whose content another call may have moved meanwhile, or null if it was deleted.</returns>
    private async ValueTask<LockedUpload?> LockAgainAsync(MoveRequest move, UploadFilePaths paths, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(context.TimeProvider, LockTimeout, MaxLockDelay);
        while (true)
        {
            (LockStatus status, LockedUpload? upload) = await RunAsync(
                DiskCallKind.Cached, () => (locker.TryAcquire(move.Key, out LockedUpload? upload), upload), cancellationToken);
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
                throw new UploadStoreException(StoreFailure.Unavailable, $"Upload {move.Key} was locked by another process for {LockTimeout} after its content was copied.");
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
            LockFiles.Restore(_files, paths.MoveLockPath);
            return _files.TryLock(paths.MoveLockPath);
        }
    }

    private BoundedReadStream OpenContent(LockedUpload upload, string lane) => new(_files.OpenRead(upload.Paths.DataPath), upload.Offset, context.Scheduler, lane);

    private static string GetPartPath(UploadFilePaths paths, string target) => Path.Combine(Path.GetDirectoryName(target)!, $".{paths.Nonce}.part");

    /// <summary>Deletes the content after an earlier call has put it at the recorded target.</summary>
    private MoveResult DeleteContent(LockedUpload upload, string target)
    {
        // The file at the target must be durable first.
        using (OpenFile file = _files.OpenWrite(target))
        {
            _files.Sync(file);
        }

        if (upload.Record.IsCopied)
        {
            _mover.DeletePart(GetPartPath(upload.Paths, target));
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
            context.SyncAll([new SyncTarget(Path.GetDirectoryName(target)!), new SyncTarget(upload.Paths.Directory)]);
        }
    }

    /// <summary>A step that takes long and needs only the content.</summary>
    /// <param name="Paths">The paths of the upload's files.</param>
    /// <param name="Content">The content, opened under the lock.</param>
    /// <param name="Copy">The copy of an earlier call at the recorded target, or null to copy the content.</param>
    private sealed record SlowMove(UploadFilePaths Paths, Stream Content, string? Copy) : IDisposable
    {
        public void Dispose() => Content.Dispose();
    }
}
