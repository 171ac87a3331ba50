using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>What can be told of the offset of a receiving upload without changing anything.</summary>
/// <param name="Offset">How many bytes are certain.</param>
/// <param name="FileLength">How many bytes the file has.</param>
/// <param name="LastWriteTime">When the file was last written.</param>
/// <param name="Slots">What the mark file says.</param>
/// <param name="NeedsReconciliation">Whether the holder of the lock would make something of the difference.</param>
internal readonly record struct DataFileState(long Offset, long FileLength, DateTime LastWriteTime, DurableOffsetSlots Slots, bool NeedsReconciliation);

/// <summary>
/// Finds the offset of a receiving upload. Its file may be longer than what was made durable: after the death of a process the rest
/// is in the page cache and only needs a sync; after another boot nobody knows what is in it, and it is cut off.
/// </summary>
internal sealed class OffsetReconciler(StoreContext context)
{
    private const int LockCount = 64;

    private readonly FileLayer _files = context.Files;
    private readonly Lock[] _locks = [.. Enumerable.Range(0, LockCount).Select(static _ => new Lock())];

    /// <summary>
    /// What a thread of this process enters before it takes the lock of an upload to settle it. Several uploads share one, so nobody stays
    /// in it longer than a sync takes.
    /// </summary>
    public Lock GetLock(UploadFilePaths files) => _locks[(uint)files.Nonce.GetHashCode(StringComparison.Ordinal) % LockCount];

    /// <summary>Looks, with no lock. Null when the content is missing.</summary>
    public DataFileState? Read(UploadFilePaths files, StoredRecord record)
    {
        bool marked = record.Durability == Durability.PowerLoss;

        // The mark first: while somebody appends it never is ahead of the length.
        DurableOffsetSlots slots = marked ? DurableOffsetFile.Read(_files, files.DurableOffsetPath) : default;
        if (_files.Stat(files.DataPath) is not var (length, written))
        {
            return null;
        }

        long durable = slots.GetTrusted(_files.BootId)?.Offset ?? 0;
        long counted = Math.Min(length, GetStagingOffset(record, durable) ?? long.MaxValue);
        if (!marked)
        {
            return new DataFileState(counted, length, written, slots, NeedsReconciliation: length > counted);
        }

        return new DataFileState(
            Math.Min(counted, durable), length, written, slots, length != durable || slots.Newest is { IsConfirmed: false });
    }

    /// <summary>
    /// Makes the offset and the length of the file the same, by a sync or a cut, and gives what then is certain. The caller has the lock.
    /// </summary>
    public DataFileState? Reconcile(UploadFilePaths files, StoredRecord record)
    {
        DataFileState? observed = Read(files, record);
        if (observed is not { NeedsReconciliation: true } seen)
        {
            return observed;
        }

        using OpenFile data = _files.OpenWrite(files.DataPath);
        long length = seen.FileLength;
        string boot = _files.BootId;
        DurableOffsetSlot? trusted = seen.Slots.GetTrusted(boot);
        long durable = trusted?.Offset ?? 0;
        if (GetStagingOffset(record, durable) is { } staging && staging < length)
        {
            Truncate(data, staging, seen.LastWriteTime);
            length = staging;
        }

        if (record.Durability == Durability.ProcessCrash)
        {
            return seen with { Offset = length, FileLength = length, NeedsReconciliation = false };
        }

        if (length < durable)
        {
            Log.ShorterThanDurableOffset(context.Logger, files.DataPath, length, durable);
        }
        else if (length > durable && (trusted?.BootId ?? record.CreationBootId) != boot)
        {
            Log.TruncatedAfterPowerLoss(context.Logger, files.DataPath, durable, length);
            Truncate(data, durable, seen.LastWriteTime);
            length = durable;
        }

        _files.Sync(data);
        using OpenFile durableOffsetFile = OpenDurableOffsetFile(files.DurableOffsetPath);
        DurableOffsetSlots slots = DurableOffsetFile.Write(_files, durableOffsetFile, seen.Slots, length, boot);
        return new DataFileState(length, length, seen.LastWriteTime, slots, NeedsReconciliation: false);
    }

    /// <summary>Opens the mark file; one that went missing is made anew.</summary>
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

    /// <summary>Cuts bytes off that never counted: the upload does not become younger by it.</summary>
    public void Truncate(OpenFile data, long length, DateTime written)
    {
        _files.Truncate(data, length);
        _files.SetLastWriteTime(data, written);
    }

    /// <summary>
    /// Where staged bytes begin, if there are any. A mark goes behind them only when they count: then it is the record that is out of date, after
    /// a loss of power that took the one which followed.
    /// </summary>
    private static long? GetStagingOffset(StoredRecord record, long durable) => record.StagingOffset >= durable ? record.StagingOffset : null;
}
