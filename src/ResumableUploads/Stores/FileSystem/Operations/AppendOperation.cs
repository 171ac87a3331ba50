using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>Appends the content of a request to a locked upload.</summary>
internal sealed class AppendOperation(
    StoreContext context, RecordFile records, OffsetReconciler reconciler, LockedUpload upload, UploadContent content, CancellationToken cancellationToken)
{
    private StoredRecord _record = upload.Record;

    private static AppendResult NotFound => new(AppendStatus.NotFound, 0, null);

    public async ValueTask<AppendResult> RunAsync(AppendMode mode)
    {
        bool staging = mode == AppendMode.AllOrNothing;
        using DataFile? dataFile = Open(staging);
        if (dataFile is null || !Prepare(dataFile, staging ? dataFile.StartOffset : null))
        {
            return NotFound;
        }

        return staging ? await RunAllOrNothingAsync(dataFile) : await RunKeepPartialAsync(dataFile);
    }

    private DataFile? Open(bool staging)
    {
        OpenFile? data = null;
        try
        {
            data = context.Files.OpenWrite(upload.Paths.DataPath);
            OpenFile? durableOffsetFile = upload.Record.Durability == Durability.PowerLoss ? reconciler.OpenDurableOffsetFile(upload.Paths.DurableOffsetPath) : null;
            var dataFile = new DataFile(context, upload, data, durableOffsetFile, staging, content.ExpectedLength);
            data = null;
            return dataFile;
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

    /// <summary>Brings mark file and record into the state that they must have before bytes are written. The content is not read yet.</summary>
    private bool Prepare(DataFile dataFile, long? staging)
    {
        try
        {
            dataFile.RecordCurrentBoot();
            return _record.StagingOffset == staging || WriteStagingOffset(staging);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            throw StorageErrors.Wrap(e, dataFile.StartOffset);
        }
    }

    private async ValueTask<AppendResult> RunKeepPartialAsync(DataFile dataFile)
    {
        try
        {
            await WriteContentAsync(dataFile);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            throw StorageErrors.Wrap(e, dataFile.RecoverAfterFailure());
        }

        return Finish(dataFile, reportDurable: true);
    }

    private async ValueTask<AppendResult> RunAllOrNothingAsync(DataFile dataFile)
    {
        bool discard = true;
        try
        {
            await WriteContentAsync(dataFile);
            if (await ShouldCommitAsync())
            {
                dataFile.SetLastWriteTimeAndSync();

                // From here on, the record determines the result, even if writing it fails, because it may have reached the disk.
                discard = false;
                if (!WriteStagingOffset(null))
                {
                    return NotFound;
                }
            }
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            throw StorageErrors.Wrap(e, dataFile.StartOffset);
        }
        finally
        {
            if (discard)
            {
                Discard(dataFile);
            }
        }

        if (discard)
        {
            return CreateResult(AppendStatus.Discarded, dataFile.StartOffset);
        }

        // After a crash before the mark is written, the next access keeps the bytes in this boot and truncates them in a later boot.
        dataFile.CommitStaged();
        return Finish(dataFile, reportDurable: false);
    }

    private async ValueTask WriteContentAsync(DataFile dataFile)
    {
        CopyFromSource(dataFile);
        PipeReader reader = content.Reader;
        for (bool completed = false; !completed;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadResult result = await reader.ReadAsync(CancellationToken.None);
            completed = result.IsCompleted;
            dataFile.Write(result.Buffer);
            reader.AdvanceTo(result.Buffer.End);
            if (!completed && dataFile.SyncIfDue())
            {
                content.ReportDurable(dataFile.DurableOffset);
            }
        }
    }

    /// <summary>Copies the content of another upload in the kernel if possible. What is left is read like any other content.</summary>
    private void CopyFromSource(DataFile dataFile)
    {
        if (content.SourceStream is not BoundedReadStream source)
        {
            return;
        }

        while (source.Position < source.Length && !HasContentEnded() && dataFile.CopyFrom(source))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (dataFile.SyncIfDue())
            {
                content.ReportDurable(dataFile.DurableOffset);
            }
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

    private AppendResult Finish(DataFile dataFile, bool reportDurable)
    {
        try
        {
            long offset = dataFile.Finish();
            if (reportDurable && offset > dataFile.StartOffset)
            {
                content.ReportDurable(offset);
            }

            return CreateResult(AppendStatus.Appended, offset);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            throw StorageErrors.Wrap(e, dataFile.DurableOffset);
        }
    }

    /// <summary>Returns the result, or <see cref="NotFound"/> if the upload was deleted during the append.</summary>
    private AppendResult CreateResult(AppendStatus status, long offset) =>
        upload.Exists(context.Files) ? new(status, offset, _record.GetVersion(offset)) : NotFound;

    private bool WriteStagingOffset(long? offset)
    {
        StoredRecord next = _record with { StagingOffset = offset, WriteCount = _record.WriteCount + 1 };
        if (!records.Write(upload.Paths.Directory, next))
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
            Log.CommitDecisionFailed(context.Logger, upload.Paths.DataPath, e);
            return false;
        }
    }

    private void Discard(DataFile dataFile)
    {
        try
        {
            dataFile.DiscardStaged();
            WriteStagingOffset(null);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            Log.DiscardFailed(context.Logger, upload.Paths.DataPath, dataFile.StartOffset, e);
        }
    }
}
