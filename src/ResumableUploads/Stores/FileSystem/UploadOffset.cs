using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>What can be told of the offset of a receiving upload without changing anything.</summary>
/// <param name="Offset">How many bytes are certain.</param>
/// <param name="Length">How many bytes the file has.</param>
/// <param name="Written">When the file was last written.</param>
/// <param name="Marks">What the mark file says.</param>
/// <param name="NeedsSettling">Whether the holder of the lock would make something of the difference.</param>
internal readonly record struct ObservedOffset(long Offset, long Length, DateTime Written, Marks Marks, bool NeedsSettling);

/// <summary>
/// Finds the offset of a receiving upload. Its file may be longer than what was made durable: after the death of a process the rest
/// is in the page cache and only needs a sync; after another boot nobody knows what is in it, and it is cut off.
/// </summary>
internal sealed class UploadOffset(StoreContext context)
{
    private const int Locks = 64;

    private readonly FileLayer _files = context.Files;
    private readonly Lock[] _settling = [.. Enumerable.Range(0, Locks).Select(static _ => new Lock())];

    /// <summary>
    /// What a thread of this process enters before it takes the lock of an upload to settle it. Several uploads share one, so nobody stays
    /// in it longer than a sync takes.
    /// </summary>
    public Lock Settling(UploadFiles files) => _settling[(uint)files.Nonce.GetHashCode(StringComparison.Ordinal) % Locks];

    /// <summary>Looks, with no lock. Null when the content is missing.</summary>
    public ObservedOffset? Observe(UploadFiles files, StoredRecord record)
    {
        bool marked = record.Durability == Durability.PowerLoss;

        // The mark first: while somebody appends it never is ahead of the length.
        Marks marks = marked ? MarkFile.Read(_files, files.Mark) : default;
        if (_files.Stat(files.Data) is not var (length, written))
        {
            return null;
        }

        long durable = marks.Trusted(_files.BootId)?.Offset ?? 0;
        long counted = Math.Min(length, StagingOf(record, durable) ?? long.MaxValue);
        if (!marked)
        {
            return new ObservedOffset(counted, length, written, marks, NeedsSettling: length > counted);
        }

        return new ObservedOffset(
            Math.Min(counted, durable), length, written, marks, length != durable || marks.Newest is { Confirmed: false });
    }

    /// <summary>
    /// Makes the offset and the length of the file the same, by a sync or a cut, and gives what then is certain. The caller has the lock.
    /// </summary>
    public ObservedOffset? Settle(UploadFiles files, StoredRecord record)
    {
        ObservedOffset? observed = Observe(files, record);
        if (observed is not { NeedsSettling: true } seen)
        {
            return observed;
        }

        using OpenFile data = _files.OpenWrite(files.Data);
        long length = seen.Length;
        string boot = _files.BootId;
        Mark? trusted = seen.Marks.Trusted(boot);
        long durable = trusted?.Offset ?? 0;
        if (StagingOf(record, durable) is { } staging && staging < length)
        {
            Cut(data, staging, seen.Written);
            length = staging;
        }

        if (record.Durability == Durability.Process)
        {
            return seen with { Offset = length, Length = length, NeedsSettling = false };
        }

        if (length < durable)
        {
            Log.ShorterThanMarked(context.Logger, files.Data, length, durable);
        }
        else if (length > durable && (trusted?.Boot ?? record.Boot) != boot)
        {
            Log.CutBack(context.Logger, files.Data, durable, length);
            Cut(data, durable, seen.Written);
            length = durable;
        }

        _files.Sync(data);
        using OpenFile mark = OpenMark(files.Mark);
        Marks marks = MarkFile.Write(_files, mark, seen.Marks, length, boot);
        return new ObservedOffset(length, length, seen.Written, marks, NeedsSettling: false);
    }

    /// <summary>Opens the mark file; one that went missing is made anew.</summary>
    public OpenFile OpenMark(string path)
    {
        try
        {
            return _files.OpenWrite(path);
        }
        catch (FileNotFoundException)
        {
            OpenFile file = _files.CreateFile(path);
            _files.Write(file, MarkFile.Blank(), 0);
            _files.SyncDirectory(Path.GetDirectoryName(path)!);
            return file;
        }
    }

    /// <summary>Cuts bytes off that never counted: the upload does not become younger by it.</summary>
    public void Cut(OpenFile data, long length, DateTime written)
    {
        _files.Truncate(data, length);
        _files.SetWritten(data, written);
    }

    /// <summary>
    /// Where staged bytes begin, if there are any. A mark goes behind them only when they count: then it is the record that is out of date, after
    /// a loss of power that took the one which followed.
    /// </summary>
    private static long? StagingOf(StoredRecord record, long durable) => record.Staging >= durable ? record.Staging : null;
}
