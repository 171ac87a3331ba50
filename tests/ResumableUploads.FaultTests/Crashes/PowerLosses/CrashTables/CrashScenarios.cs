using System.Buffers;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses.CrashTables;

/// <summary>An operation that the crash table describes.</summary>
/// <param name="Name">The heading of its table.</param>
/// <param name="Prepare">What happens before the recorded part, in the first boot.</param>
/// <param name="Operation">The operation. Receives the store and the directory that contains the store's own.</param>
internal sealed record CrashScenario(string Name, Func<FileSystemUploadStore, Task> Prepare, Func<FileSystemUploadStore, string, Task> Operation)
{
    /// <summary>Gets the boot id during the operation.</summary>
    public string BootId { get; init; } = CrashScenarios.FirstBootId;

    /// <summary>Gets what happens to the disk between the two, or null if one process does both.</summary>
    public Action<string>? Interrupt { get; init; }

    public Func<string, string, RecordingFileLayer> CreateLayer { get; init; } = static (directory, bootId) => new RecordingFileLayer(directory, bootId);
}

internal static class CrashScenarios
{
    public const string FirstBootId = "00000000-0000-0000-0000-000000000001";
    public const string NextBootId = "00000000-0000-0000-0000-000000000002";
    public const string LaterBootId = "00000000-0000-0000-0000-000000000003";

    private const int SyncSize = 3;

    public static readonly UploadKey Key = new("owner", "upload-1");

    public static IReadOnlyList<CrashScenario> All { get; } =
    [
        new("Create", Nothing, static (store, _) => CreateAsync(store)),
        new("Create with all bytes", Nothing, static (store, _) => CreateCompletedAsync(store)),
        new("Append", CreateAsync, static (store, _) => AppendAsync(store, 0, AppendMode.KeepPartial)),
        new("Append after a restart of the machine", CreateAsync, static (store, _) => AppendAsync(store, 0, AppendMode.KeepPartial))
        {
            BootId = NextBootId,
            Interrupt = static _ => { },
        },
        new("Staged append that is committed", CreateAsync, static (store, _) => AppendAsync(store, 0, AppendMode.AllOrNothing)),
        new("Staged append that is discarded", CreateAsync, static (store, _) => AppendAsync(store, 0, AppendMode.AllOrNothing, isWanted: false)),
        new("Update to Received", AppendedAsync, static (store, _) => ReceiveAsync(store)),
        new("Put the response", ReceivedAsync, static async (store, _) => await store.PutResponseAsync(Key, new byte[] { 1 }, default)),
        new("Delete", ReceivedAsync, static async (store, _) => await store.DeleteAsync(Key, null, default)),
        new("Move the content within a volume", ReceivedAsync, MoveAsync),
        new("Move the content to another volume", ReceivedAsync, MoveAsync) { CreateLayer = static (directory, bootId) => new TwoVolumes(directory, bootId) },
        new("First status after a kill during an append", InterruptedAsync, static async (store, _) => await store.GetAsync(Key, default))
        {
            CreateLayer = static (directory, bootId) => new KilledAtSecondSync(directory, bootId),
        },
        new("First status after a power loss during an append", InterruptedAsync, static async (store, _) => await store.GetAsync(Key, default))
        {
            BootId = NextBootId,
            Interrupt = static _ => { },
            CreateLayer = static (directory, bootId) => new KilledAtSecondSync(directory, bootId),
        },
        new("First status of an upload with a damaged record", CreateAsync, static async (store, _) => await store.GetAsync(Key, default))
        {
            Interrupt = static directory => File.WriteAllText(Path.Combine(directory, "store", "uploads", Key.Owner, "up", Key.Id, "record.json"), "damaged"),
        },
    ];

    public static FileSystemUploadStore CreateStore(string directory, FileLayer files) => new(
        new FileSystemUploadStoreOptions { Directory = Path.Combine(directory, "store"), SyncSize = SyncSize },
        new FakeTimeProvider(new DateTimeOffset(2040, 1, 2, 3, 4, 5, TimeSpan.Zero)),
        logger: null,
        files);

    private static Task Nothing(FileSystemUploadStore store) => Task.CompletedTask;

    private static async Task CreateAsync(FileSystemUploadStore store) => await store.CreateAsync(Key, new UploadRecord(), default);

    private static async Task CreateCompletedAsync(FileSystemUploadStore store) => await store.CreateCompletedAsync(
        Key, new UploadRecord { State = UploadState.Received, Length = 5 }, new ReadOnlySequence<byte>([1, 2, 3, 4, 5]), default);

    /// <summary>Appends five bytes in two reads, with a sync between them.</summary>
    private static async Task AppendAsync(FileSystemUploadStore store, long offset, AppendMode mode, bool isWanted = true)
    {
        var content = new ChunkContent([[1, 2, 3], [4, 5]], static _ => { }, () => isWanted);
        await store.AppendAsync(Key, offset, content, mode, default);
    }

    private static async Task AppendedAsync(FileSystemUploadStore store)
    {
        await CreateAsync(store);
        await AppendAsync(store, 0, AppendMode.KeepPartial);
    }

    private static async Task ReceiveAsync(FileSystemUploadStore store)
    {
        UploadInfo info = (await store.GetAsync(Key, default))!;
        await store.UpdateAsync(Key, info.Version, info.Record with { State = UploadState.Received, Length = info.Offset }, default);
    }

    private static async Task ReceivedAsync(FileSystemUploadStore store)
    {
        await AppendedAsync(store);
        await ReceiveAsync(store);
    }

    /// <summary>Ends the process after three bytes are durable and two more are written.</summary>
    private static async Task InterruptedAsync(FileSystemUploadStore store)
    {
        await CreateAsync(store);
        await Assert.ThrowsAsync<InvalidOperationException>(() => AppendAsync(store, 0, AppendMode.KeepPartial));
    }

    private static async Task MoveAsync(FileSystemUploadStore store, string directory) =>
        await store.MoveContentAsync(Key, Path.Combine(directory, "target"), overwrite: false, default);

    /// <summary>Content cannot be renamed to its destination, because that is on another volume.</summary>
    private sealed class TwoVolumes(string directory, string bootId) : RecordingFileLayer(directory, bootId)
    {
        public override bool RenameFileNoReplace(string from, string to) => from.EndsWith(".data", StringComparison.Ordinal)
            ? throw new IOException("The target is on another volume.", NativeMethods.EXDEV)
            : base.RenameFileNoReplace(from, to);
    }

    /// <summary>Fails the second sync of an upload's data file, as if the process had ended.</summary>
    private sealed class KilledAtSecondSync(string directory, string bootId) : RecordingFileLayer(directory, bootId)
    {
        private int _syncs;

        public override void Sync(OpenFile file)
        {
            if (file.Path.EndsWith(".data", StringComparison.Ordinal) && ++_syncs == 2)
            {
                throw new InvalidOperationException("The process ends here.");
            }

            base.Sync(file);
        }
    }
}
