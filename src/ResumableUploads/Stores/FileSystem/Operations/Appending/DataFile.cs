using System.Buffers;
using System.Security.Cryptography;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations.Appending;

/// <summary>The data file during an append. Tracks how many bytes are written, synced and durable.</summary>
/// <param name="context">The dependencies of the store.</param>
/// <param name="upload">The locked upload, which is receiving.</param>
/// <param name="data">The open data file.</param>
/// <param name="durableOffsetFile">The open mark file, or null with <see cref="Durability.ProcessCrash"/>, where nothing is synced.</param>
/// <param name="staging">Whether the bytes are staged and not yet part of the content.</param>
/// <param name="expectedLength">The expected number of bytes of the append, or null.</param>
internal sealed class DataFile(
    StoreContext context, LockedUpload upload, OpenFile data, OpenFile? durableOffsetFile, bool staging, long? expectedLength) : IDisposable
{
    /// <summary>The maximum number of bytes copied between two checks whether a sync is due.</summary>
    private const long MaxCopyLength = 64L << 20;

    /// <summary>The number of bytes after which writeback starts: large enough for efficient writes, small enough to keep the next sync short.</summary>
    private const long WritebackThreshold = 8L << 20;

    /// <summary>The resolution of timers.</summary>
    private static readonly TimeSpan MinDelay = TimeSpan.FromMilliseconds(1);

    private const long MinPreallocation = 4L << 20;
    private const long MaxPreallocation = 64L << 20;

    private readonly FileLayer _files = context.Files;

    private DurableOffsetSlots _slots = upload.DataFileState!.Value.Slots;
    private bool _staging = staging;
    private bool _isRolledBack;
    private long _written = upload.Offset;

    /// <summary>The offset after the last byte that a write was given, also if it failed.</summary>
    private long _sent = upload.Offset;
    private long _synced = upload.Offset;
    private long _writebackOffset = upload.Offset;
    private long _preallocatedEnd = upload.Offset;
    private long _lastSync = context.TimeProvider.GetTimestamp();

    /// <summary>The digest of the bytes behind the durable offset, or null if there are none or too many.</summary>
    private IncrementalHash? _tailHash;

    private int _tailLength;

    /// <summary>Gets the offset at which the append started.</summary>
    public long StartOffset { get; } = upload.Offset;

    /// <summary>Gets the durable offset. Staged bytes do not change it.</summary>
    public long DurableOffset { get; private set; } = upload.Offset;

    /// <summary>Gets the offset after the last byte that was written.</summary>
    public long WrittenOffset => _written;

    /// <summary>Gets whether the bytes that were written must be made durable before more are accepted.</summary>
    public bool IsCheckpointDue => _written != _synced && (durableOffsetFile is null
        ? !_staging
        : _written - _synced >= context.Options.SyncSize || context.TimeProvider.GetElapsedTime(_lastSync) >= context.Options.SyncInterval);

    /// <summary>Gets the time after which the bytes that were written must be made durable, or null if there are none.</summary>
    public TimeSpan? TimeUntilCheckpoint
    {
        get
        {
            if (durableOffsetFile is null || _written == _synced)
            {
                return null;
            }

            TimeSpan left = context.Options.SyncInterval - context.TimeProvider.GetElapsedTime(_lastSync);
            return left > MinDelay ? left : MinDelay;
        }
    }

    private DateTime UtcNow => context.Clock.GetUtcNow().UtcDateTime;

    /// <summary>
    /// Records the current boot in the mark file if it names an earlier one. Otherwise unsynced bytes of this append would be truncated after a process crash.
    /// </summary>
    public void RecordCurrentBoot()
    {
        string boot = _files.BootId;
        if (durableOffsetFile is not null && (_slots.GetTrusted(boot)?.BootId ?? upload.Record.CreationBootId) != boot)
        {
            context.RequireThread();
            WriteDurableOffset(durableOffsetFile, StartOffset, boot, default);
        }
    }

    /// <summary>Makes the staged bytes count.</summary>
    public void CommitStaged() => _staging = false;

    public void Write(in ReadOnlySequence<byte> buffer)
    {
        if (!buffer.IsEmpty)
        {
            _sent = _written + buffer.Length;
            _files.Write(data, buffer, _written);
            _written = _sent;
            AddToTail(buffer);
            Preallocate();
            StartWriteback();
        }
    }

    /// <summary>Copies a block of another file in the kernel. Returns false if the system cannot.</summary>
    public bool CopyFrom(BoundedReadStream source)
    {
        long length = Math.Min(source.Length - source.Position, MaxCopyLength);
        _sent = _written + length;
        long copied = _files.CopyRange(source.File, source.Position, data, _written, length);
        source.Position += copied;
        _written += copied;
        return copied > 0;
    }

    /// <summary>Makes the bytes durable. Returns whether <see cref="DurableOffset"/> has changed.</summary>
    public bool WriteCheckpoint()
    {
        if (_staging)
        {
            Sync();
        }
        else
        {
            MakeDurable(VerifyLength());
        }

        _lastSync = context.TimeProvider.GetTimestamp();
        return !_staging;
    }

    /// <summary>Makes all bytes and the modification time durable, but not the offset.</summary>
    public void SetLastWriteTimeAndSync()
    {
        SetLastWriteTime();
        Sync();
    }

    /// <summary>Makes all bytes durable. Returns the measured length of the file.</summary>
    public long Finish()
    {
        SetLastWriteTime();
        long offset = VerifyLength();
        if (offset != DurableOffset)
        {
            MakeDurable(offset);
        }

        return offset;
    }

    /// <summary>
    /// Makes all bytes durable, but not the offset, for a record that contains it and is written next. Returns the measured length of the file.
    /// </summary>
    public long FinishWithoutOffset()
    {
        ReleasePreallocation();
        long offset = VerifyLength();
        Sync();
        return offset;
    }

    /// <summary>Keeps the bytes that reached the file before a write failed. Returns the durable offset.</summary>
    public long RecoverAfterFailure()
    {
        if (_isRolledBack)
        {
            return DurableOffset;
        }

        try
        {
            long length = _files.GetLength(data);
            if (length > _written && length <= _sent)
            {
                // The write that failed has written a part of its bytes.
                _written = length;
            }

            return Finish();
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            return DurableOffset;
        }
    }

    /// <summary>Removes the staged bytes.</summary>
    public void DiscardStaged()
    {
        Truncate(StartOffset);
        if (durableOffsetFile is not null)
        {
            // The truncation must be durable before the record loses its staging offset. Otherwise, the staged bytes would become content.
            _files.Sync(data);
        }
    }

    public void Dispose()
    {
        _tailHash?.Dispose();
        durableOffsetFile?.Dispose();
        data.Dispose();
    }

    /// <summary>
    /// Measures the length of the file. If it is not the number of bytes written, another program changed the file. Then no byte behind the durable offset is kept.
    /// </summary>
    private long VerifyLength()
    {
        long length = _files.GetLength(data);
        if (length == _written)
        {
            return length;
        }

        long written = _written;
        DurableOffset = Math.Min(length, DurableOffset);
        RollBackToDurable();
        throw new UploadStoreException(StoreFailure.Corrupt, $"'{data.Path}' has {length} bytes, but {written} were written.", DurableOffset);
    }

    /// <summary>
    /// Preallocates at most as many bytes as were already received, so that a false Content-Length cannot reserve disk space.
    /// </summary>
    private void Preallocate()
    {
        long received = _written - StartOffset;
        long length = Math.Min((expectedLength ?? 0) - received, Math.Min(received, MaxPreallocation));
        if (_written >= _preallocatedEnd && length >= MinPreallocation)
        {
            _files.Preallocate(data, _written, length);
            _preallocatedEnd = _written + length;
        }
    }

    private void StartWriteback()
    {
        if (durableOffsetFile is not null && _written - _writebackOffset >= WritebackThreshold)
        {
            _files.StartWriteback(data, _writebackOffset, _written - _writebackOffset);
            _writebackOffset = _written;
        }
    }

    /// <summary>Gives preallocated space back. A killed append, which had received at least <see cref="MinPreallocation"/> bytes, may have left some.</summary>
    private void ReleasePreallocation()
    {
        if (_preallocatedEnd > _written || (StartOffset >= MinPreallocation && _written > StartOffset))
        {
            _files.Truncate(data, _files.GetLength(data));
        }
    }

    private void SetLastWriteTime()
    {
        ReleasePreallocation();
        if (_written > StartOffset)
        {
            // The time is set before the sync, so that the sync makes it durable too.
            _files.SetLastWriteTime(data, UtcNow);
        }
    }

    /// <summary>
    /// Makes the bytes and the offset durable. A few bytes are synced together with the offset: after a power loss, their digest shows whether they reached
    /// the disk. More bytes are synced first.
    /// </summary>
    private void MakeDurable(long offset)
    {
        if (durableOffsetFile is null)
        {
            DurableOffset = _synced = offset;
            return;
        }

        ContentTail tail = offset - DurableOffset == _tailLength && _tailHash is not null && _written != _synced
            ? new ContentTail(_tailLength, DurableOffsetFile.ToDigest(_tailHash.GetHashAndReset()))
            : default;
        if (tail.Length == 0)
        {
            Sync();
        }

        TrySync(() => WriteDurableOffset(durableOffsetFile, offset, _files.BootId, tail), tail.Length > 0);
        _synced = _written;
        ResetTail();
    }

    private void AddToTail(in ReadOnlySequence<byte> buffer)
    {
        if (durableOffsetFile is null || _written - DurableOffset > ContentTail.MaxLength || _written - DurableOffset - buffer.Length != _tailLength)
        {
            ResetTail();
            return;
        }

        _tailHash ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (ReadOnlyMemory<byte> segment in buffer)
        {
            _tailHash.AppendData(segment.Span);
        }

        _tailLength += (int)buffer.Length;
    }

    private void ResetTail()
    {
        _tailHash?.Dispose();
        _tailHash = null;
        _tailLength = 0;
    }

    private void Sync()
    {
        if (durableOffsetFile is not null && _written != _synced)
        {
            TrySync(() => _files.Sync(data), includesContent: true);
            _synced = _written;
        }
    }

    private void TrySync(Action sync, bool includesContent)
    {
        try
        {
            sync();
        }
        catch (Exception e) when (includesContent && StorageErrors.IsStorageError(e))
        {
            // After a failed sync the kernel may have dropped the dirty pages, and the next sync would report success.
            Log.SyncFailed(context.Logger, data.Path, DurableOffset, e);
            RollBackToDurable();
            throw;
        }
    }

    private void RollBackToDurable()
    {
        _isRolledBack = true;
        try
        {
            Truncate(DurableOffset);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            Log.TruncateFailed(context.Logger, data.Path, DurableOffset, e);
            if (durableOffsetFile is not null)
            {
                DiscardPendingSlot(durableOffsetFile);
            }
        }
    }

    private void DiscardPendingSlot(OpenFile file)
    {
        try
        {
            WriteDurableOffset(file, DurableOffset, DurableOffsetFile.UntrustedBootId, default);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            Log.TruncateFailed(context.Logger, file.Path, DurableOffset, e);
        }
    }

    /// <summary>Truncates the file. Back at the start offset it gets its old modification time, because the upload has not changed.</summary>
    private void Truncate(long length)
    {
        _written = _synced = length;
        ResetTail();
        _files.Truncate(data, length);
        _files.SetLastWriteTime(data, length > StartOffset ? UtcNow : upload.DataFileState!.Value.LastWriteTime);
    }

    private void WriteDurableOffset(OpenFile file, long offset, string boot, ContentTail tail)
    {
        var slot = new DurableOffsetSlot { Offset = offset, BootId = boot, Tail = tail };
        _slots = DurableOffsetFile.Write(context, file, _slots, slot, tail.Length > 0 ? data : null);
        DurableOffset = offset;
    }
}
