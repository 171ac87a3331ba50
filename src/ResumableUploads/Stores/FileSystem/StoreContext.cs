using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Infrastructure;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>The dependencies that all operations of a store share.</summary>
internal sealed record StoreContext(
    FileSystemUploadStoreOptions Options, StorePaths Paths, FileLayer Files, TimeProvider TimeProvider, ILogger Logger, DiskScheduler Scheduler)
{
    /// <summary>The time after which a request stops waiting for a change that was canceled while it ran.</summary>
    public static readonly TimeSpan AbandonDelay = TimeSpan.FromSeconds(10);

    /// <summary>The lane of sweeps, listings and checks. No owner has this name.</summary>
    private const string MaintenanceLane = "";

    private readonly ParallelSync _parallelSync = new(Scheduler, TimeProvider);

    /// <summary>Gets the time by which the store deletes what a crash left behind.</summary>
    public ExpirationClock ExpirationClock { get; } = new(TimeProvider, onJump: null);

    /// <summary>Gets how the steps of an enumerator are scheduled. It is not thread-safe, so a step is not abandoned while it runs.</summary>
    public static DiskCallOptions EnumerationCall { get; } = new(MaintenanceLane, DiskCallKind.Device, AbandonDelay: null);

    /// <summary>Gets how the calls of sweeps and checks are scheduled.</summary>
    public DiskCallOptions MaintenanceCall => new(MaintenanceLane, ChangeKind, TimeSpan.Zero);

    /// <summary>Gets how changes are scheduled: they sync unless uploads survive only the death of the process.</summary>
    public DiskCallKind ChangeKind => Options.Durability == Durability.PowerLoss ? DiskCallKind.Device : DiskCallKind.Cached;

    /// <summary>Makes several files and directories durable at the same time.</summary>
    public void SyncAll(ReadOnlySpan<SyncTarget> targets) => Files.SyncAll(targets, _parallelSync, Files);
}
