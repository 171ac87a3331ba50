using System.Buffers;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>Makes uploads: the whole directory aside, and then one rename onto its place, which only one can win.</summary>
internal sealed class CreateOperation(StoreContext context, RecordFile records, DirectorySync directorySync)
{
    // Clean-up may take away an empty parent between two steps, again and again only in theory.
    private const int MaxAttempts = 20;

    private readonly FileLayer _files = context.Files;
    private uint _creationCount;

    /// <param name="key">The name of the upload.</param>
    /// <param name="record">Its record.</param>
    /// <param name="content">All of its bytes, where the record says that it is not receiving any more; else nothing.</param>
    public CreateResult Create(UploadKey key, UploadRecord record, in ReadOnlySequence<byte> content = default)
    {
        var stored = new StoredRecord
        {
            Nonce = NonceGenerator.Next(),
            Record = record,
            LastUpdated = context.TimeProvider.GetUtcNow(),
            Durability = context.Options.Durability,
            CreationBootId = _files.BootId,
            FinalOffset = record.State == UploadState.Receiving ? null : content.Length,
        };
        string aside = context.Paths.GetCreationDirectory(Interlocked.Increment(ref _creationCount), stored.Nonce);
        bool claimed = false;
        try
        {
            BuildDirectory(aside, stored, content);
            claimed = TryMoveIntoPlace(key, aside);
        }
        finally
        {
            if (!claimed)
            {
                DeleteIfExists(aside);
            }
        }

        if (!claimed)
        {
            return new CreateResult(CreateStatus.AlreadyExists, null);
        }

        if (stored.Durability == Durability.PowerLoss)
        {
            directorySync.SyncNewUpload(key);
        }

        return new CreateResult(CreateStatus.Created, stored.ToUploadInfo(key, content.Length));
    }

    private void BuildDirectory(string directory, StoredRecord stored, in ReadOnlySequence<byte> content)
    {
        bool sync = stored.Durability == Durability.PowerLoss;
        var files = new UploadFilePaths(directory, stored.Nonce);
        CreateDirectory(directory);
        using (OpenFile data = _files.CreateFile(files.DataPath))
        {
            WriteContent(data, stored, content);
        }

        // What is needed for changes is made with an upload that is going to be changed.
        if (stored.Record.State != UploadState.Completed)
        {
            _files.CreateFile(files.LockPath).Dispose();
        }

        if (sync && stored.FinalOffset is null)
        {
            using OpenFile durableOffsetFile = _files.CreateFile(files.DurableOffsetPath);
            _files.Write(durableOffsetFile, DurableOffsetFile.CreateEmpty(), 0);
        }

        using (OpenFile record = _files.CreateFile(Path.Combine(directory, StorePaths.RecordFileName)))
        {
            _files.Write(record, RecordCodec.Encode(stored), 0);
            if (sync)
            {
                _files.MarkNameUnsynced(record);
                _files.Sync(record);
            }
        }

        if (sync)
        {
            _files.SyncDirectory(directory);
        }
    }

    private void WriteContent(OpenFile data, StoredRecord stored, in ReadOnlySequence<byte> content)
    {
        if (stored.FinalOffset is null)
        {
            // The file is as old as the record says, and not as the clock of the file system says.
            _files.SetLastWriteTime(data, stored.LastUpdated.UtcDateTime);
            return;
        }

        if (!content.IsEmpty)
        {
            _files.Write(data, content, 0);
        }

        if (stored.Durability == Durability.PowerLoss)
        {
            _files.Sync(data);
        }
    }

    /// <summary>Whether anything is missing above it is only asked when something is.</summary>
    private void CreateDirectory(string directory)
    {
        if (!_files.TryCreateDirectory(directory))
        {
            directorySync.EnsureDirectories();
            _files.CreateDirectory(directory);
        }
    }

    private bool TryMoveIntoPlace(UploadKey key, string aside)
    {
        string place = context.Paths.GetUploadDirectory(key);
        bool isShardMissing = false;
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                if (isShardMissing)
                {
                    // Clean-up may even take the owner's directory away between the making of the two.
                    _files.CreateDirectory(context.Paths.GetShardDirectory(key));
                }

                if (_files.RenameDirectory(aside, place))
                {
                    return true;
                }

                // What has the name and no record is damaged, and goes out of the way.
                if (attempt == MaxAttempts || _files.FileExists(context.Paths.GetRecordPath(key)) || records.Read(key) is not null)
                {
                    return false;
                }
            }
            catch (DirectoryNotFoundException) when (attempt < MaxAttempts && _files.DirectoryExists(aside))
            {
                isShardMissing = true;
            }
        }
    }

    private void DeleteIfExists(string aside)
    {
        try
        {
            if (_files.DirectoryExists(aside))
            {
                _files.DeleteDirectory(aside, recursive: true);
            }
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            Log.DeleteFailed(context.Logger, aside, e);
        }
    }
}
