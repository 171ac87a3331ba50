using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;
using ResumableUploads.UnitTests.Engine.Expiration;

namespace ResumableUploads.UnitTests.Stores.FileSystem;

public class FileSystemCheckTests : FileSystemStoreTest
{
    [Fact]
    public async Task Check_creates_the_directories_and_leaves_them_empty()
    {
        FileSystemUploadStore store = NewStore();

        await store.CheckAsync(None);
        await store.CheckAsync(None);

        Assert.Equal(["quarantine", "temp", "trash", "uploads"], Directory.GetDirectories(StoreRoot).Select(Path.GetFileName).Order());
        Assert.Empty(Directory.GetDirectories(StoreRoot).SelectMany(Directory.GetFileSystemEntries));
    }

    [Fact]
    public async Task Check_with_missing_parent_names_it_and_does_not_create_it()
    {
        string parent = Path.Combine(Root, "missing");
        FileSystemUploadStore store = NewStore(directory: Path.Combine(parent, "uploads"));

        InvalidOperationException error = await Assert.ThrowsAsync<InvalidOperationException>(async () => await store.CheckAsync(None));
        Assert.Contains($"the parent directory '{parent}' does not exist", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<UploadStoreException>(() => CreateAsync(store));
        Assert.False(Directory.Exists(parent));
    }

    [Theory]
    [InlineData("create", "creating a file in it failed (Read-only file system)", 30)]
    [InlineData("write", "writing to a file in it failed (Input/output error)", 5)]
    [InlineData("sync", "syncing a file in it failed (Input/output error)", 5)]
    [InlineData("rename", "renaming a file in it failed (Permission denied)", 13)]
    [InlineData("rename-directory", "renaming a directory in it failed (Invalid cross-device link)", 18)]
    [InlineData("sync-directory", "syncing a directory in it failed (Input/output error)", 5)]
    public async Task Check_with_a_failing_step_names_the_step(string step, string words, int error)
    {
        FileSystemUploadStore store = NewStore();
        await store.CheckAsync(None);
        Files.Before = (name, path) =>
        {
            if (name == step)
            {
                throw FaultyFiles.Error(error);
            }
        };

        InvalidOperationException thrown = await Assert.ThrowsAsync<InvalidOperationException>(async () => await store.CheckAsync(None));

        Assert.StartsWith($"The upload directory '{StoreRoot}' cannot be used: {words}. Set ResumableUploads:Directory (without AddResumableUploads(): options.Directory) to another directory", thrown.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(StoreRoot).SelectMany(Directory.GetFileSystemEntries));
    }

    [Fact]
    public async Task Check_succeeds_although_another_process_empties_the_trash()
    {
        FileSystemUploadStore store = NewStore(files: new EmptiedTrashFileLayer());

        await store.CheckAsync(None);

        Assert.Empty(Directory.GetDirectories(StoreRoot).SelectMany(Directory.GetFileSystemEntries));
        Assert.DoesNotContain(Logs.Lines, static line => line.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task Clean_up_after_a_jump_of_the_clock_keeps_running_creations()
    {
        var time = new JumpingTimeProvider();
        var store = new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = StoreRoot }, time, Logs, Files);
        await store.CheckAsync(None);
        string creation = Path.Combine(StoreRoot, "temp", "creation");
        Directory.CreateDirectory(creation);
        Directory.SetLastWriteTimeUtc(creation, time.GetUtcNow().UtcDateTime);
        time.Error = TimeSpan.FromDays(1);
        await store.CleanUpAsync(None);
        Assert.True(Directory.Exists(creation));
        time.Advance(TimeSpan.FromHours(1));
        await store.CleanUpAsync(None);
        Assert.False(Directory.Exists(creation));
    }

    [Fact]
    public async Task Check_without_file_locks_fails()
    {
        FileSystemUploadStore store = NewStore(files: new LocklessFileLayer());

        InvalidOperationException thrown = await Assert.ThrowsAsync<InvalidOperationException>(async () => await store.CheckAsync(None));

        Assert.Contains("locking a file in it failed", thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("create", 28)]
    [InlineData("write", 28)]
    [InlineData("write", 122)]
    [InlineData("create-directory", 28)]
    [InlineData("sync", 28)]
    public async Task Check_on_a_full_disk_logs_an_error_and_succeeds(string step, int error)
    {
        FileSystemUploadStore store = NewStore();
        await store.CheckAsync(None);
        Files.Before = (name, path) =>
        {
            if (name == step)
            {
                throw FaultyFiles.Error(error);
            }
        };

        await store.CheckAsync(None);

        Assert.Contains(Logs.Lines, static line => line is { Level: LogLevel.Error, Id: 113 });
        Assert.Empty(Directory.GetDirectories(StoreRoot).SelectMany(Directory.GetFileSystemEntries));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData((1024 * 1024 * 1024) - 1, true)]
    [InlineData(1024 * 1024 * 1024, false)]
    public async Task Check_with_little_free_space_logs_a_warning(long free, bool isLogged)
    {
        FileSystemUploadStore store = NewStore(files: new SmallDiskFileLayer { Free = free });
        await store.CheckAsync(None);
        Assert.Equal(isLogged, Logs.Lines.Any(line => line is { Level: LogLevel.Warning, Id: 111 }));
    }

    [Fact]
    public void Constructor_with_invalid_options_throws()
    {
        Assert.Throws<ArgumentException>(() => new FileSystemUploadStore(new FileSystemUploadStoreOptions()));
        Assert.Throws<ArgumentException>(() => new FileSystemUploadStore(new() { Directory = Root, SyncSize = 0 }));
        Assert.Throws<ArgumentException>(() => new FileSystemUploadStore(new() { Directory = Root, SyncInterval = TimeSpan.Zero }));
        Assert.Throws<ArgumentException>(() => new FileSystemUploadStore(new() { Directory = Root, Durability = (Durability)7 }));
    }

    private sealed class EmptiedTrashFileLayer : DelegatingFileLayer
    {
        public override bool RenameDirectory(string from, string to)
        {
            bool isRenamed = base.RenameDirectory(from, to);
            if (to.Contains($"{Path.DirectorySeparatorChar}trash{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            {
                Directory.Delete(to, recursive: true);
            }

            return isRenamed;
        }
    }

    private sealed class LocklessFileLayer : DelegatingFileLayer
    {
        public override OpenFile? TryLock(string path) => OpenWrite(path);
    }

    private sealed class SmallDiskFileLayer : DelegatingFileLayer
    {
        public long Free { get; init; }

        public override long GetAvailableFreeSpace(string path) => Free;
    }
}
