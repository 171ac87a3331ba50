using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations.Appending;

/// <summary>Locks uploads for appends, and opens their files.</summary>
internal sealed class AppendOpener(StoreContext context, RecordFile records, OffsetReconciler reconciler, UploadLocker locker)
{
    private static AppendResult NotFound => new(AppendStatus.NotFound, 0, null);

    public OpenAppend Open(AppendRequest request)
    {
        LockStatus status = locker.TryAcquire(request.Key, out LockedUpload? upload);
        bool isOpen = false;
        try
        {
            AppendResult? refusal = upload switch
            {
                null when status == LockStatus.NotFound => NotFound,
                null => CreateBusyResult(request.Key),
                { Record.Record.State: not UploadState.Receiving } => new AppendResult(AppendStatus.NotReceiving, upload.Offset, upload.Version),
                _ when upload.Offset != request.Offset => new AppendResult(AppendStatus.OffsetMismatch, upload.Offset, upload.Version),
                _ when !request.Content.CanAppendTo(upload.Record.Record) => new AppendResult(AppendStatus.Busy, upload.Offset, null),
                _ => null,
            };
            OpenAppend result = refusal is { } value ? new OpenAppend(value) : OpenFiles(upload!, request);
            isOpen = result.IsOpen;
            return result;
        }
        finally
        {
            if (!isOpen)
            {
                upload?.Dispose();
            }
        }
    }

    private OpenAppend OpenFiles(LockedUpload upload, AppendRequest request)
    {
        bool isStaged = request.Mode == AppendMode.AllOrNothing;
        OpenFile? data = null;
        DataFile? file = null;
        bool isPrepared = false;
        try
        {
            data = context.Files.OpenWrite(upload.Paths.DataPath);
            OpenFile? durableOffsetFile = upload.Record.Durability == Durability.PowerLoss ? reconciler.OpenDurableOffsetFile(upload.Paths.DurableOffsetPath) : null;
            file = new DataFile(context, upload, data, durableOffsetFile, isStaged, request.Content.ExpectedLength);
            isPrepared = Prepare(upload, file, isStaged ? file.StartOffset : null);
            return isPrepared ? new OpenAppend(upload, file) : new OpenAppend(NotFound);
        }
        catch (Exception e) when (file is null && StorageErrors.IsNotFound(e))
        {
            return new OpenAppend(NotFound);
        }
        finally
        {
            if (!isPrepared)
            {
                file?.Dispose();
                data?.Dispose();
            }
        }
    }

    /// <summary>Brings mark file and record into the state that they must have before bytes are written. Returns false if the upload was deleted.</summary>
    private bool Prepare(LockedUpload upload, DataFile file, long? staging)
    {
        try
        {
            file.RecordCurrentBoot();
            return upload.Record.StagingOffset == staging || records.WriteStagingOffset(upload, staging);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            throw StorageErrors.Wrap(e, file.StartOffset);
        }
    }

    private AppendResult CreateBusyResult(UploadKey key)
    {
        if (records.Read(key) is not { } record)
        {
            return NotFound;
        }

        if (record.FinalOffset is { } offset)
        {
            // Its handler may be moving the content.
            return new AppendResult(AppendStatus.NotReceiving, offset, record.GetVersion(offset));
        }

        return reconciler.Read(new UploadFilePaths(context.Paths.GetUploadDirectory(key), record.Nonce), record, isLocked: true) is { } state
            ? new AppendResult(AppendStatus.Busy, state.Offset, null)
            : NotFound;
    }
}
