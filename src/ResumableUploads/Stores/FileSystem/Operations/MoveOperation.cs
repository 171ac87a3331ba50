using System.Buffers;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>
/// Hands a content over as a file. The target is recorded before the rename, so that after a crash anywhere in between the next call
/// knows a content that is gone from one that has arrived.
/// </summary>
internal sealed class MoveOperation(StoreContext context, RecordFile records, OffsetReconciler reconciler)
{
    private const int BlockSize = 256 * 1024;

    private readonly FileLayer _files = context.Files;

    public async ValueTask<MoveResult> MoveAsync(UploadKey key, string path, bool overwrite, CancellationToken cancellationToken)
    {
        string target = Path.GetFullPath(path);
        string targetDirectory = Path.GetDirectoryName(target)
            ?? throw new ArgumentException("The target is the root of a file system.", nameof(path));

        LockStatus status = LockedUpload.TryAcquire(context, records, reconciler, key, out LockedUpload? upload);
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

            if (_files.Stat(upload.Files.DataPath) is not var (length, _))
            {
                return GetEarlierMoveResult(upload);
            }

            if (length != upload.Offset)
            {
                throw new UploadStoreException(
                    StoreFailure.Corrupt, $"'{upload.Files.DataPath}' has {length} bytes where {upload.Offset} were received.", upload.Offset);
            }

            if (upload.Record.MovedTo is { } recorded && await HasSameContentAsync(upload.Files.DataPath, recorded, cancellationToken))
            {
                // A copy to another volume, or a link, that a crash kept from being finished.
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
        if (upload.Record.MovedTo is { } place)
        {
            // Who moved it may have died before these were durable.
            SyncDirectories(upload, place);
            return new MoveResult(MoveStatus.Moved, place);
        }

        Log.ContentMissing(context.Logger, upload.Files.Directory);
        throw new UploadStoreException(StoreFailure.Corrupt, $"The content '{upload.Files.DataPath}' is missing.", upload.Offset);
    }

    private async ValueTask<MoveResult> MoveAsync(LockedUpload upload, string target, bool overwrite, CancellationToken cancellationToken)
    {
        StoredRecord before = upload.Record;

        // The version stays as it is: the caller's record has not changed.
        StoredRecord moving = before with { MovedTo = target, WriteCount = before.WriteCount + 1 };
        if (before.MovedTo != target && !records.Write(upload.Files.Directory, moving))
        {
            return new MoveResult(MoveStatus.NotFound, null);
        }

        bool moved;
        try
        {
            moved = RenameFile(upload.Files.DataPath, target, overwrite);
        }
        catch (IOException e) when (e.HResult == NativeMethods.EXDEV)
        {
            moved = await CopyToTargetAsync(upload, target, overwrite, cancellationToken);
        }

        if (!moved)
        {
            // Another file came there in the last moment. It must not be taken for this content later.
            records.Write(upload.Files.Directory, moving with { MovedTo = null, WriteCount = moving.WriteCount + 1 });
            return new MoveResult(MoveStatus.TargetExists, null);
        }

        SyncDirectories(upload, target);
        return new MoveResult(MoveStatus.Moved, target);
    }

    private bool RenameFile(string from, string to, bool overwrite)
    {
        if (!overwrite)
        {
            return _files.RenameFileNoReplace(from, to);
        }

        _files.RenameFile(from, to);
        return true;
    }

    private async ValueTask<bool> CopyToTargetAsync(LockedUpload upload, string target, bool overwrite, CancellationToken cancellationToken)
    {
        // The copy is synced whatever the upload's durability is: the source goes away for good.
        string part = Path.Combine(Path.GetDirectoryName(target)!, $".{upload.Files.Nonce}.part");
        bool arrived = false;
        try
        {
            // What an earlier try left.
            _files.DeleteFile(part);
            using (OpenFile source = _files.OpenRead(upload.Files.DataPath))
            using (OpenFile copy = _files.CreateFile(part))
            {
                await CopyBytesAsync(source, copy, upload.Offset, cancellationToken);
                _files.Sync(copy);
            }

            arrived = RenameFile(part, target, overwrite);
        }
        finally
        {
            if (!arrived)
            {
                DeletePartialCopy(part);
            }
        }

        if (arrived)
        {
            _files.SyncDirectory(Path.GetDirectoryName(target)!);
            _files.DeleteFile(upload.Files.DataPath);
        }

        return arrived;
    }

    private async ValueTask CopyBytesAsync(OpenFile source, OpenFile copy, long length, CancellationToken cancellationToken)
    {
        byte[] block = ArrayPool<byte>.Shared.Rent(BlockSize);
        try
        {
            for (long offset = 0; offset < length;)
            {
                int read = await RandomAccess.ReadAsync(source.Handle, block.AsMemory(), offset, cancellationToken);
                if (read == 0)
                {
                    throw new UploadStoreException(StoreFailure.Corrupt, $"'{source.Path}' ended at {offset} of {length} bytes.", length);
                }

                _files.Write(copy, block.AsMemory(0, read), offset);
                offset += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    private async ValueTask<bool> HasSameContentAsync(string data, string target, CancellationToken cancellationToken)
    {
        if (_files.Stat(data) is not var (length, _) || _files.Stat(target) is not var (there, _) || there != length)
        {
            return false;
        }

        byte[] left = ArrayPool<byte>.Shared.Rent(BlockSize);
        byte[] right = ArrayPool<byte>.Shared.Rent(BlockSize);
        try
        {
            using var ours = new BoundedReadStream(_files.OpenRead(data), length);
            using var theirs = new BoundedReadStream(_files.OpenRead(target), length);
            for (long offset = 0; offset < length;)
            {
                int count = await ours.ReadAtLeastAsync(left.AsMemory(0, BlockSize), BlockSize, throwOnEndOfStream: false, cancellationToken);
                int other = await theirs.ReadAtLeastAsync(right.AsMemory(0, BlockSize), BlockSize, throwOnEndOfStream: false, cancellationToken);
                if (count == 0 || !left.AsSpan(0, count).SequenceEqual(right.AsSpan(0, other)))
                {
                    return false;
                }

                offset += count;
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(left);
            ArrayPool<byte>.Shared.Return(right);
        }
    }

    private void DeleteContent(LockedUpload upload, string target)
    {
        // Not before the other copy is sure to stay.
        using (OpenFile file = _files.OpenWrite(target))
        {
            _files.Sync(file);
        }

        _files.SyncDirectory(Path.GetDirectoryName(target)!);
        _files.DeleteFile(upload.Files.DataPath);
        SyncDirectories(upload, target);
    }

    private void SyncDirectories(LockedUpload upload, string target)
    {
        if (upload.Record.Durability == Durability.PowerLoss)
        {
            _files.SyncDirectory(Path.GetDirectoryName(target)!);
            _files.SyncDirectory(upload.Files.Directory);
        }
    }

    private void DeletePartialCopy(string part)
    {
        try
        {
            _files.DeleteFile(part);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            Log.DeleteFailed(context.Logger, part, e);
        }
    }
}
