using System.Buffers;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>The file that an append writes to, and how far it is written, synced and certain.</summary>
/// <param name="context">What the store works with.</param>
/// <param name="upload">The upload, which is locked and receiving.</param>
/// <param name="data">Its bytes.</param>
/// <param name="durableOffsetFile">Its mark, or null where nothing is synced (<see cref="Durability.ProcessCrash"/>).</param>
/// <param name="staging">Whether the bytes do not count yet.</param>
/// <param name="expected">How many bytes are to come, or null.</param>
internal sealed class DataFile(
    StoreContext context, LockedUpload upload, OpenFile data, OpenFile? durableOffsetFile, bool staging, long? expected) : IDisposable
{
    /// <summary>Small enough that a copy between two syncs is soon over.</summary>
    private const long MaxCopyLength = 64L << 20;

    /// <summary>How much is written before the disk begins with it: enough for it to work well, and little for a sync to wait for.</summary>
    private const long WritebackThreshold = 8L << 20;

    private const long MinPreallocation = 4L << 20;
    private const long MaxPreallocation = 64L << 20;

    private readonly FileLayer _files = context.Files;

    private DurableOffsetSlots _slots = upload.DataFileState!.Value.Slots;
    private bool _staging = staging;
    private bool _syncFailed;
    private long _written = upload.Offset;
    private long _synced = upload.Offset;
    private long _writebackOffset = upload.Offset;
    private long _preallocatedEnd = upload.Offset;
    private long _lastSync = context.TimeProvider.GetTimestamp();

    /// <summary>Where the append began.</summary>
    public long StartOffset { get; } = upload.Offset;

    /// <summary>The bytes that count and will stay. Staged bytes never move it.</summary>
    public long DurableOffset { get; private set; } = upload.Offset;

    private DateTime UtcNow => context.TimeProvider.GetUtcNow().UtcDateTime;

    /// <summary>Bytes that only reach the page cache from now on must not be taken for those of an earlier boot.</summary>
    public void RecordCurrentBoot()
    {
        string boot = _files.BootId;
        if (durableOffsetFile is not null && (_slots.GetTrusted(boot)?.BootId ?? upload.Record.CreationBootId) != boot)
        {
            WriteDurableOffset(durableOffsetFile, StartOffset, boot);
        }
    }

    /// <summary>Staged bytes count from here on.</summary>
    public void CommitStaged() => _staging = false;

    public void Write(in ReadOnlySequence<byte> buffer)
    {
        if (!buffer.IsEmpty)
        {
            _files.Write(data, buffer, _written);
            _written += buffer.Length;
            Preallocate();
            StartWriteback();
        }
    }

    /// <summary>Copies a block of another file without reading it; false where the system cannot.</summary>
    public bool CopyFrom(BoundedReadStream source)
    {
        long copied = _files.CopyRange(source.File, source.Position, data, _written, Math.Min(source.Length - source.Position, MaxCopyLength));
        source.Position += copied;
        _written += copied;
        return copied > 0;
    }

    /// <summary>Makes durable what is due to be. True when <see cref="DurableOffset"/> has moved.</summary>
    public bool SyncIfDue()
    {
        if (_written == _synced)
        {
            return false;
        }

        if (durableOffsetFile is null)
        {
            if (!_staging)
            {
                DurableOffset = _synced = VerifyLength();
            }

            return !_staging;
        }

        if (_written - _synced < context.Options.SyncSize && context.TimeProvider.GetElapsedTime(_lastSync) < context.Options.SyncInterval)
        {
            return false;
        }

        Sync();
        _lastSync = context.TimeProvider.GetTimestamp();
        if (!_staging)
        {
            WriteDurableOffset(durableOffsetFile, VerifyLength(), _files.BootId);
        }

        return !_staging;
    }

    public void SetLastWriteTimeAndSync()
    {
        if (_preallocatedEnd > _written)
        {
            _files.Truncate(data, _files.GetLength(data));
        }

        if (_written > StartOffset)
        {
            // Before the sync: a later stamp could be lost, and with it the age of the upload.
            _files.SetLastWriteTime(data, UtcNow);
        }

        Sync();
    }

    /// <summary>Makes all of it durable, and gives the length that is measured then.</summary>
    public long Finish()
    {
        SetLastWriteTimeAndSync();
        long offset = VerifyLength();
        if (durableOffsetFile is not null && offset != DurableOffset)
        {
            WriteDurableOffset(durableOffsetFile, offset, _files.BootId);
        }

        return DurableOffset = offset;
    }

    /// <summary>After a failed write: keeps what did get to the file. Gives the durable offset.</summary>
    public long RecoverAfterFailure()
    {
        if (_syncFailed)
        {
            return DurableOffset;
        }

        try
        {
            _written = _files.GetLength(data);
            return Finish();
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            return DurableOffset;
        }
    }

    /// <summary>Takes staged bytes away.</summary>
    public void DiscardStaged()
    {
        Truncate(StartOffset);
        if (durableOffsetFile is not null)
        {
            // The cut before the record: without its staging offset, a longer file would count.
            _files.Sync(data);
        }
    }

    public void Dispose()
    {
        durableOffsetFile?.Dispose();
        data.Dispose();
    }

    /// <summary>The length that the file has, which is what was written: else somebody else works on it, and nothing may follow.</summary>
    private long VerifyLength()
    {
        long length = _files.GetLength(data);
        return length == _written ? length : throw new UploadStoreException(
            StoreFailure.Corrupt, $"'{data.Path}' has {length} bytes where {_written} were written.", Math.Min(length, DurableOffset));
    }

    /// <summary>Finds room for as much again as came, so that a length that was only claimed takes no more of the disk than what was sent.</summary>
    private void Preallocate()
    {
        long came = _written - StartOffset;
        long room = Math.Min((expected ?? 0) - came, Math.Min(came, MaxPreallocation));
        if (_written >= _preallocatedEnd && room >= MinPreallocation)
        {
            _files.Preallocate(data, _written, room);
            _preallocatedEnd = _written + room;
        }
    }

    /// <summary>Leaves less to do for the next sync.</summary>
    private void StartWriteback()
    {
        if (durableOffsetFile is not null && _written - _writebackOffset >= WritebackThreshold)
        {
            _files.StartWriteback(data, _writebackOffset, _written - _writebackOffset);
            _writebackOffset = _written;
        }
    }

    private void Sync()
    {
        if (durableOffsetFile is null || _written == _synced)
        {
            return;
        }

        try
        {
            _files.Sync(data);
            _synced = _written;
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            // What was not on the disk may be gone from memory as well, and the next sync would report success.
            Log.SyncFailed(context.Logger, data.Path, DurableOffset, e);
            _syncFailed = true;
            RollBackToDurable(durableOffsetFile);
            throw;
        }
    }

    private void RollBackToDurable(OpenFile marks)
    {
        try
        {
            Truncate(DurableOffset);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            Log.TruncateFailed(context.Logger, data.Path, DurableOffset, e);
            try
            {
                WriteDurableOffset(marks, DurableOffset, DurableOffsetFile.UntrustedBootId);
            }
            catch (Exception again) when (StorageErrors.IsStorageError(again))
            {
                Log.TruncateFailed(context.Logger, marks.Path, DurableOffset, again);
            }
        }
    }

    /// <summary>Cutting is no change: the upload is as old as it was at that length.</summary>
    private void Truncate(long length)
    {
        _written = _synced = length;
        _files.Truncate(data, length);
        _files.SetLastWriteTime(data, length > StartOffset ? UtcNow : upload.DataFileState!.Value.LastWriteTime);
    }

    private void WriteDurableOffset(OpenFile file, long offset, string boot)
    {
        _slots = DurableOffsetFile.Write(_files, file, _slots, offset, boot);
        DurableOffset = offset;
    }
}
