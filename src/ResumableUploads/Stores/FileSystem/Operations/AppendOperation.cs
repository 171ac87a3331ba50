using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>One append, under the lock: reads the content to its end and writes it behind what is there.</summary>
internal sealed class AppendOperation(
    StoreContext context, RecordFile records, OffsetReconciler offsets, LockedUpload upload, UploadContent content, CancellationToken cancellationToken)
{
    private StoredRecord _record = upload.Record;

    private static AppendResult NotFound => new(AppendStatus.NotFound, 0, null);

    public async ValueTask<AppendResult> RunAsync(AppendMode mode)
    {
        bool staging = mode == AppendMode.AllOrNothing;
        using DataFile? file = Open(staging);
        if (file is null || !Prepare(file, staging ? file.StartOffset : null))
        {
            return NotFound;
        }

        return staging ? await RunAllOrNothingAsync(file) : await RunKeepPartialAsync(file);
    }

    private DataFile? Open(bool staging)
    {
        OpenFile? data = null;
        try
        {
            data = context.Files.OpenWrite(upload.Files.DataPath);
            OpenFile? mark = upload.Record.Durability == Durability.PowerLoss ? offsets.OpenDurableOffsetFile(upload.Files.DurableOffsetPath) : null;
            var file = new DataFile(context, upload, data, mark, staging, content.ExpectedLength);
            data = null;
            return file;
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e))
        {
            return null;
        }
        finally
        {
            data?.Dispose();
        }
    }

    /// <summary>Brings mark and record into the state in which bytes may be written. The content is not touched yet.</summary>
    private bool Prepare(DataFile file, long? staging)
    {
        try
        {
            file.RecordCurrentBoot();
            return _record.StagingOffset == staging || WriteStagingOffset(staging);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            throw StorageErrors.Wrap(e, file.StartOffset);
        }
    }

    private async ValueTask<AppendResult> RunKeepPartialAsync(DataFile file)
    {
        try
        {
            await WriteContentAsync(file);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            throw StorageErrors.Wrap(e, file.RecoverAfterFailure());
        }

        return Finish(file, tell: true);
    }

    private async ValueTask<AppendResult> RunAllOrNothingAsync(DataFile file)
    {
        bool discard = true;
        try
        {
            await WriteContentAsync(file);
            if (await ShouldCommitAsync())
            {
                file.SetLastWriteTimeAndSync();

                // Whether this works or not, the record is what decides from here on.
                discard = false;
                if (!WriteStagingOffset(null))
                {
                    return NotFound;
                }
            }
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            throw StorageErrors.Wrap(e, file.StartOffset);
        }
        finally
        {
            if (discard)
            {
                Discard(file);
            }
        }

        if (discard)
        {
            return CreateResult(AppendStatus.Discarded, file.StartOffset);
        }

        // A crash before the mark leaves the bytes to the first touch in this boot, and drops all of them in another.
        file.CommitStaged();
        return Finish(file, tell: false);
    }

    private async ValueTask WriteContentAsync(DataFile file)
    {
        CopyFromSource(file);
        PipeReader reader = content.Reader;
        for (bool completed = false; !completed;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadResult result = await reader.ReadAsync(CancellationToken.None);
            completed = result.IsCompleted;
            file.Write(result.Buffer);
            reader.AdvanceTo(result.Buffer.End);
            if (!completed && file.SyncIfDue())
            {
                content.ReportDurable(file.DurableOffset);
            }
        }
    }

    /// <summary>Bytes of another upload need not come through here, where the system can copy or share them. What it cannot is read as ever.</summary>
    private void CopyFromSource(DataFile file)
    {
        if (content.SourceStream is not BoundedReadStream source)
        {
            return;
        }

        while (source.Position < source.Length && file.CopyFrom(source))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (file.SyncIfDue())
            {
                content.ReportDurable(file.DurableOffset);
            }
        }
    }

    private AppendResult Finish(DataFile file, bool tell)
    {
        try
        {
            long offset = file.Finish();
            if (tell && offset > file.StartOffset)
            {
                content.ReportDurable(offset);
            }

            return CreateResult(AppendStatus.Appended, offset);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            throw StorageErrors.Wrap(e, file.DurableOffset);
        }
    }

    /// <summary>The answer, unless the upload was deleted while the append ran.</summary>
    private AppendResult CreateResult(AppendStatus status, long offset) =>
        upload.Exists(context.Files) ? new(status, offset, _record.GetVersion(offset)) : NotFound;

    private bool WriteStagingOffset(long? offset)
    {
        StoredRecord next = _record with { StagingOffset = offset, WriteCount = _record.WriteCount + 1 };
        if (!records.Write(upload.Files.Directory, next))
        {
            return false;
        }

        _record = next;
        return true;
    }

    private async ValueTask<bool> ShouldCommitAsync()
    {
        try
        {
            return await content.ShouldCommitAsync(cancellationToken) && !cancellationToken.IsCancellationRequested;
        }
        catch (Exception e)
        {
            Log.CommitDecisionFailed(context.Logger, upload.Files.DataPath, e);
            return false;
        }
    }

    private void Discard(DataFile file)
    {
        try
        {
            file.DiscardStaged();
            WriteStagingOffset(null);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            Log.DiscardFailed(context.Logger, upload.Files.DataPath, file.StartOffset, e);
        }
    }
}
