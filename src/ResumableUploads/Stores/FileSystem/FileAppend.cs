using System.IO.Pipelines;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>One append, under the lock: reads the content to its end and writes it behind what is there.</summary>
internal sealed class FileAppend(
    StoreContext context, RecordFile records, UploadOffset offsets, LockedUpload upload, UploadContent content, CancellationToken cancellationToken)
{
    private StoredRecord _record = upload.Record;

    private static AppendResult NotFound => new(AppendStatus.NotFound, 0, null);

    public async ValueTask<AppendResult> RunAsync(AppendMode mode)
    {
        bool staging = mode == AppendMode.AllOrNothing;
        using AppendFile? file = Open(staging);
        if (file is null || !Prepare(file, staging ? file.Start : null))
        {
            return NotFound;
        }

        return staging ? await StageAsync(file) : await KeepAsync(file);
    }

    private AppendFile? Open(bool staging)
    {
        OpenFile? data = null;
        try
        {
            data = context.Files.OpenWrite(upload.Files.Data);
            OpenFile? mark = upload.Record.Durability == Durability.PowerLoss ? offsets.OpenMark(upload.Files.Mark) : null;
            var file = new AppendFile(context, upload, data, mark, staging, content.ExpectedLength);
            data = null;
            return file;
        }
        catch (Exception e) when (StorageErrors.IsMissing(e))
        {
            return null;
        }
        finally
        {
            data?.Dispose();
        }
    }

    /// <summary>Brings mark and record into the state in which bytes may be written. The content is not touched yet.</summary>
    private bool Prepare(AppendFile file, long? staging)
    {
        try
        {
            file.EnterBoot();
            return _record.Staging == staging || SetStaging(staging);
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            throw StorageErrors.Wrap(e, file.Start);
        }
    }

    private async ValueTask<AppendResult> KeepAsync(AppendFile file)
    {
        try
        {
            await PumpAsync(file);
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            throw StorageErrors.Wrap(e, file.Rescue());
        }

        return Finish(file, tell: true);
    }

    private async ValueTask<AppendResult> StageAsync(AppendFile file)
    {
        bool discard = true;
        try
        {
            await PumpAsync(file);
            if (await ShouldCommitAsync())
            {
                file.StampAndSync();

                // Whether this works or not, the record is what decides from here on.
                discard = false;
                if (!SetStaging(null))
                {
                    return NotFound;
                }
            }
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            throw StorageErrors.Wrap(e, file.Start);
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
            return Result(AppendStatus.Discarded, file.Start);
        }

        // A crash before the mark leaves the bytes to the first touch in this boot, and drops all of them in another.
        file.Accept();
        return Finish(file, tell: false);
    }

    private async ValueTask PumpAsync(AppendFile file)
    {
        Copy(file);
        PipeReader reader = content.Reader;
        for (bool completed = false; !completed;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadResult result = await reader.ReadAsync(CancellationToken.None);
            completed = result.IsCompleted;
            file.Write(result.Buffer);
            reader.AdvanceTo(result.Buffer.End);
            if (!completed && file.Advance())
            {
                content.Committed(file.Durable);
            }
        }
    }

    /// <summary>Bytes of another upload need not come through here, where the system can copy or share them. What it cannot is read as ever.</summary>
    private void Copy(AppendFile file)
    {
        if (content.Source is not BoundedReadStream source)
        {
            return;
        }

        while (source.Position < source.Length && file.CopyFrom(source))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (file.Advance())
            {
                content.Committed(file.Durable);
            }
        }
    }

    private AppendResult Finish(AppendFile file, bool tell)
    {
        try
        {
            long offset = file.Finish();
            if (tell && offset > file.Start)
            {
                content.Committed(offset);
            }

            return Result(AppendStatus.Appended, offset);
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            throw StorageErrors.Wrap(e, file.Durable);
        }
    }

    /// <summary>The answer, unless the upload was deleted while the append ran.</summary>
    private AppendResult Result(AppendStatus status, long offset) =>
        upload.IsThere(context.Files) ? new(status, offset, _record.VersionAt(offset)) : NotFound;

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

    private void Discard(AppendFile file)
    {
        try
        {
            file.Drop();
            SetStaging(null);
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            Log.DiscardFailed(context.Logger, upload.Files.Data, file.Start, e);
        }
    }
}
