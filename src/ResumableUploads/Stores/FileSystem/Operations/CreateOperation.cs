using System.Buffers;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>Creates uploads: builds a directory in <c>temp</c> and renames it to its place. Of several creations with one key, one rename succeeds.</summary>
internal sealed class CreateOperation(StoreContext context, RecordFile records, DirectorySync directorySync)
{
    // A listing may delete the empty parent directory between two steps.
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
            LastUpdated = context.TimeProvider.GetUtcNow(),
            Durability = context.Options.Durability,
            CreationBootId = _files.BootId,
            FinalOffset = record.State == UploadState.Receiving ? null : content.Length,
            IsAppendable = context.Options.Durability == Durability.ProcessCrash,
        };
        string creationDirectory = context.Paths.GetCreationDirectory(Interlocked.Increment(ref _creationCount), stored.Nonce);
        bool created = false;
        try
        {
            BuildDirectory(creationDirectory, stored, content);
            created = TryMoveIntoPlace(key, creationDirectory);
        }
        finally
        {
            if (!created)
            {
                DeleteIfExists(creationDirectory);
            }
        }

        if (!created)
        {
            return new CreateResult(CreateStatus.AlreadyExists, null);
        }

        if (stored.Durability == Durability.PowerLoss && !isDeferred)
        {
            directorySync.SyncNewUpload(key);
        }

        return new CreateResult(CreateStatus.Created, stored.ToUploadInfo(key, content.Length));
    }

    private void BuildDirectory(string directory, StoredRecord stored, in ReadOnlySequence<byte> content)
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

        using OpenFile record = _files.CreateFile(Path.Combine(directory, StorePaths.RecordFileName));
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
        string uploadDirectory = context.Paths.GetUploadDirectory(key);
        bool isShardMissing = false;
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                if (isShardMissing)
                {
                    _files.CreateDirectory(context.Paths.GetShardDirectory(key));
                }

                if (_files.RenameDirectory(creationDirectory, uploadDirectory))
                {
                    return true;
                }

                // A directory without a record is damaged. Reading it moves it to quarantine, which frees the key.
                if (attempt == MaxAttempts || _files.FileExists(context.Paths.GetRecordPath(key)) || records.Read(key) is not null)
                {
                    return false;
                }
            }
            catch (DirectoryNotFoundException) when (attempt < MaxAttempts && _files.DirectoryExists(creationDirectory))
            {
                isShardMissing = true;
            }
        }
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
