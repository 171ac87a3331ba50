using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Maintenance;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>The dependencies that all operations of a store share.</summary>
internal sealed record StoreContext(
    FileSystemUploadStoreOptions Options, StorePaths Paths, FileLayer Files, TimeProvider TimeProvider, ILogger Logger, DiskScheduler Scheduler)
{
    /// <summary>The time after which a request stops waiting for a change that was canceled while it ran.</summary>
    public static readonly TimeSpan AbandonDelay = TimeSpan.FromSeconds(10);

    /// <summary>The time for which a call waits for another one of the same upload: longer than a sync of a slow disk, and short enough for a call that hangs.</summary>
    private static readonly TimeSpan UploadLockTimeout = TimeSpan.FromSeconds(5);

    /// <summary>The lane of sweeps, listings and checks. No owner has this name.</summary>
    private const string MaintenanceLane = "";

    private readonly ParallelSync _parallelSync = new(Scheduler, TimeProvider);
    private readonly KeyedLocks _uploadLocks = new();

    /// <summary>Gets the clock of all times in records and of modification times.</summary>
    public StorageClock Clock { get; } = new(Paths, Files, TimeProvider);

    /// <summary>Gets how the steps of an enumerator are scheduled. It is not thread-safe, so a step is not abandoned while it runs.</summary>
    public static DiskCallOptions EnumerationCall { get; } = new(MaintenanceLane, DiskCallKind.Device, AbandonDelay: null);

    /// <summary>Gets how the calls of sweeps and checks are scheduled.</summary>
    public DiskCallOptions MaintenanceCall => new(MaintenanceLane, ChangeKind, TimeSpan.Zero);

    /// <summary>Gets how changes are scheduled: they sync unless uploads survive only the death of the process.</summary>
    public DiskCallKind ChangeKind => GetChangeKind(Options.Durability);

    /// <summary>Gets how changes are scheduled that are made durable later. Without an exchange of names, they sync the new record.</summary>
    public DiskCallKind DeferredChangeKind => Files.CanExchangeNames ? DiskCallKind.Cached : ChangeKind;

    /// <summary>Returns how changes of an upload are scheduled. Its durability can differ from that of the store.</summary>
    public static DiskCallKind GetChangeKind(Durability durability) => durability == Durability.PowerLoss ? DiskCallKind.Device : DiskCallKind.Cached;

    /// <summary>Ends a call that is about to sync or to wait, and has changed nothing yet, unless it runs on a thread of the store.</summary>
    /// <exception cref="DiskThreadRequiredException">The call must run again on a thread of the store.</exception>
    public void RequireThread()
    {
        if (Scheduler.HasThreads && DiskThread.CurrentLane is null)
        {
            throw new DiskThreadRequiredException();
        }
    }

    /// <summary>
    /// Enters the lock that a thread holds while it opens or repairs an upload. A second thread waits here for the syncs of the first. Without this lock, it
    /// would find the lock file locked, and assume a running append. Returns null if the other thread hangs.
    /// </summary>
    public KeyedLocks.KeyedLock? TryEnterUpload(string nonce) => _uploadLocks.TryEnter(nonce, UploadLockTimeout, RequireThread);

    /// <summary>Makes several files and directories durable at the same time.</summary>
    public void SyncAll(ReadOnlySpan<SyncTarget> targets) => Files.SyncAll(targets, _parallelSync, Files);
}
