using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Maintenance;

namespace ResumableUploads.Stores.FileSystem;

/// <content>The test of the storage while the store is in use.</content>
public sealed partial class FileSystemUploadStore : IStoreProbe
{
    /// <inheritdoc/>
    public TimeSpan LongestWait => _context.Scheduler.LongestWait;

    /// <inheritdoc/>
    /// <remarks>Writes a file, and syncs it if the durability of the store is <see cref="Durability.PowerLoss"/>.</remarks>
    public async ValueTask ProbeAsync(CancellationToken cancellationToken) => await MaintainAsync(
        new StoreProbe(_context, _directorySync),
        static probe =>
        {
            probe.Run();
            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    public ValueTask<long?> GetFreeSpaceAsync(CancellationToken cancellationToken) =>
        MaintainAsync(new StoreProbe(_context, _directorySync), static probe => (long?)probe.GetFreeSpace(), cancellationToken);
}
