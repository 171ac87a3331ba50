using System.Buffers;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>Creates uploads: builds a directory in <c>temp</c> and renames it to its place. Of several creations with one key, one rename succeeds.</summary>
internal sealed class CreateOperation(StoreContext context, RecordFile records, DirectorySync directorySync)
{
    // Each attempt after the first one finds another damaged upload with the key.
    private const int MaxAttempts = 20;

    private readonly FileLayer _files = context.Files;
    private uint _creationCount;

    /// <param name="key">The key of the upload.</param>
    /// <param name="record">The record of the upload.</param>
    /// <param name="content">The content of the upload; empty if the record is receiving.</param>
    /// <param name="isDeferred">Whether the name of the upload becomes durable only with a later change, or when the upload is read. Its files are durable in any case.</param>
    public CreateResult Create(UploadKey key, UploadRecord record, in ReadOnlySequence<byte> content = default, bool isDeferred = false)
    {
        var stored = new StoredRecord
        {
            Nonce = NonceGenerator.Next(),
            Record = record,
            LastUpdated = context.Clock.GetUtcNow(),
            Durability = context.Options.Durability,
            CreationBootId = _files.BootId,
            FinalOffset = record.State == UploadState.Receiving ? null : content.Length,
            IsAppendable = context.Options.Durability == Durability.ProcessCrash,
        };
        string creationDirectory = context.Paths.GetCreationDirectory(Interlocked.Increment(ref _creationCount), stored.Nonce);
        bool created = false;
        OpenFile? recordFile = null;
        try
        {
            recordFile = BuildDirectory(creationDirectory, stored, content);
            if (OperatingSystem.IsWindows())
            {
                // A directory with an open file cannot be renamed on Windows.
                recordFile.Dispose();
            }

            created = TryMoveIntoPlace(key, creationDirectory);
            if (created && stored.Durability == Durability.PowerLoss && !isDeferred)
            {
                directorySync.SyncNewUpload(key, recordFile);
            }
        }
        finally
        {
            recordFile?.Dispose();
            if (!created)
            {
                DeleteIfExists(creationDirectory);
            }
        }

        return created
            ? new CreateResult(CreateStatus.Created, stored.ToUploadInfo(key, content.Length))
            : new CreateResult(CreateStatus.AlreadyExists, null);
    }

    /// <summary>Creates the directory with the files of an upload. Returns the open record.</summary>
    private OpenFile BuildDirectory(string directory, StoredRecord stored, in ReadOnlySequence<byte> content)
    {
        bool sync = stored.Durability == Durability.PowerLoss;
        var paths = new UploadFilePaths(directory, stored.Nonce);
        CreateDirectory(directory);
        using OpenFile data = _files.CreateFile(paths.DataPath);
        if (!content.IsEmpty)
        {
            _files.Write(data, content, 0);
        }

        // A completed upload is rarely changed. The lock file is created when it is needed.
        if (stored.Record.State != UploadState.Completed)
        {
            _files.CreateFile(paths.LockPath).Dispose();
        }

        if (sync && stored.FinalOffset is null)
        {
            using OpenFile durableOffsetFile = _files.CreateFile(paths.DurableOffsetPath);
            _files.Write(durableOffsetFile, DurableOffsetFile.CreateEmpty(), 0);
        }

        OpenFile record = _files.CreateFile(Path.Combine(directory, StorePaths.RecordFileName));
        bool isBuilt = false;
        try
        {
            ReadOnlyMemory<byte> encoded = RecordCodec.Encode(stored);
            _files.Write(record, encoded, 0);
            if (stored.FinalOffset is null)
            {
                records.Remember(encoded.Span, stored);
            }

            if (sync)
            {
                _files.MarkNameUnsynced(record);
                context.SyncAll([new SyncTarget(record), new SyncTarget(directory), .. content.IsEmpty ? [] : (ReadOnlySpan<SyncTarget>)[new SyncTarget(data)]]);
            }

            isBuilt = true;
            return record;
        }
        finally
        {
            if (!isBuilt)
            {
                record.Dispose();
            }
        }
    }

    /// <summary>Creates a directory, and its parents only if this fails.</summary>
    private void CreateDirectory(string directory)
    {
        if (!_files.TryCreateDirectory(directory))
        {
            directorySync.EnsureDirectories();
            _files.CreateDirectory(directory);
        }
    }

    private bool TryMoveIntoPlace(UploadKey key, string creationDirectory)
    {
        for (int attempt = 1; attempt <= MaxAttempts; attempt++)
        {
            if (directorySync.TryMoveIntoPlace(key, creationDirectory))
            {
                return true;
            }

            // A directory without a record is damaged. Reading it moves it to quarantine, which frees the key.
            if (_files.FileExists(context.Paths.GetRecordPath(key)) || records.Read(key) is not null)
            {
                return false;
            }
        }

        return false;
    }

    private void DeleteIfExists(string directory)
    {
        try
        {
            if (_files.DirectoryExists(directory))
            {
                _files.DeleteDirectory(directory, recursive: true);
            }
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            Log.DeleteFailed(context.Logger, directory, e);
        }
    }
}
