using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.Stores.FileSystem.Operations.Appending;

/// <summary>Appends the content of a request to an open upload.</summary>
internal sealed class AppendOperation(
    StoreContext context, RecordFile records, OpenAppend target, UploadContent content, AppendDisk disk, CancellationToken cancellationToken)
{
    private readonly LockedUpload _upload = target.Upload!;
    private readonly DataFile _file = target.File!;
    private readonly DiskCallKind _changeKind = StoreContext.GetChangeKind(target.Upload!.Record.Durability);
    private bool _mustDiscard = true;

    private static AppendResult NotFound => new(AppendStatus.NotFound, 0, null);

    public async ValueTask<AppendResult> RunAsync(AppendMode mode)
    {
        try
        {
            return await (mode == AppendMode.AllOrNothing ? RunAllOrNothingAsync() : RunKeepPartialAsync());
        }
        finally
        {
            if (target.IsOpen)
            {
                await disk.RunToEndAsync(DiskCallKind.Cached, target, static target => { target.Dispose(); return true; });
            }
        }
    }

    private async ValueTask<AppendResult> RunKeepPartialAsync()
    {
        try
        {
            await WriteContentAsync();
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            throw StorageErrors.Wrap(e, await disk.RunToEndAsync(_changeKind, _file, static file => file.RecoverAfterFailure()));
        }

        FinalRecord? final = content.GetFinalRecord(_file.WrittenOffset);
        AppendResult result = await disk.RunToEndAsync(_changeKind, (this, final), static s => s.Item1.Finish(s.final));
        long durableOffset = result.Updated?.Offset ?? _file.DurableOffset;
        if (durableOffset > _file.StartOffset)
        {
            content.ReportDurable(durableOffset);
        }

        return result;
    }

    private async ValueTask<AppendResult> RunAllOrNothingAsync()
    {
        try
        {
            await WriteContentAsync();
            if (await ShouldCommitAsync())
            {
                return await disk.RunAsync(_changeKind, this, static self => self.Commit());
            }
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            throw StorageErrors.Wrap(e, _file.StartOffset);
        }
        finally
        {
            if (_mustDiscard)
            {
                await disk.RunToEndAsync(_changeKind, this, static self => self.Discard());
            }
        }

        return await disk.RunToEndAsync(DiskCallKind.Cached, this, static self => self.CreateResult(AppendStatus.Discarded, self._file.StartOffset));
    }

    private async ValueTask WriteContentAsync()
    {
        await CopyFromSourceAsync();
        PipeReader reader = content.Reader;
        using var timer = new CheckpointTimer(context.TimeProvider);
        for (bool completed = false; !completed;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadResult result = await ReadAsync(reader, timer);
            completed = result.IsCompleted;
            if (!result.Buffer.IsEmpty)
            {
                await disk.RunOnContentAsync(_file, result.Buffer, static (file, bytes) => file.Write(bytes));
            }

            reader.AdvanceTo(result.Buffer.End);
            if (!completed)
            {
                await WriteCheckpointIfDueAsync();
            }
        }
    }

    /// <summary>Reads the content. While the client is silent, the bytes that have arrived are made durable in time.</summary>
    private async ValueTask<ReadResult> ReadAsync(PipeReader reader, CheckpointTimer timer)
    {
        ValueTask<ReadResult> read = reader.ReadAsync(CancellationToken.None);
        if (read.IsCompleted || _file.TimeUntilCheckpoint is null)
        {
            return await read;
        }

        Task<ReadResult> pending = read.AsTask();
        while (!pending.IsCompleted && _file.TimeUntilCheckpoint is { } delay)
        {
            await Task.WhenAny(pending, timer.StartAsync(delay));
            if (!pending.IsCompleted)
            {
                await WriteCheckpointDuringReadAsync(pending);
            }
        }

        return await pending;
    }

    private async ValueTask WriteCheckpointDuringReadAsync(Task<ReadResult> pending)
    {
        try
        {
            await WriteCheckpointIfDueAsync();
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e) || e is OperationCanceledException)
        {
            // The reader must not be left with a pending read. It has ended, or is about to, if the append was canceled.
            await pending;
            throw;
        }
    }

    private async ValueTask WriteCheckpointIfDueAsync()
    {
        if (_file.IsCheckpointDue && await disk.RunAsync(_changeKind, _file, static file => file.WriteCheckpoint()))
        {
            content.ReportDurable(_file.DurableOffset);
        }
    }

    /// <summary>Copies the content of another upload in the kernel if possible. What is left is read like any other content.</summary>
    private async ValueTask CopyFromSourceAsync()
    {
        if (content.SourceStream is not BoundedReadStream source)
        {
            return;
        }

        while (source.Position < source.Length && !HasContentEnded()
            && await disk.RunAsync(DiskCallKind.Device, (_file, source), static s => s._file.CopyFrom(s.source)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            await WriteCheckpointIfDueAsync();
        }
    }

    /// <summary>Returns whether the engine has ended the content, for example because the server stops. Consumes nothing.</summary>
    private bool HasContentEnded()
    {
        if (!content.Reader.TryRead(out ReadResult result))
        {
            return false;
        }

        content.Reader.AdvanceTo(result.Buffer.Start);
        return result.IsCompleted;
    }

    /// <summary>Makes the bytes durable, then the record that follows from them, if any, and releases the upload.</summary>
    private AppendResult Finish(FinalRecord? final)
    {
        try
        {
            AppendResult result = final is { } record ? FinishWithRecord(record) : CreateResult(AppendStatus.Appended, _file.Finish());
            target.Dispose();
            return result;
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            throw StorageErrors.Wrap(e, _file.DurableOffset);
        }
    }

    private AppendResult FinishWithRecord(FinalRecord final)
    {
        // A power loss can revert a deferred record. The mark then keeps the bytes.
        long offset = final.IsDeferrable ? _file.Finish() : _file.FinishWithoutOffset();
        StoredRecord next = _upload.Record.Change(final.Record, offset, context.Clock.GetUtcNow());
        try
        {
            return records.Write(_upload, next, final.IsDeferrable)
                ? new AppendResult(AppendStatus.Appended, offset, next.GetVersion(offset), next.ToUploadInfo(_upload.Key, offset))
                : NotFound;
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            _file.RecoverAfterFailure();
            throw StorageErrors.Wrap(e, _file.DurableOffset);
        }
    }

    private AppendResult Commit()
    {
        _file.SetLastWriteTimeAndSync();

        // From here on, the record determines the result, even if writing it fails, because it may have reached the disk.
        _mustDiscard = false;
        if (!records.WriteStagingOffset(_upload, null))
        {
            return NotFound;
        }

        // After a crash before the mark is written, the next access keeps the bytes in this boot and truncates them in a later boot.
        _file.CommitStaged();
        return Finish(final: null);
    }

    /// <summary>Returns the result, or <see cref="NotFound"/> if the upload was deleted during the append.</summary>
    private AppendResult CreateResult(AppendStatus status, long offset) =>
        _upload.Exists(context.Files) ? new(status, offset, _upload.Record.GetVersion(offset)) : NotFound;

    private async ValueTask<bool> ShouldCommitAsync()
    {
        try
        {
            return await content.ShouldCommitAsync(cancellationToken) && !cancellationToken.IsCancellationRequested;
        }
        catch (Exception e)
        {
            Log.CommitDecisionFailed(context.Logger, _upload.Paths.DataPath, e);
            return false;
        }
    }

    private bool Discard()
    {
        try
        {
            _file.DiscardStaged();
            records.WriteStagingOffset(_upload, null);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            Log.DiscardFailed(context.Logger, _upload.Paths.DataPath, _file.StartOffset, e);
        }

        return true;
    }
}
