using System.Buffers;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Scheduling;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses.CrashTables;

/// <summary>A scenario whose file system steps are recorded and documented in a crash table.</summary>
/// <param name="Name">The heading of its table.</param>
/// <param name="Prepare">The setup, which runs before recording starts, with <see cref="CrashScenarios.FirstBootId"/> as the boot id.</param>
/// <param name="Operation">The operation to record. Receives the store and the parent of the store's directory.</param>
internal sealed record CrashScenario(string Name, Func<FileSystemUploadStore, Task> Prepare, Func<FileSystemUploadStore, string, Task> Operation)
{
    /// <summary>Gets the boot id during the operation.</summary>
    public string BootId { get; init; } = CrashScenarios.FirstBootId;

    /// <summary>
    /// Gets the action that runs between <see cref="Prepare"/> and <see cref="Operation"/> and receives the parent of the store's directory, or null if both
    /// run in the same process.
    /// </summary>
    public Action<string>? Interrupt { get; init; }

    /// <summary>Gets the factory of the recording file layer. Receives the parent of the store's directory and the boot id.</summary>
    public Func<string, string, RecordingFileLayer> CreateLayer { get; init; } = static (directory, bootId) => new RecordingFileLayer(directory, bootId);
}

internal static class CrashScenarios
{
    public const string FirstBootId = "00000000-0000-0000-0000-000000000001";
    public const string NextBootId = "00000000-0000-0000-0000-000000000002";
    public const string LaterBootId = "00000000-0000-0000-0000-000000000003";

    /// <summary>
    /// The number of bytes between syncs. Equals the size of the first piece in <see cref="AppendAsync"/>, so that a sync runs between the two chunks.
    /// </summary>
    private const int SyncSize = 3;

    public static readonly UploadKey Key = new("owner", "upload-1");

    private static readonly UploadKey ReplacementKey = new("owner", "upload-2");

    public static IReadOnlyList<CrashScenario> All { get; } =
    [
        new("Create", NoSetupAsync, static (store, _) => CreateAsync(store)),
        new("Create with all bytes", NoSetupAsync, static (store, _) => CreateCompletedAsync(store)),
        new("Append", CreateAsync, static (store, _) => AppendAsync(store, 0, AppendMode.KeepPartial)),
        new("Append after a restart of the machine", CreateAsync, static (store, _) => AppendAsync(store, 0, AppendMode.KeepPartial))
        {
            BootId = NextBootId,
            Interrupt = RestartOnly,
        },
        new("Staged append that is committed", CreateAsync, static (store, _) => AppendAsync(store, 0, AppendMode.AllOrNothing)),
        new("Staged append that is discarded", CreateAsync, static (store, _) => AppendAsync(store, 0, AppendMode.AllOrNothing, commit: false)),
        new("Update to Received", CreateAndAppendAsync, static (store, _) => MarkReceivedAsync(store)),
        new("Append with the final record", CreateAsync, static (store, _) => AppendFinalAsync(store, isDeferrable: false)),
        new("Append with a final record that is deferred", CreateAsync, static (store, _) => AppendFinalAsync(store, isDeferrable: true)),
        new("Complete with a response", CreateReceivedUploadAsync, static (store, _) => store.CompleteAsync(Key, [1])),
        new("Complete with a long response", CreateReceivedUploadAsync, static (store, _) => store.CompleteAsync(Key, new byte[100_000])),
        new("Delete", CreateReceivedUploadAsync, static async (store, _) => await store.DeleteAsync(Key, null, default)),
        new("Replace", CreateReplacementAsync, static async (store, _) => await ReplaceAsync(store)),
        new("Move the content within a volume", CreateReceivedUploadAsync, MoveAsync),
        new("Move the content to another volume", CreateReceivedUploadAsync, MoveAsync) { CreateLayer = static (directory, bootId) => new CrossVolumeFileLayer(directory, bootId) },
        new("First status after a kill during an append", CreateInterruptedUploadAsync, static async (store, _) => await store.GetAsync(Key, default))
        {
            // No Interrupt: the exception of the file layer simulates the kill, and the operation runs in the same process.
            CreateLayer = static (directory, bootId) => new SecondSyncFailsFileLayer(directory, bootId),
        },
        new("First status after a power loss during an append", CreateInterruptedUploadAsync, static async (store, _) => await store.GetAsync(Key, default))
        {
            BootId = NextBootId,
            Interrupt = LoseLastByte,
            CreateLayer = static (directory, bootId) => new SecondSyncFailsFileLayer(directory, bootId),
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
        files,
        new DiskScheduler("unused", maxThreads: 0, TimeProvider.System));

    private static Task NoSetupAsync(FileSystemUploadStore store) => Task.CompletedTask;

    /// <summary>Leaves the disk unchanged, so that the only effect of the interruption is a new process.</summary>
    private static void RestartOnly(string directory)
    {
    }

    /// <summary>Replaces the last byte of the data file by zero, as a power loss does that keeps the length of a file but not its content.</summary>
    private static void LoseLastByte(string directory)
    {
        using FileStream data = File.OpenWrite(Directory.GetFiles(Path.Combine(directory, "store", "uploads"), "*.data", SearchOption.AllDirectories).Single());
        data.Seek(-1, SeekOrigin.End);
        data.WriteByte(0);
    }

    private static async Task CreateAsync(FileSystemUploadStore store) => await store.CreateAsync(Key, new UploadRecord(), default);

    private static async Task CreateCompletedAsync(FileSystemUploadStore store) => await store.CreateCompletedAsync(
        Key, new UploadRecord { State = UploadState.Received, Length = 5 }, new ReadOnlySequence<byte>([1, 2, 3, 4, 5]), default);

    /// <summary>Appends five bytes in two reads, with a sync between them.</summary>
    private static async Task AppendAsync(FileSystemUploadStore store, long offset, AppendMode mode, bool commit = true)
    {
        var content = new ChunkContent([[1, 2, 3], [4, 5]], static _ => { }, () => commit);
        await store.AppendAsync(Key, offset, content, mode, default);
    }

    /// <summary>Appends two bytes in one read, after which the upload is received.</summary>
    private static async Task AppendFinalAsync(FileSystemUploadStore store, bool isDeferrable)
    {
        var content = new ChunkContent([[1, 2]], static _ => { }, static () => true)
        {
            FinalRecordFactory = offset => new FinalRecord(new UploadRecord { State = UploadState.Received, Length = offset }, isDeferrable),
        };
        await store.AppendAsync(Key, 0, content, AppendMode.KeepPartial, default);
    }

    private static async Task CreateAndAppendAsync(FileSystemUploadStore store)
    {
        await CreateAsync(store);
        await AppendAsync(store, 0, AppendMode.KeepPartial);
    }

    private static async Task MarkReceivedAsync(FileSystemUploadStore store)
    {
        UploadInfo info = (await store.GetAsync(Key, default))!;
        await store.UpdateAsync(Key, info.Version, info.Record with { State = UploadState.Received, Length = info.Offset }, default);
    }

    private static async Task CreateReceivedUploadAsync(FileSystemUploadStore store)
    {
        await CreateAndAppendAsync(store);
        await MarkReceivedAsync(store);
    }

    /// <summary>
    /// Creates an upload and simulates a process exit when three bytes are durable and two more are written. Requires
    /// <see cref="SecondSyncFailsFileLayer"/>.
    /// </summary>
    private static async Task CreateInterruptedUploadAsync(FileSystemUploadStore store)
    {
        await CreateAsync(store);
        await Assert.ThrowsAsync<InvalidOperationException>(() => AppendAsync(store, 0, AppendMode.KeepPartial));
    }

    /// <summary>Creates a completed upload with a response, and another one with two bytes that is going to replace it.</summary>
    private static async Task CreateReplacementAsync(FileSystemUploadStore store)
    {
        await CreateReceivedUploadAsync(store);
        await store.CompleteAsync(Key, new byte[100_000]);
        await store.CreateAsync(ReplacementKey, new UploadRecord(), default);
        var content = new ChunkContent([[6, 7]], static _ => { }, static () => true);
        await store.AppendAsync(ReplacementKey, 0, content, AppendMode.KeepPartial, default);
    }

    private static async Task ReplaceAsync(FileSystemUploadStore store)
    {
        string version = (await store.GetAsync(Key, default))!.Version;
        string replacementVersion = (await store.GetAsync(ReplacementKey, default))!.Version;
        await store.ReplaceAsync(Key, version, ReplacementKey, replacementVersion, default);
    }

    private static async Task MoveAsync(FileSystemUploadStore store, string directory) =>
        await store.MoveContentAsync(Key, (await store.GetAsync(Key, default))!.Version, Path.Combine(directory, "target"), overwrite: false, default);

    /// <summary>Simulates a move to another volume: renaming a data file fails with EXDEV.</summary>
    private sealed class CrossVolumeFileLayer(string directory, string bootId) : RecordingFileLayer(directory, bootId)
    {
        public override bool RenameFileNoReplace(string from, string to) => from.EndsWith(".data", StringComparison.Ordinal)
            ? throw new IOException("The target is on another volume.", NativeMethods.EXDEV)
            : base.RenameFileNoReplace(from, to);
    }

    /// <summary>Simulates a process exit: the second sync of a data file throws.</summary>
    private sealed class SecondSyncFailsFileLayer(string directory, string bootId) : RecordingFileLayer(directory, bootId)
    {
        private int _syncs;

        public override void Sync(OpenFile file)
        {
            if (file.Path.EndsWith(".data", StringComparison.Ordinal) && ++_syncs == 2)
            {
                throw new InvalidOperationException("Simulated process exit at the second sync of the data file.");
            }

            base.Sync(file);
        }
    }
}
