using System.Buffers;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>The file that an append writes to, and how far it is written, synced and certain.</summary>
/// <param name="context">What the store works with.</param>
/// <param name="upload">The upload, which is locked and receiving.</param>
/// <param name="data">Its bytes.</param>
/// <param name="mark">Its mark, or null where nothing is synced (<see cref="Durability.Process"/>).</param>
/// <param name="staging">Whether the bytes do not count yet.</param>
/// <param name="expected">How many bytes are to come, or null.</param>
internal sealed class AppendFile(
    StoreContext context, LockedUpload upload, OpenFile data, OpenFile? mark, bool staging, long? expected) : IDisposable
{
    /// <summary>Small enough that a copy between two syncs is soon over.</summary>
    private const long CopyBlock = 64L << 20;

    /// <summary>How much is written before the disk begins with it: enough for it to work well, and little for a sync to wait for.</summary>
    private const long WriteBackSize = 8L << 20;

    private const long MinAllocation = 4L << 20;
    private const long MaxAllocation = 64L << 20;

    private readonly FileLayer _files = context.Files;

    private Marks _marks = upload.Observed!.Value.Marks;
    private bool _staging = staging;
    private bool _syncFailed;
    private long _written = upload.Offset;
    private long _synced = upload.Offset;
    private long _started = upload.Offset;
    private long _allocated = upload.Offset;
    private long _lastSync = context.Time.GetTimestamp();

    /// <summary>Where the append began.</summary>
    public long Start { get; } = upload.Offset;

    /// <summary>The bytes that count and will stay. Staged bytes never move it.</summary>
    public long Durable { get; private set; } = upload.Offset;

    private DateTime Now => context.Time.GetUtcNow().UtcDateTime;

    /// <summary>Bytes that only reach the page cache from now on must not be taken for those of an earlier boot.</summary>
    public void EnterBoot()
    {
        string boot = _files.BootId;
        if (mark is not null && (_marks.Trusted(boot)?.Boot ?? upload.Record.Boot) != boot)
        {
            WriteMark(mark, Start, boot);
        }
    }

    /// <summary>Staged bytes count from here on.</summary>
    public void Accept() => _staging = false;

    public void Write(in ReadOnlySequence<byte> buffer)
    {
        if (!buffer.IsEmpty)
        {
            _files.Write(data, buffer, _written);
            _written += buffer.Length;
            Allocate();
            StartWriting();
        }
    }

    /// <summary>Copies a block of another file without reading it; false where the system cannot.</summary>
    public bool CopyFrom(BoundedReadStream source)
    {
        long copied = _files.Copy(source.File, source.Position, data, _written, Math.Min(source.Length - source.Position, CopyBlock));
        source.Position += copied;
        _written += copied;
        return copied > 0;
    }

    /// <summary>Makes durable what is due to be. True when <see cref="Durable"/> has moved.</summary>
    public bool Advance()
    {
        if (_written == _synced)
        {
            return false;
        }

        if (mark is null)
        {
            if (!_staging)
            {
                Durable = _synced = Measure();
            }

            return !_staging;
        }

        if (_written - _synced < context.Options.SyncSize && context.Time.GetElapsedTime(_lastSync) < context.Options.SyncInterval)
        {
            return false;
        }

        Sync();
        _lastSync = context.Time.GetTimestamp();
        if (!_staging)
        {
            WriteMark(mark, Measure(), _files.BootId);
        }

        return !_staging;
    }

    public void StampAndSync()
    {
        if (_allocated > _written)
        {
            _files.Truncate(data, _files.GetLength(data));
        }

        if (_written > Start)
        {
            // Before the sync: a later stamp could be lost, and with it the age of the upload.
            _files.SetWritten(data, Now);
        }

        Sync();
    }

    /// <summary>Makes all of it durable, and gives the length that is measured then.</summary>
    public long Finish()
    {
        StampAndSync();
        long offset = Measure();
        if (mark is not null && offset != Durable)
        {
            WriteMark(mark, offset, _files.BootId);
        }

        return Durable = offset;
    }

    /// <summary>After a failed write: keeps what did get to the file. Gives the durable offset.</summary>
    public long Rescue()
    {
        if (_syncFailed)
        {
            return Durable;
        }

        try
        {
            _written = _files.GetLength(data);
            return Finish();
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            return Durable;
        }
    }

    /// <summary>Takes staged bytes away.</summary>
    public void Drop()
    {
        Cut(Start);
        if (mark is not null)
        {
            // The cut before the record: without its staging offset, a longer file would count.
            _files.Sync(data);
        }
    }

    public void Dispose()
    {
        mark?.Dispose();
        data.Dispose();
    }

    /// <summary>The length that the file has, which is what was written: else somebody else works on it, and nothing may follow.</summary>
    private long Measure()
    {
        long length = _files.GetLength(data);
        return length == _written ? length : throw new UploadStoreException(
            StoreFailure.Corrupt, $"'{data.Path}' has {length} bytes where {_written} were written.", Math.Min(length, Durable));
    }

    /// <summary>Finds room for as much again as came, so that a length that was only claimed takes no more of the disk than what was sent.</summary>
    private void Allocate()
    {
        long came = _written - Start;
        long room = Math.Min((expected ?? 0) - came, Math.Min(came, MaxAllocation));
        if (_written >= _allocated && room >= MinAllocation)
        {
            _files.Allocate(data, _written, room);
            _allocated = _written + room;
        }
    }

    /// <summary>Leaves less to do for the next sync.</summary>
    private void StartWriting()
    {
        if (mark is not null && _written - _started >= WriteBackSize)
        {
            _files.StartWriting(data, _started, _written - _started);
            _started = _written;
        }
    }

    private void Sync()
    {
        if (mark is null || _written == _synced)
        {
            return;
        }

        try
        {
            _files.Sync(data);
            _synced = _written;
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            // What was not on the disk may be gone from memory as well, and the next sync would report success.
            Log.SyncFailed(context.Logger, data.Path, Durable, e);
            _syncFailed = true;
            Forget(mark);
            throw;
        }
    }

    private void Forget(OpenFile marks)
    {
        try
        {
            Cut(Durable);
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            Log.CutFailed(context.Logger, data.Path, Durable, e);
            try
            {
                WriteMark(marks, Durable, MarkFile.Distrusted);
            }
            catch (Exception again) when (StorageErrors.IsStorage(again))
            {
                Log.CutFailed(context.Logger, marks.Path, Durable, again);
            }
        }
    }

    /// <summary>Cutting is no change: the upload is as old as it was at that length.</summary>
    private void Cut(long length)
    {
        _written = _synced = length;
        _files.Truncate(data, length);
        _files.SetWritten(data, length > Start ? Now : upload.Observed!.Value.Written);
    }

    private void WriteMark(OpenFile file, long offset, string boot)
    {
        _marks = MarkFile.Write(_files, file, _marks, offset, boot);
        Durable = offset;
    }
}
