using System.Diagnostics;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FaultTests.Crashes.Disks;

/// <summary>The store on small file systems of its own, which only root can mount.</summary>
public class FileSystemDiskTests : FileSystemStoreTest
{
    private readonly string _disk;
    private bool _mounted;

    public FileSystemDiskTests()
    {
        _disk = Path.Combine(Root, "disk");
        Directory.CreateDirectory(_disk);
    }

    public override void Dispose()
    {
        if (_mounted)
        {
            Run("umount", _disk);
        }

        base.Dispose();
    }

    [Theory]
    [InlineData(Durability.PowerLoss)]
    [InlineData(Durability.ProcessCrash)]
    public async Task Full_disk_keeps_written_bytes_and_upload_resumes_when_space_is_freed(Durability durability)
    {
        Mount("size=16m");
        FileSystemUploadStore store = NewStore(durability, directory: Path.Combine(_disk, "store"), syncSize: 1024 * 1024);
        await CreateAsync(store);
        byte[] ballast = new byte[4 * 1024 * 1024];
        await File.WriteAllBytesAsync(Path.Combine(_disk, "ballast"), ballast, None);
        byte[] bytes = Bytes(15 * 1024 * 1024);
        var content = new FedContent();
        for (int i = 0; i < bytes.Length; i += 100_000)
        {
            await content.FeedAsync(bytes[i..Math.Min(bytes.Length, i + 100_000)]);
        }

        content.End();
        UploadStoreException error = await Assert.ThrowsAsync<UploadStoreException>(
            async () => await store.AppendAsync(Key, 0, content, AppendMode.KeepPartial, None));

        Assert.Equal(StoreFailure.Full, error.Failure);
        long offset = (await GetAsync(store)).Offset;
        Assert.Equal(error.DurableOffset, offset);
        Assert.InRange(offset, 8 * 1024 * 1024, 13 * 1024 * 1024);
        Assert.Equal(bytes[..(int)offset], await ReadAsync(store));
        Assert.Equal(StoreFailure.Full, (await Assert.ThrowsAsync<UploadStoreException>(() => AppendAsync(store, offset, Bytes(9)))).Failure);

        File.Delete(Path.Combine(_disk, "ballast"));
        Assert.Equal(bytes.Length, (await AppendAsync(store, offset, bytes[(int)offset..])).Offset);
        Assert.Equal(bytes, await ReadAsync(store));
    }

    [Fact]
    public async Task Full_disk_during_staging_leaves_the_upload_unchanged()
    {
        Mount("size=2m");
        FileSystemUploadStore store = NewStore(directory: Path.Combine(_disk, "store"));
        await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(10));
        UploadInfo before = await GetAsync(store);

        UploadStoreException error = await Assert.ThrowsAsync<UploadStoreException>(
            () => AppendAsync(store, 10, Bytes(3 * 1024 * 1024), AppendMode.AllOrNothing));

        Assert.Equal((StoreFailure.Full, 10), (error.Failure, error.DurableOffset));
        Assert.Equal(before.Version, (await GetAsync(store)).Version);
        Assert.Equal(AppendStatus.Appended, (await AppendAsync(store, 10, Bytes(1024 * 1024))).Status);
    }

    [Fact]
    public async Task Creation_on_full_disk_reports_full_storage()
    {
        Mount("size=64k");
        FileSystemUploadStore store = NewStore(directory: Path.Combine(_disk, "store"));
        UploadStoreException? error = null;
        for (int i = 0; i < 20 && error is null; i++)
        {
            try
            {
                await CreateAsync(store, new UploadKey("owner", "u" + i));
            }
            catch (UploadStoreException e)
            {
                error = e;
            }
        }

        Assert.Equal(StoreFailure.Full, error?.Failure);
        Assert.Empty(Halves(Path.Combine(_disk, "store")));
    }

    [Fact]
    public async Task Read_only_disk_allows_reads_and_fails_changes()
    {
        Mount("size=4m");
        FileSystemUploadStore store = NewStore(directory: Path.Combine(_disk, "store"));
        await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(10));
        Assert.Equal(0, Run("mount", "-o", "remount,ro", _disk));

        UploadInfo info = await GetAsync(store);
        Assert.Equal(10, info.Offset);
        Assert.Equal(Bytes(10), await ReadAsync(store));
        Assert.Single(await store.ListAsync(new UploadQuery(), None).ToListAsync(None));
        await store.CleanUpAsync(None);
        foreach (Func<Task> change in (Func<Task>[])
        [
            () => AppendAsync(store, 10, Bytes(1)),
            () => CreateAsync(store, new UploadKey("owner", "second")),
            () => store.UpdateAsync(Key, info.Version, info.Record, None).AsTask(),
            () => store.CompleteAsync(Key, new byte[1]),
            () => store.CompleteAsync(Key, new byte[100_000]),
            () => store.DeleteAsync(Key, null, None).AsTask(),
        ])
        {
            Assert.Equal(StoreFailure.ReadOnly, (await Assert.ThrowsAsync<UploadStoreException>(change)).Failure);
        }

        InvalidOperationException check = await Assert.ThrowsAsync<InvalidOperationException>(async () => await store.CheckAsync(None));
        Assert.Contains("creating a directory in it failed (Read-only file system)", check.Message, StringComparison.Ordinal);
        FileSystemUploadStore fresh = NewStore(directory: Path.Combine(_disk, "other"));
        check = await Assert.ThrowsAsync<InvalidOperationException>(async () => await fresh.CheckAsync(None));
        Assert.Contains("creating it failed (Read-only file system)", check.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_only_disk_reports_only_the_durable_offset()
    {
        Mount("size=4m");
        FileSystemUploadStore store = NewStore(directory: Path.Combine(_disk, "store"));
        await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(10));
        string data = Directory.EnumerateFiles(_disk, "*.data", SearchOption.AllDirectories).Single();
        await File.AppendAllTextAsync(data, "not synced", None);
        Assert.Equal(0, Run("mount", "-o", "remount,ro", _disk));

        Assert.Equal(10, (await GetAsync(store)).Offset);

        Assert.Equal(0, Run("mount", "-o", "remount,rw", _disk));
        Assert.Equal(20, (await GetAsync(store)).Offset);
    }

    private static int Run(string command, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return -1;
        }
    }

    private void Mount(string options)
    {
        if (!OperatingSystem.IsLinux() || Run("mount", "-t", "tmpfs", "-o", options, "tmpfs", _disk) != 0)
        {
            Assert.Skip("Mounting a file system requires root.");
        }

        _mounted = true;
    }
}
