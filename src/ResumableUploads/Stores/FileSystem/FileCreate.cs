using System.Buffers;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>Makes uploads: the whole directory aside, and then one rename onto its place, which only one can win.</summary>
internal sealed class FileCreate(StoreContext context, RecordFile records, UploadNames names)
{
    // Clean-up may take away an empty parent between two steps, again and again only in theory.
    private const int Tries = 20;

    private readonly FileLayer _files = context.Files;
    private uint _count;

    /// <param name="key">The name of the upload.</param>
    /// <param name="record">Its record.</param>
    /// <param name="content">All of its bytes, where the record says that it is not receiving any more; else nothing.</param>
    public CreateResult Create(UploadKey key, UploadRecord record, in ReadOnlySequence<byte> content = default)
    {
        var stored = new StoredRecord
        {
            Nonce = Nonce.Next(),
            Record = record,
            Changed = context.Time.GetUtcNow(),
            Durability = context.Options.Durability,
            Boot = _files.BootId,
            Frozen = record.State == UploadState.Receiving ? null : content.Length,
        };
        string aside = context.Paths.Aside(Interlocked.Increment(ref _count), stored.Nonce);
        bool claimed = false;
        try
        {
            Build(aside, stored, content);
            claimed = Claim(key, aside);
        }
        finally
        {
            if (!claimed)
            {
                Remove(aside);
            }
        }

        if (!claimed)
        {
            return new CreateResult(CreateStatus.Taken, null);
        }

        if (stored.Durability == Durability.PowerLoss)
        {
            names.ConfirmCreation(key);
        }

        return new CreateResult(CreateStatus.Created, stored.ToInfo(key, content.Length));
    }

    private void Build(string directory, StoredRecord stored, in ReadOnlySequence<byte> content)
    {
        bool sync = stored.Durability == Durability.PowerLoss;
        var files = new UploadFiles(directory, stored.Nonce);
        Make(directory);
        using (OpenFile data = _files.CreateFile(files.Data))
        {
            WriteContent(data, stored, content);
        }

        // What is needed for changes is made with an upload that is going to be changed.
        if (stored.Record.State != UploadState.Completed)
        {
            _files.CreateFile(files.Lock).Dispose();
        }

        if (sync && stored.Frozen is null)
        {
            using OpenFile mark = _files.CreateFile(files.Mark);
            _files.Write(mark, MarkFile.Blank(), 0);
        }

        using (OpenFile record = _files.CreateFile(Path.Combine(directory, UploadPaths.Record)))
        {
            _files.Write(record, RecordCodec.Encode(stored), 0);
            if (sync)
            {
                _files.Unconfirm(record);
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
        if (stored.Frozen is null)
        {
            // The file is as old as the record says, and not as the clock of the file system says.
            _files.SetWritten(data, stored.Changed.UtcDateTime);
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
    private void Make(string directory)
    {
        if (!_files.TryCreateDirectory(directory))
        {
            names.EnsureRoot();
            _files.CreateDirectory(directory);
        }
    }

    private bool Claim(UploadKey key, string aside)
    {
        string place = context.Paths.Upload(key);
        bool isShardMissing = false;
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                if (isShardMissing)
                {
                    // Clean-up may even take the owner's directory away between the making of the two.
                    _files.CreateDirectory(context.Paths.Shard(key));
                }

                if (_files.RenameDirectory(aside, place))
                {
                    return true;
                }

                // What has the name and no record is damaged, and goes out of the way.
                if (attempt == Tries || _files.FileExists(context.Paths.RecordOf(key)) || records.Read(key) is not null)
                {
                    return false;
                }
            }
            catch (DirectoryNotFoundException) when (attempt < Tries && _files.DirectoryExists(aside))
            {
                isShardMissing = true;
            }
        }
    }

    private void Remove(string aside)
    {
        try
        {
            if (_files.DirectoryExists(aside))
            {
                _files.DeleteDirectory(aside, recursive: true);
            }
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            Log.NotRemoved(context.Logger, aside, e);
        }
    }
}
