using Microsoft.Extensions.Logging.Abstractions;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Events;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Scheduling;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Hosting.Events;

/// <summary>The file to which a handler moves an upload survives a power loss as soon as the move has ended.</summary>
public sealed class UploadContentMoverTests : FileSystemStoreTest
{
    private static readonly EngineRecord Upload = new() { Created = new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero) };

    private readonly List<string> _steps = [];

    private readonly MemoryUploadStore _memory = new();

    private string Target => Path.Combine(Root, "a", "b", "file.bin");

    public override void Dispose()
    {
        _memory.Dispose();
        base.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Directories_that_a_move_creates_are_durable_before_the_file(bool isFileSystemStore)
    {
        IUploadStore store = isFileSystemStore ? NewStore(files: new FaultyFiles()) : _memory;
        await CreateContentAsync(store);
        Files.After = (step, path) => _steps.Add($"{step} {Path.GetRelativePath(Root, path)}");

        Assert.Equal(Target, await NewMover(store).TryMoveAsync(Target, overwrite: false, None));

        Assert.Equal(
            ["create-directory a", "sync-directory .", $"create-directory {Path.Combine("a", "b")}", "sync-directory a"], _steps.Take(4));
        Assert.Equal(Bytes(100), File.ReadAllBytes(Target));
        _steps.Clear();
        Assert.NotNull(await NewMover(store).TryMoveAsync(Target, overwrite: true, None));
        Assert.DoesNotContain(_steps, static step => step.EndsWith(" a", StringComparison.Ordinal) || step.EndsWith(" .", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Copy_of_a_killed_run_is_synced_before_it_counts()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Target)!);
        await CreateContentAsync(_memory);
        Files.Before = static (step, path) =>
        {
            if (step == "sync-directory")
            {
                throw new ProcessDied();
            }
        };
        await Assert.ThrowsAsync<ProcessDied>(async () => await NewMover(_memory).TryMoveAsync(Target, overwrite: false, None));
        Assert.True(File.Exists(Target));

        var next = new FaultyFiles { After = (step, path) => _steps.Add($"{step} {path}") };
        Assert.Equal(Target, await NewMover(_memory, next).TryMoveAsync(Target, overwrite: false, None));
        Assert.Contains("sync-directory " + Path.GetDirectoryName(Target), _steps);
        Assert.DoesNotContain(_steps, static step => step.StartsWith("write ", StringComparison.Ordinal));
    }

    private static async Task CreateContentAsync(IUploadStore store)
    {
        await CreateAsync(store, record: new UploadRecord { Data = Upload.ToBytes() });
        await AppendAsync(store, 0, Bytes(100));
        UploadInfo info = await GetAsync(store);
        await store.UpdateAsync(Key, info.Version, info.Record with { State = UploadState.Received }, None);
    }

    private UploadContentMover NewMover(IUploadStore store, FaultyFiles? files = null) => new(
        store, Key, Upload, new FileMover(files ?? Files, NullLogger.Instance, new DiskScheduler("Test move", 2, TimeProvider.System)));
}
