using System.Buffers;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>One append, under the lock: reads the content to its end and writes it behind what is there.</summary>
internal sealed class FileAppend(
    StoreContext context, RecordFile records, UploadOffset offsets, LockedUpload upload, UploadContent content, CancellationToken cancellationToken)
{
    private readonly FileLayer _files = context.Files;
    private readonly List<ReadOnlyMemory<byte>> _segments = [];
    private readonly bool _powerLoss = upload.Record.Durability == Durability.PowerLoss;
    private readonly long _start = upload.Offset;

    private Marks _marks = upload.Observed!.Value.Marks;
    private StoredRecord _record = upload.Record;

    // What was written, what is synced, and what readers may rely on. Under staging only the first two move.
    private long _written = upload.Offset;
    private long _synced = upload.Offset;
    private long _durable = upload.Offset;
    private long _lastSync;
    private bool _staging;
    private bool _syncFailed;

    public async ValueTask<AppendResult> RunAsync(AppendMode mode)
    {
        _staging = mode == AppendMode.AllOrNothing;
        OpenFile? data = null;
        OpenFile? mark = null;
        try
        {
            if (!Prepare(out data, out mark))
            {
                return NotFound;
            }

            return _staging ? await StageAsync(data!, mark) : await KeepAsync(data!, mark);
        }
        finally
        {
            mark?.Dispose();
            data?.Dispose();
        }
    }

    private static AppendResult NotFound => new(AppendStatus.NotFound, 0, null);

    private DateTime Now => context.Time.GetUtcNow().UtcDateTime;

    private AppendResult Result(AppendStatus status, long offset) => new(status, offset, _record.VersionAt(offset));

    /// <summary>Brings record and mark into the state in which bytes may be written; the content is not touched yet.</summary>
    private bool Prepare(out OpenFile? data, out OpenFile? mark)
    {
        data = mark = null;
        try
        {
            data = _files.OpenWrite(upload.Files.Data);
            mark = _powerLoss ? offsets.OpenMark(upload.Files.Mark) : null;
        }
        catch (Exception e) when (StorageErrors.IsMissing(e))
        {
            return false;
        }

        try
        {
            string boot = _files.BootId;
            if (mark is not null && (_marks.Trusted(boot)?.Boot ?? _record.Boot) != boot)
            {
                // So that bytes which only reach the page cache in this boot are not taken for those of another.
                WriteMark(mark, _start, boot);
            }

            long? staging = _staging ? _start : null;
            return _record.Staging == staging || SetStaging(staging);
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            throw StorageErrors.Wrap(e, _start);
        }
    }

    private bool SetStaging(long? offset)
    {
        StoredRecord next = _record with { Staging = offset, Writes = _record.Writes + 1 };
        if (!records.Write(upload.Files.Directory, next))
        {
            return false;
        }

        _record = next;
        return true;
    }

    private async ValueTask<AppendResult> KeepAsync(OpenFile data, OpenFile? mark)
    {
        try
        {
            await PumpAsync(data, mark);
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            throw StorageErrors.Wrap(e, Rescue(data, mark));
        }

        try
        {
            long offset = Finish(data, mark);
            if (offset > _start)
            {
                content.Committed(offset);
            }

            return upload.IsThere(_files) ? Result(AppendStatus.Appended, offset) : NotFound;
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            throw StorageErrors.Wrap(e, _durable);
        }
    }

    private async ValueTask<AppendResult> StageAsync(OpenFile data, OpenFile? mark)
    {
        bool discard = true;
        try
        {
            await PumpAsync(data, mark);
            if (await ShouldCommitAsync())
            {
                StampAndSync(data, mark);

                // Whether this works or not, the record is what decides from here on.
                discard = false;
                _staging = !SetStaging(null);
            }
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            throw StorageErrors.Wrap(e, _start);
        }
        finally
        {
            if (discard)
            {
                Discard(data);
            }
        }

        try
        {
            // The bytes count now. A crash before the mark leaves them to the first touch in this boot, and drops them all in another.
            long offset = _staging ? _start : Finish(data, mark);
            return upload.IsThere(_files) ? Result(discard ? AppendStatus.Discarded : AppendStatus.Appended, offset) : NotFound;
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            throw StorageErrors.Wrap(e, _durable);
        }
    }

    private async ValueTask<bool> ShouldCommitAsync()
    {
        try
        {
            return await content.ShouldCommitAsync(cancellationToken) && !cancellationToken.IsCancellationRequested;
        }
        catch (Exception e)
        {
            Log.NotDecided(context.Logger, upload.Files.Data, e);
            return false;
        }
    }

    private async ValueTask PumpAsync(OpenFile data, OpenFile? mark)
    {
        PipeReader reader = content.Reader;
        _lastSync = context.Time.GetTimestamp();
        for (bool completed = false; !completed;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadResult result = await reader.ReadAsync(CancellationToken.None);
            completed = result.IsCompleted;
            ReadOnlySequence<byte> buffer = result.Buffer;
            if (!buffer.IsEmpty)
            {
                Write(data, buffer);
            }

            reader.AdvanceTo(buffer.End);
            Progress(data, mark, last: completed);
        }
    }

    private void Write(OpenFile data, in ReadOnlySequence<byte> buffer)
    {
        _segments.Clear();
        foreach (ReadOnlyMemory<byte> segment in buffer)
        {
            if (!segment.IsEmpty)
            {
                _segments.Add(segment);
            }
        }

        _files.Write(data, _segments, _written);
        _written += buffer.Length;
    }

    private void Progress(OpenFile data, OpenFile? mark, bool last)
    {
        if (_written == _synced || last)
        {
            return;
        }

        if (!_powerLoss)
        {
            if (_staging)
            {
                return;
            }

            _synced = _durable = Measure(data);
        }
        else if (_written - _synced >= context.Options.SyncSize || context.Time.GetElapsedTime(_lastSync) >= context.Options.SyncInterval)
        {
            SyncData(data, mark);
            _lastSync = context.Time.GetTimestamp();
            if (_staging)
            {
                return;
            }

            WriteMark(mark!, Measure(data), _files.BootId);
        }
        else
        {
            return;
        }

        content.Committed(_durable);
    }

    /// <summary>Makes all of it durable, and gives the length that is measured then.</summary>
    private long Finish(OpenFile data, OpenFile? mark)
    {
        StampAndSync(data, mark);
        long offset = Measure(data);
        if (_powerLoss && offset != _durable)
        {
            WriteMark(mark!, offset, _files.BootId);
        }

        _durable = offset;
        return offset;
    }

    private void StampAndSync(OpenFile data, OpenFile? mark)
    {
        if (_written > _start)
        {
            // Before the sync: a later stamp could be lost, and with it the age of the upload.
            _files.SetWritten(data, Now);
        }

        SyncData(data, mark);
    }

    /// <summary>The length that the file has, which is what was written: else somebody else works on it, and nothing may follow.</summary>
    private long Measure(OpenFile data)
    {
        long length = _files.GetLength(data);
        return length == _written ? length : throw new UploadStoreException(
            StoreFailure.Corrupt, $"'{data.Path}' has {length} bytes where {_written} were written.", Math.Min(length, _durable));
    }

    private void SyncData(OpenFile data, OpenFile? mark)
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
            Log.SyncFailed(context.Logger, data.Path, _staging ? _start : _durable, e);
            _syncFailed = true;
            Forget(data, mark);
            throw;
        }
    }

    private void Forget(OpenFile data, OpenFile mark)
    {
        long keep = _staging ? _start : _durable;
        _written = _synced = keep;
        try
        {
            offsets.Cut(data, keep, keep > _start ? Now : upload.Observed!.Value.Written);
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            Log.CutFailed(context.Logger, data.Path, keep, e);
            try
            {
                WriteMark(mark, keep, MarkFile.Distrusted);
            }
            catch (Exception again) when (StorageErrors.IsStorage(again))
            {
                Log.CutFailed(context.Logger, mark.Path, keep, again);
            }
        }
    }

    private void WriteMark(OpenFile mark, long offset, string boot)
    {
        _marks = MarkFile.Write(_files, mark, _marks, offset, boot);
        _durable = offset;
    }

    /// <summary>After a failed write: keeps what did get to the file. Gives the durable offset.</summary>
    private long Rescue(OpenFile data, OpenFile? mark)
    {
        if (_syncFailed)
        {
            return _durable;
        }

        try
        {
            _written = _files.GetLength(data);
            return Finish(data, mark);
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            return _durable;
        }
    }

    private void Discard(OpenFile data)
    {
        try
        {
            offsets.Cut(data, _start, upload.Observed!.Value.Written);
            if (_powerLoss)
            {
                // The cut before the record: without its staging offset, a longer file would count.
                _files.Sync(data);
            }

            SetStaging(null);
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            Log.DiscardFailed(context.Logger, data.Path, _start, e);
        }
    }
}
