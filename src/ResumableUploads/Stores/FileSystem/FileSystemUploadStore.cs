using System.Buffers;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Maintenance;
using ResumableUploads.Stores.FileSystem.Monitoring;
using ResumableUploads.Stores.FileSystem.Operations;
using ResumableUploads.Stores.FileSystem.Operations.Appending;
using ResumableUploads.Stores.FileSystem.Operations.Deleting;
using ResumableUploads.Stores.FileSystem.Scheduling;
using ResumableUploads.Stores.FileSystem.Takeover;

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
public sealed partial class FileSystemUploadStore :
    IUploadStore, IStagedAppendStore, ISingleRequestStore, IStoreStartupCheck, ISelfCleaningStore, ISweepCheckpointStore, IContentMover, IReplacingStore, IDeferredSyncStore,
    ITakeoverStore, IStoreClock
{
    private readonly StoreContext _context;
    private readonly DirectorySync _directorySync;
    private readonly AppendOpener _appendOpener;
    private readonly RecordFile _records;
    private readonly CreateOperation _create;
    private readonly ReadOperations _read;
    private readonly ListOperation _list;
    private readonly ChangeOperations _change;
    private readonly DeleteOperation _delete;
    private readonly MoveOperation _move;
    private readonly ReplaceOperation _replace;
    private readonly SweepCheckpointFile _sweepCheckpoint;
    private readonly RunningAppends _appends = new();
    private readonly TakeoverListener _takeoverListener;
    private readonly TakeoverOperation _takeover;

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

    internal FileSystemUploadStore(
        FileSystemUploadStoreOptions options, TimeProvider? timeProvider, ILogger? logger, FileLayer files, DiskScheduler? scheduler = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        string root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.Directory));
        timeProvider ??= TimeProvider.System;
        logger ??= NullLogger<FileSystemUploadStore>.Instance;
        scheduler ??= new DiskScheduler("Upload store", options.MaxThreads, timeProvider);
        DiskMetrics.Add(root, scheduler);
        _context = new StoreContext(
            new FileSystemUploadStoreOptions
            {
                Directory = root,
                Durability = options.Durability,
                SyncSize = options.SyncSize,
                SyncInterval = options.SyncInterval,
                MaxThreads = options.MaxThreads,
            },
            new StorePaths(root),
            new MonitoredFileLayer(files, new SyncMonitor(root, timeProvider, new SlowSyncDetector(root, timeProvider, logger))),
            timeProvider,
            logger,
            scheduler);
        _directorySync = new DirectorySync(_context);
        _records = new RecordFile(_context, _directorySync);
        var reconciler = new OffsetReconciler(_context);
        var locker = new UploadLocker(_context, _records, reconciler);
        _appendOpener = new AppendOpener(_context, _records, reconciler, locker);
        _create = new CreateOperation(_context, _records, _directorySync);
        _read = new ReadOperations(_context, _records, reconciler);
        _list = new ListOperation(_context, _read);
        _change = new ChangeOperations(_context, _records, locker, _directorySync);
        _delete = new DeleteOperation(_context, _records, locker, _directorySync);
        _move = new MoveOperation(_context, _records, locker);
        _replace = new ReplaceOperation(_context, _records, locker, _directorySync);
        _sweepCheckpoint = new SweepCheckpointFile(_context, _directorySync);
        var peers = new PeerMailboxes(_context);
        _takeoverListener = new TakeoverListener(_context, _directorySync, peers, _appends);
        _takeover = new TakeoverOperation(_context, _records, peers);
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

        return ChangeAsync(key, (_create, key, record), static s => s._create.Create(s.key, s.record), cancellationToken);
    }

    /// <summary>Gets 262,144 (256 KiB).</summary>
    public long MaxCompletedLength => 256 * 1024;

    /// <inheritdoc/>
    public ValueTask<CreateResult> CreateCompletedAsync(
        UploadKey key, UploadRecord record, ReadOnlySequence<byte> content, CancellationToken cancellationToken) =>
        CreateCompletedAsync(key, record, content, isDeferred: false, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<CreateResult> CreateCompletedDeferredAsync(
        UploadKey key, UploadRecord record, ReadOnlySequence<byte> content, CancellationToken cancellationToken) =>
        CreateCompletedAsync(key, record, content, isDeferred: true, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken)
    {
        ValueTask<(bool IsDurable, UploadInfo? Info)> read = ReadAsync(key, (_read, key), static s => s._read.GetIfDurable(s.key), cancellationToken);
        return read is { IsCompletedSuccessfully: true, Result: { IsDurable: true } result } ? new ValueTask<UploadInfo?>(result.Info) : GetDurableAsync(key, read, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        cancellationToken.ThrowIfCancellationRequested();
        var disk = new AppendDisk(_context, key.Owner, cancellationToken);
        var request = new AppendRequest(key, offset, mode, content);
        try
        {
            return await disk.WaitAsync(AppendCoreAsync(request, content, disk, cancellationToken));
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
        return ChangeAsync(key, (_change, key, version, record), static s => s._change.Update(s.key, s.version, s.record), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<UploadInfo?> GetUnsyncedAsync(UploadKey key, CancellationToken cancellationToken) =>
        ReadAsync(key, (_read, key), static s => s._read.GetUnsynced(s.key), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<UpdateResult> UpdateDeferredAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(version);
        ValidateRecord(record);
        var options = new DiskCallOptions(key.Owner, _context.DeferredChangeKind, StoreContext.AbandonDelay);
        return RunAsync(options, (_change, key, version, record), static s => s._change.Update(s.key, s.version, s.record, isDeferred: true), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<UpdateResult> CompleteAsync(
        UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte> response, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(version);
        ValidateRecord(record);
        if (record.State != UploadState.Completed)
        {
            throw new ArgumentException("The state of an upload with a response must be Completed.", nameof(record));
        }

        if (response.Length > ChangeOperations.MaxResponseLength)
        {
            throw new ArgumentException($"The response must have at most {ChangeOperations.MaxResponseLength} bytes.", nameof(response));
        }

        return ChangeAsync(
            key,
            (_change, key, version, record, response: response.ToArray()),
            static s => s._change.Update(s.key, s.version, s.record, response: s.response),
            cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken) =>
        ReadAsync(key, (_read, key), static s => s._read.OpenRead(s.key), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken) =>
        ChangeAsync(key, (_delete, key, version), static s => s._delete.Delete(s.key, s.version), cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        return _list.ListAsync(query, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken) =>
        ReadAsync(key, (_change, key), static s => s._change.GetResponse(s.key), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<MoveResult> MoveContentAsync(UploadKey key, string version, string path, bool overwrite, CancellationToken cancellationToken)
    {
        if (!Path.IsPathFullyQualified(path))
        {
            throw new ArgumentException("The target path must be fully qualified.", nameof(path));
        }

        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return await _move.MoveAsync(new MoveRequest(key, version, path, overwrite), cancellationToken);
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

        return ChangeAsync(
            key,
            (_replace, key, version, replacementKey, replacementVersion),
            static s => s._replace.Replace(s.key, s.version, s.replacementKey, s.replacementVersion),
            cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask CheckAsync(CancellationToken cancellationToken) => await MaintainAsync(
        (check: new StartupCheck(_context, _directorySync), cancellationToken),
        static s =>
        {
            s.check.Run(s.cancellationToken);
            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    public async ValueTask CleanUpAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            await new CleanUpOperation(_context, _directorySync).RunAsync(cancellationToken);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            throw StorageErrors.Wrap(e);
        }
    }

    /// <inheritdoc/>
    public ValueTask<UploadKey?> GetSweepCheckpointAsync(CancellationToken cancellationToken) =>
        MaintainAsync(_sweepCheckpoint, static checkpoint => checkpoint.Get(), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask PutSweepCheckpointAsync(UploadKey? checkpoint, CancellationToken cancellationToken) => await MaintainAsync(
        (_sweepCheckpoint, checkpoint),
        static s =>
        {
            s._sweepCheckpoint.Put(s.checkpoint);
            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    /// <remarks>Writes to a file and returns its modification time, which a network share sets by the clock of the file server.</remarks>
    public ValueTask<DateTimeOffset> GetUtcNowAsync(CancellationToken cancellationToken) => MaintainAsync(
        (_context, _directorySync),
        static s =>
        {
            s._directorySync.EnsureDirectories();
            return s._context.Clock.Read();
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task ListenAsync(CancellationToken cancellationToken) => _takeoverListener.ListenAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask<TakeoverStatus> TakeOverAsync(UploadKey key, TimeSpan timeout, CancellationToken cancellationToken) =>
        WrapErrorsAsync(_takeover.RunAsync(key, timeout, cancellationToken));

    /// <summary>Makes a deferred change durable on a thread of the store before it is returned.</summary>
    private async ValueTask<UploadInfo?> GetDurableAsync(UploadKey key, ValueTask<(bool IsDurable, UploadInfo? Info)> read, CancellationToken cancellationToken)
    {
        (bool isDurable, UploadInfo? info) = await read;
        return isDurable ? info : await ChangeAsync(key, (_read, key), static s => s._read.Get(s.key), cancellationToken);
    }

    private static void ValidateRecord(UploadRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (record.Data.Length > UploadRecord.MaxDataLength)
        {
            throw new ArgumentException($"The data of a record must have at most {UploadRecord.MaxDataLength} bytes.", nameof(record));
        }
    }

    private static async ValueTask<T> WrapErrorsAsync<T>(ValueTask<T> call)
    {
        try
        {
            return await call;
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            throw StorageErrors.Wrap(e);
        }
    }

    private async ValueTask<AppendResult> AppendCoreAsync(AppendRequest request, UploadContent content, AppendDisk disk, CancellationToken cancellationToken)
    {
        // A staged append begins with a change of the record.
        DiskCallKind kind = request.Mode == AppendMode.AllOrNothing ? _context.ChangeKind : DiskCallKind.Cached;
        OpenAppend target = await disk.RunAsync(kind, (_appendOpener, request), static s => s._appendOpener.Open(s.request));
        if (!target.IsOpen)
        {
            return target.Refusal.Value;
        }

        using RunningAppends.Registration registration = _appends.Add(target.Upload.Paths.Nonce, content);
        return await new AppendOperation(_context, _records, target, content, disk, cancellationToken).RunAsync(request.Mode);
    }

    private async ValueTask<CreateResult> CreateCompletedAsync(
        UploadKey key, UploadRecord record, ReadOnlySequence<byte> content, bool isDeferred, CancellationToken cancellationToken)
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

        if (_context.ChangeKind == DiskCallKind.Cached)
        {
            var options = new DiskCallOptions(key.Owner, DiskCallKind.Cached, AbandonDelay: null);
            return await RunAsync(options, (_create, key, record, content), static s => s._create.Create(s.key, s.record, s.content), cancellationToken);
        }

        // The content is copied, because the request may leave before the call returns.
        byte[] copy = ArrayPool<byte>.Shared.Rent((int)content.Length);
        content.CopyTo(copy);
        CreateResult result = await ChangeAsync(
            key,
            (_create, key, record, bytes: new ReadOnlySequence<byte>(copy, 0, (int)content.Length), isDeferred),
            static s => s._create.Create(s.key, s.record, s.bytes, s.isDeferred),
            cancellationToken);
        ArrayPool<byte>.Shared.Return(copy);
        return result;
    }

    private ValueTask<T> ReadAsync<TState, T>(UploadKey key, TState state, Func<TState, T> call, CancellationToken cancellationToken) =>
        RunAsync(new DiskCallOptions(key.Owner, DiskCallKind.Read, TimeSpan.Zero), state, call, cancellationToken);

    private ValueTask<T> ChangeAsync<TState, T>(UploadKey key, TState state, Func<TState, T> call, CancellationToken cancellationToken) =>
        RunAsync(new DiskCallOptions(key.Owner, _context.ChangeKind, StoreContext.AbandonDelay), state, call, cancellationToken);

    private ValueTask<T> MaintainAsync<TState, T>(TState state, Func<TState, T> call, CancellationToken cancellationToken) =>
        RunAsync(_context.MaintenanceCall, state, call, cancellationToken);

    private ValueTask<T> RunAsync<TState, T>(DiskCallOptions options, TState state, Func<TState, T> call, CancellationToken cancellationToken)
    {
        ValueTask<T> result = _context.Scheduler.RunAsync(options, state, call, cancellationToken);
        return result.IsCompletedSuccessfully ? result : WrapErrorsAsync(result);
    }
}
