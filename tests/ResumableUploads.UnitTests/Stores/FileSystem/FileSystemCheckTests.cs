using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem;

public class FileSystemCheckTests : FileSystemStoreTest
{
    [Fact]
    public async Task A_good_directory_is_made_and_left_empty()
    {
        FileSystemUploadStore store = NewStore();

        await store.CheckAsync(None);
        await store.CheckAsync(None);

        Assert.Equal(["quarantine", "temp", "trash", "uploads"], Directory.GetDirectories(StoreRoot).Select(Path.GetFileName).Order());
        Assert.Empty(Directory.GetDirectories(StoreRoot).SelectMany(Directory.GetFileSystemEntries));
    }

    [Fact]
    public async Task A_parent_that_is_missing_is_named_and_not_made()
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
    public async Task The_step_that_fails_is_named(string step, string words, int error)
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

        Assert.StartsWith($"The upload directory '{StoreRoot}' cannot be used: {words}. Choose another with ", thrown.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(StoreRoot).SelectMany(Directory.GetFileSystemEntries));
    }

    [Fact]
    public async Task A_file_system_without_locks_is_refused()
    {
        FileSystemUploadStore store = NewStore(files: new Lockless());

        InvalidOperationException thrown = await Assert.ThrowsAsync<InvalidOperationException>(async () => await store.CheckAsync(None));

        Assert.Contains("locking a file in it failed", thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("create", 28)]
    [InlineData("write", 28)]
    [InlineData("write", 122)]
    [InlineData("create-directory", 28)]
    [InlineData("sync", 28)]
    public async Task A_full_disk_is_told_and_is_no_reason_not_to_start(string step, int error)
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
    public async Task Little_space_is_told(long free, bool told)
    {
        FileSystemUploadStore store = NewStore(files: new Small { Free = free });
        await store.CheckAsync(None);
        Assert.Equal(told, Logs.Lines.Any(line => line is { Level: LogLevel.Warning, Id: 111 }));
    }

    [Fact]
    public void Options_that_make_no_sense_are_refused_when_the_store_is_made()
    {
        Assert.Throws<ArgumentException>(() => new FileSystemUploadStore(new FileSystemUploadStoreOptions()));
        Assert.Throws<ArgumentException>(() => new FileSystemUploadStore(new() { Directory = Root, SyncSize = 0 }));
        Assert.Throws<ArgumentException>(() => new FileSystemUploadStore(new() { Directory = Root, SyncInterval = TimeSpan.Zero }));
        Assert.Throws<ArgumentException>(() => new FileSystemUploadStore(new() { Directory = Root, Durability = (Durability)7 }));
    }

    private sealed class Lockless : DelegatingFileLayer
    {
        public override OpenFile? TryLock(string path) => OpenWrite(path);
    }

    private sealed class Small : DelegatingFileLayer
    {
        public long Free { get; init; }

        public override long GetAvailableFreeSpace(string path) => Free;
    }
}
