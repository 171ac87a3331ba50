using System.Buffers;
using System.Security.Cryptography;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>The state of the data file of a receiving upload.</summary>
/// <param name="Offset">The offset of the upload, in bytes.</param>
/// <param name="FileLength">The length of the data file, in bytes. It can be greater than the offset.</param>
/// <param name="LastWriteTime">The modification time of the file.</param>
/// <param name="Slots">The content of the mark file.</param>
/// <param name="NeedsReconciliation">Whether <see cref="OffsetReconciler.Reconcile"/> would change the files.</param>
internal readonly record struct DataFileState(long Offset, long FileLength, DateTime LastWriteTime, DurableOffsetSlots Slots, bool NeedsReconciliation);

/// <summary>
/// Determines the offset of a receiving upload. The data file may be longer than the durable offset. After a process crash, the page cache still has
/// the remaining bytes, and a sync makes them durable. After a power loss, their content is unknown, and they are truncated.
/// </summary>
internal sealed class OffsetReconciler(StoreContext context)
{
    private const int BlockSize = 256 * 1024;

    private readonly FileLayer _files = context.Files;

    /// <summary>Reads the state without a lock and without changes. Returns null if the data file is missing.</summary>
    /// <param name="paths">The paths of the upload.</param>
    /// <param name="record">The record of the upload.</param>
    /// <param name="isLocked">Whether another process holds the lock file, and may be writing a slot.</param>
    public DataFileState? Read(UploadFilePaths paths, StoredRecord record, bool isLocked = false)
    {
        bool hasDurableOffset = record.Durability == Durability.PowerLoss;

        // The mark file is read first. During an append, the durable offset is never greater than the length that is read after it.
        DurableOffsetSlots slots = hasDurableOffset ? DurableOffsetFile.Read(_files, paths.DurableOffsetPath) : default;
        if (_files.Stat(paths.DataPath) is not { } data)
        {
            return null;
        }

        if (isLocked && slots.Newest is { IsConfirmed: false })
        {
            // The holder of the lock may be syncing the slot: another process, or another machine with the same directory.
            slots = new DurableOffsetSlots(null, slots.Previous);
        }

        if (slots.Newest is { IsConfirmed: false, Tail.Length: > 0 } newest && newest.BootId != _files.BootId && HasTail(paths.DataPath, newest))
        {
            slots = slots with { Newest = newest with { HasTail = true } };
        }

        long durable = slots.GetTrusted(_files.BootId)?.Offset ?? 0;
        long unstaged = Math.Min(data.Length, GetStagingOffset(record, durable) ?? long.MaxValue);
        if (!hasDurableOffset)
        {
            return new DataFileState(unstaged, data.Length, data.LastWriteTime, slots, NeedsReconciliation: data.Length > unstaged);
        }

        return new DataFileState(
            Math.Min(unstaged, durable), data.Length, data.LastWriteTime, slots, data.Length != durable || slots.Newest is { IsConfirmed: false });
    }

    /// <summary>
    /// Makes the offset and the length of the data file equal, by syncing or truncating the file. The caller holds the lock file. Returns null if the data
    /// file is missing.
    /// </summary>
    public DataFileState? Reconcile(UploadFilePaths paths, StoredRecord record)
    {
        DataFileState? state = Read(paths, record);
        if (state is not { NeedsReconciliation: true } before)
        {
            return state;
        }

        if (record.Durability == Durability.PowerLoss)
        {
            context.RequireThread();
        }

        using OpenFile data = _files.OpenWrite(paths.DataPath);
        long length = before.FileLength;
        string boot = _files.BootId;
        DurableOffsetSlots slots = before.Slots;
        DurableOffsetSlot? trusted = slots.GetTrusted(boot);
        long durable = trusted?.Offset ?? 0;
        if (GetStagingOffset(record, durable) is { } staging && staging < length)
        {
            Truncate(data, staging, before.LastWriteTime);
            length = staging;
        }

        if (record.Durability == Durability.ProcessCrash)
        {
            return before with { Offset = length, FileLength = length, NeedsReconciliation = false };
        }

        using OpenFile durableOffsetFile = OpenDurableOffsetFile(paths.DurableOffsetPath);
        if (trusted is { IsConfirmed: false } unconfirmed)
        {
            WriteAgain(data, unconfirmed.Offset - unconfirmed.Tail.Length, unconfirmed.Offset, before.LastWriteTime);
            slots = DurableOffsetFile.WriteAgain(context, durableOffsetFile, slots, data);
        }

        if (length < durable)
        {
            Log.ShorterThanDurableOffset(context.Logger, paths.DataPath, length, durable);
        }
        else if (length > durable && (trusted?.BootId ?? record.CreationBootId) != boot)
        {
            Log.TruncatedAfterPowerLoss(context.Logger, paths.DataPath, durable, length);
            Truncate(data, durable, before.LastWriteTime);
            length = durable;
        }

        try
        {
            if (length > durable)
            {
                WriteAgain(data, durable, length, before.LastWriteTime);
            }

            _files.Sync(data);
        }
        catch (Exception e) when (length > durable && StorageErrors.IsStorageError(e))
        {
            // The kernel may have dropped the bytes from the page cache, and the next sync would report success.
            Log.SyncFailed(context.Logger, paths.DataPath, durable, e);
            RollBack(data, durableOffsetFile, slots, durable, before.LastWriteTime);
            throw;
        }

        slots = DurableOffsetFile.Write(context, durableOffsetFile, slots, new DurableOffsetSlot { Offset = length, BootId = boot });
        return new DataFileState(length, length, before.LastWriteTime, slots, NeedsReconciliation: false);
    }

    /// <summary>Opens the mark file, or creates it if it is missing.</summary>
    public OpenFile OpenDurableOffsetFile(string path)
    {
        try
        {
            return _files.OpenWrite(path);
        }
        catch (FileNotFoundException)
        {
            OpenFile file = _files.CreateFile(path);
            _files.Write(file, DurableOffsetFile.CreateEmpty(), 0);
            _files.SyncDirectory(Path.GetDirectoryName(path)!);
            return file;
        }
    }

    /// <summary>Cuts off bytes that are not durable. If that fails, records that they never count.</summary>
    private void RollBack(OpenFile data, OpenFile durableOffsetFile, DurableOffsetSlots slots, long durable, DateTime lastWriteTime)
    {
        try
        {
            Truncate(data, durable, lastWriteTime);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            Log.TruncateFailed(context.Logger, data.Path, durable, e);
            DiscardPendingSlot(durableOffsetFile, slots, durable);
        }
    }

    private void DiscardPendingSlot(OpenFile durableOffsetFile, DurableOffsetSlots slots, long durable)
    {
        try
        {
            DurableOffsetFile.Write(context, durableOffsetFile, slots, new DurableOffsetSlot { Offset = durable, BootId = DurableOffsetFile.UntrustedBootId });
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            Log.TruncateFailed(context.Logger, durableOffsetFile.Path, durable, e);
        }
    }

    /// <summary>
    /// Returns whether the last bytes before the offset of a slot have reached the disk, as far as they were not durable before the slot was written. Bytes that
    /// cannot be read now may have been reported as durable, so an error is thrown.
    /// </summary>
    private bool HasTail(string path, DurableOffsetSlot slot)
    {
        try
        {
            byte[] tail = new byte[slot.Tail.Length];
            using OpenFile data = _files.OpenRead(path);
            return data.Read(tail, slot.Offset - tail.Length) == tail.Length && DurableOffsetFile.ToDigest(SHA256.HashData(tail)) == slot.Tail.Digest;
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e))
        {
            // The upload was deleted meanwhile, or its content was moved.
            return false;
        }
    }

    /// <summary>
    /// Writes bytes that are in the page cache once more. The kernel reports a failed write to the disk only once, perhaps to the process that has died, and
    /// takes the pages for clean afterwards: a sync of them would succeed without any effect.
    /// </summary>
    private void WriteAgain(OpenFile data, long offset, long end, DateTime lastWriteTime)
    {
        byte[] block = ArrayPool<byte>.Shared.Rent((int)Math.Min(end - offset, BlockSize));
        for (int count = -1; count != 0 && offset < end; offset += count)
        {
            count = data.Read(block.AsSpan(0, (int)Math.Min(end - offset, block.Length)), offset);
            _files.Write(data, block.AsMemory(0, count), offset);
        }

        ArrayPool<byte>.Shared.Return(block);
        _files.SetLastWriteTime(data, lastWriteTime);
    }

    /// <summary>Cuts off bytes that never counted. The modification time stays, so that the upload does not expire later.</summary>
    private void Truncate(OpenFile data, long length, DateTime lastWriteTime)
    {
        _files.Truncate(data, length);
        _files.SetLastWriteTime(data, lastWriteTime);
    }

    /// <summary>
    /// Returns the offset at which staged bytes begin, or null. The durable offset exceeds the staging offset only after a commit. In that case, a
    /// power loss has reverted the record to an earlier version.
    /// </summary>
    private static long? GetStagingOffset(StoredRecord record, long durable) => record.StagingOffset >= durable ? record.StagingOffset : null;
}
