using System.Buffers;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Maintenance;
using ResumableUploads.Stores.FileSystem.Operations;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>
/// Stores each upload in a directory of its own, with the bytes in a plain file and the record in a readable file. Several processes can
/// share the directory if the file system supports file locks.
/// </summary>
/// <remarks>
/// During an append the data file grows in place. Bytes that are not durable yet are not reported. After the death of a process they are kept, after
/// a power loss they are cut off. On Windows an upload cannot be deleted during an append: <see cref="DeleteAsync"/> returns
/// <see cref="ChangeStatus.Busy"/>.
/// </remarks>
public sealed class FileSystemUploadStore :
    IUploadStore, IStagedAppendStore, ISingleRequestStore, IStoreStartupCheck, ISelfCleaningStore, ISweepCheckpointStore, IContentMover, IReplacingStore
{
    private readonly StoreContext _context;
    private readonly DirectorySync _directorySync;
    private readonly RecordFile _records;
    private readonly OffsetReconciler _reconciler;
    private readonly UploadLocker _locker;
    private readonly CreateOperation _create;
    private readonly ReadOperations _read;
    private readonly ChangeOperations _change;
    private readonly MoveOperation _move;
    private readonly ReplaceOperation _replace;
    private readonly SweepCheckpointFile _sweepCheckpoint;

    /// <summary>Initializes a new instance of the <see cref="FileSystemUploadStore"/> class. The directory is not accessed yet.</summary>
    /// <param name="options">The options. They are copied; later changes have no effect.</param>
    /// <param name="timeProvider">The clock, or null for <see cref="TimeProvider.System"/>.</param>
    /// <param name="logger">The logger, or null for no logging.</param>
    /// <exception cref="ArgumentException">An option is missing or out of range.</exception>
    public FileSystemUploadStore(
        FileSystemUploadStoreOptions options, TimeProvider? timeProvider = null, ILogger<FileSystemUploadStore>? logger = null)
        : this(options, timeProvider, logger, FileLayer.Default)
    {
    }

    internal FileSystemUploadStore(FileSystemUploadStoreOptions options, TimeProvider? timeProvider, ILogger? logger, FileLayer files)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (string.IsNullOrWhiteSpace(options.Directory))
        {
            throw new ArgumentException("FileSystemUploadStoreOptions.Directory must be set to the directory in which uploads are stored.", nameof(options));
        }

        if (options.SyncSize <= 0 || options.SyncInterval <= TimeSpan.Zero)
        {
            throw new ArgumentException("FileSystemUploadStoreOptions.SyncSize and SyncInterval must be greater than zero.", nameof(options));
        }

        if (!Enum.IsDefined(options.Durability))
        {
            throw new ArgumentException("FileSystemUploadStoreOptions.Durability must be PowerLoss or ProcessCrash.", nameof(options));
        }

        string root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.Directory));
        _context = new StoreContext(
            new FileSystemUploadStoreOptions
            {
                Directory = root,
                Durability = options.Durability,
                SyncSize = options.SyncSize,
                SyncInterval = options.SyncInterval,
            },
            new StorePaths(root),
            files,
            timeProvider ?? TimeProvider.System,
            logger ?? NullLogger<FileSystemUploadStore>.Instance);
        _directorySync = new DirectorySync(_context);
        _records = new RecordFile(_context, _directorySync);
        _reconciler = new OffsetReconciler(_context);
        _locker = new UploadLocker(_context, _records, _reconciler);
        _create = new CreateOperation(_context, _records, _directorySync);
        _read = new ReadOperations(_context, _records, _reconciler);
        _change = new ChangeOperations(_context, _records, _locker, _directorySync);
        _move = new MoveOperation(_context, _records, _locker);
        _replace = new ReplaceOperation(_context, _records, _locker);
        _sweepCheckpoint = new SweepCheckpointFile(_context, _directorySync);
    }

    /// <summary>Gets <see cref="long.MaxValue"/>: there is no limit. Staged bytes are written to the data file, after the offset.</summary>
    public long MaxStagedLength => long.MaxValue;

    /// <inheritdoc/>
    public ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken)
    {
        ValidateRecord(record);
        if (record.State != UploadState.Receiving)
        {
            throw new ArgumentException("The state of a new upload must be Receiving.", nameof(record));
        }

        return RunAsync((_create, key, record), static s => s._create.Create(s.key, s.record), cancellationToken);
    }

    /// <summary>Gets 262,144 (256 KiB).</summary>
    public long MaxCompletedLength => 256 * 1024;

    /// <inheritdoc/>
    public ValueTask<CreateResult> CreateCompletedAsync(
        UploadKey key, UploadRecord record, ReadOnlySequence<byte> content, CancellationToken cancellationToken)
    {
        ValidateRecord(record);
        if (record.State == UploadState.Receiving)
        {
            throw new ArgumentException("The state of a completed upload must be Received or Completed.", nameof(record));
        }

        if (content.Length > MaxCompletedLength)
        {
            throw new ArgumentException($"The content must have at most {MaxCompletedLength} bytes.", nameof(content));
        }

        return RunAsync((_create, key, record, content), static s => s._create.Create(s.key, s.record, s.content), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken) =>
        RunAsync((_read, key), static s => s._read.Get(s.key), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            LockStatus status = _locker.TryAcquire(key, out LockedUpload? upload);
            using (upload)
            {
                return upload switch
                {
                    null when status == LockStatus.NotFound => new AppendResult(AppendStatus.NotFound, 0, null),
                    null => CreateBusyResult(key),
                    { Record.Record.State: not UploadState.Receiving } => new AppendResult(AppendStatus.NotReceiving, upload.Offset, upload.Version),
                    _ when upload.Offset != offset => new AppendResult(AppendStatus.OffsetMismatch, upload.Offset, upload.Version),
                    _ => await new AppendOperation(_context, _records, _reconciler, upload, content, cancellationToken).RunAsync(mode),
                };
            }
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            throw StorageErrors.Wrap(e);
        }
    }

    /// <inheritdoc/>
    public ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(version);
        ValidateRecord(record);
        return RunAsync((_change, key, version, record), static s => s._change.Update(s.key, s.version, s.record), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken) =>
        RunAsync((_read, key), static s => s._read.OpenRead(s.key), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken) =>
        RunAsync((_change, key, version), static s => s._change.Delete(s.key, s.version), cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        return new ListOperation(_context, _read).ListAsync(query, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask PutResponseAsync(UploadKey key, ReadOnlyMemory<byte> response, CancellationToken cancellationToken)
    {
        if (response.Length > ChangeOperations.MaxResponseLength)
        {
            throw new ArgumentException($"The response must have at most {ChangeOperations.MaxResponseLength} bytes.", nameof(response));
        }

        await RunAsync((_change, key, response), static s => s._change.PutResponse(s.key, s.response.Span), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken) =>
        RunAsync((_change, key), static s => s._change.GetResponse(s.key), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<MoveResult> MoveContentAsync(UploadKey key, string path, bool overwrite, CancellationToken cancellationToken)
    {
        if (!Path.IsPathFullyQualified(path))
        {
            throw new ArgumentException("The target path must be fully qualified.", nameof(path));
        }

        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return await _move.MoveAsync(key, path, overwrite, cancellationToken);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            throw StorageErrors.Wrap(e);
        }
    }

    /// <inheritdoc/>
    public ValueTask<UpdateResult> ReplaceAsync(
        UploadKey key, string version, UploadKey replacementKey, string replacementVersion, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(version);
        ArgumentNullException.ThrowIfNull(replacementVersion);
        if (key == replacementKey)
        {
            throw new ArgumentException("An upload cannot replace itself.", nameof(replacementKey));
        }

        return RunAsync(
            (_replace, key, version, replacementKey, replacementVersion),
            static s => s._replace.Replace(s.key, s.version, s.replacementKey, s.replacementVersion),
            cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask CheckAsync(CancellationToken cancellationToken) =>
        RunAsync(() => new StartupCheck(_context, _directorySync).Run(cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask CleanUpAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            await new CleanUpOperation(_context).RunAsync(cancellationToken);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            throw StorageErrors.Wrap(e);
        }
    }

    /// <inheritdoc/>
    public ValueTask<UploadKey?> GetSweepCheckpointAsync(CancellationToken cancellationToken) =>
        RunAsync(_sweepCheckpoint, static checkpoint => checkpoint.Get(), cancellationToken);

    /// <inheritdoc/>
    public ValueTask PutSweepCheckpointAsync(UploadKey? checkpoint, CancellationToken cancellationToken) =>
        RunAsync(() => _sweepCheckpoint.Put(checkpoint), cancellationToken);

    private static void ValidateRecord(UploadRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (record.Data.Length > UploadRecord.MaxDataLength)
        {
            throw new ArgumentException($"The data of a record must have at most {UploadRecord.MaxDataLength} bytes.", nameof(record));
        }
    }

    private static async ValueTask RunAsync(Action work, CancellationToken cancellationToken) =>
        await RunAsync(work, static action => { action(); return true; }, cancellationToken);

    // Runs on the thread of the caller. Exceptions are returned in the task.
    private static ValueTask<T> RunAsync<TState, T>(TState state, Func<TState, T> work, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<T>(cancellationToken);
        }

        try
        {
            return new ValueTask<T>(work(state));
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            return ValueTask.FromException<T>(StorageErrors.Wrap(e));
        }
        catch (Exception e)
        {
            return ValueTask.FromException<T>(e);
        }
    }

    private AppendResult CreateBusyResult(UploadKey key) =>
        _records.Read(key) is { } record && _reconciler.Read(new UploadFilePaths(_context.Paths.GetUploadDirectory(key), record.Nonce), record) is { } state
            ? new AppendResult(AppendStatus.Busy, state.Offset, null)
            : new AppendResult(AppendStatus.NotFound, 0, null);
}
