using System.Buffers;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Deleting;

/// <summary>Uploads that were created as completed have no lock file, and the disk has no space for one.</summary>
public sealed class FullDiskDeleteTests : FileSystemStoreTest
{
    private static readonly UploadRecord Completed = new() { State = UploadState.Completed, Length = 5 };

    [Fact]
    public async Task Completed_upload_is_deleted_without_creating_a_file()
    {
        FileSystemUploadStore store = NewStore();
        UploadInfo info = await CreateCompletedAsync(store);
        FillDisk();

        Assert.Equal(ChangeStatus.VersionMismatch, (await store.DeleteAsync(Key, info.Version + "0", None)).Status);
        Assert.Equal(info.Version, (await GetAsync(store)).Version);
        Assert.Equal(ChangeStatus.Succeeded, (await store.DeleteAsync(Key, info.Version, None)).Status);

        Assert.False(Directory.Exists(UploadDirectory));
        Assert.Empty(Halves(StoreRoot));
    }

    [Fact]
    public async Task Change_of_another_process_before_the_rename_is_kept()
    {
        FileSystemUploadStore store = NewStore();
        FileSystemUploadStore other = NewStore(files: new FaultyFiles());
        UploadInfo info = await CreateCompletedAsync(store);
        UpdateResult updated = default;
        FillDisk(() => updated = other.UpdateAsync(Key, info.Version, info.Record, CancellationToken.None).AsTask().GetAwaiter().GetResult());

        Assert.Equal(ChangeStatus.Busy, (await store.DeleteAsync(Key, info.Version, None)).Status);

        Assert.Equal(ChangeStatus.Succeeded, updated.Status);
        Assert.Equal(updated.Info!.Version, (await GetAsync(store)).Version);
        Assert.Empty(Halves(StoreRoot));
    }

    [Fact]
    public async Task Next_upload_with_the_key_is_kept()
    {
        FileSystemUploadStore store = NewStore();
        FileSystemUploadStore other = NewStore(files: new FaultyFiles());
        UploadInfo info = await CreateCompletedAsync(store);
        UploadInfo? next = null;
        FillDisk(() =>
        {
            other.DeleteAsync(Key, null, CancellationToken.None).AsTask().GetAwaiter().GetResult();
            next = CreateCompletedAsync(other).GetAwaiter().GetResult();
        });

        Assert.Equal(ChangeStatus.VersionMismatch, (await store.DeleteAsync(Key, info.Version, None)).Status);

        Assert.Equal(next!.Version, (await GetAsync(store)).Version);
        Assert.Empty(Halves(StoreRoot));
    }

    private static async Task<UploadInfo> CreateCompletedAsync(FileSystemUploadStore store) =>
        (await store.CreateCompletedAsync(Key, Completed, new ReadOnlySequence<byte>(Bytes(5)), CancellationToken.None)).Info!;

    private void FillDisk(Action? beforeRename = null) => Files.Before = (step, path) =>
    {
        if (step == "create")
        {
            throw FaultyFiles.Error(NativeMethods.ENOSPC);
        }

        if (step == "rename-directory" && beforeRename is not null)
        {
            Action run = beforeRename;
            beforeRename = null;
            run();
        }
    };
}
