using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Faults;

/// <summary>The repair of an append whose process was killed fails. A repair that is repeated proves nothing: the kernel may have dropped the bytes.</summary>
public sealed class FailedRepairTests : FileSystemStoreTest
{
    private const int InputOutputError = 5;

    [Theory]
    [InlineData("sync", false)]
    [InlineData("sync", true)]
    [InlineData("write", false)]
    [InlineData("write", true)]
    public async Task Bytes_that_a_repair_could_not_sync_are_cut_off(string step, bool failsToTruncate)
    {
        await AppendAndDieAsync();
        string data = TheFile(".data");
        var disk = new FaultyFiles();
        bool hasFailed = false;
        bool isTruncated = false;
        disk.Before = (name, path) =>
        {
            if (path != data)
            {
                return;
            }

            if (!hasFailed && name == step)
            {
                hasFailed = true;
                DropPages(data);
                throw FaultyFiles.Error(InputOutputError);
            }

            if (name == "truncate" && !isTruncated)
            {
                isTruncated = true;
                if (failsToTruncate)
                {
                    throw FaultyFiles.Error(InputOutputError);
                }
            }
        };
        FileSystemUploadStore next = NewStore(files: disk);

        Assert.Equal(10, (await GetAsync(next)).Offset);
        Assert.True(hasFailed);
        Assert.Equal(10, (await GetAsync(next)).Offset);
        Assert.Equal(Bytes(10), await ReadAsync(next));
        Assert.Equal(15, (await AppendAsync(next, 10, Bytes(5, seed: 3))).Offset);
        Assert.Equal((byte[])[.. Bytes(10), .. Bytes(5, seed: 3)], await ReadAsync(next));
    }

    [Fact]
    public async Task Append_after_a_failed_repair_reports_the_durable_offset()
    {
        await AppendAndDieAsync();
        var disk = new FaultyFiles();
        bool hasFailed = false;
        disk.Before = (name, path) =>
        {
            if (!hasFailed && name == "sync" && path.EndsWith(".data", StringComparison.Ordinal))
            {
                hasFailed = true;
                DropPages(path);
                throw FaultyFiles.Error(InputOutputError);
            }
        };
        FileSystemUploadStore next = NewStore(files: disk);

        UploadStoreException error = await Assert.ThrowsAsync<UploadStoreException>(() => AppendAsync(next, 20, Bytes(5)));

        Assert.Equal(10, error.DurableOffset);
        Assert.Equal((AppendStatus.OffsetMismatch, 10), await AppendAtAsync(next, 20));
    }

    /// <summary>A truncation was not synced, and a power loss has reverted it after the offset was frozen.</summary>
    [Theory]
    [InlineData(Durability.PowerLoss)]
    [InlineData(Durability.ProcessCrash)]
    public async Task Move_cuts_off_bytes_that_never_counted(Durability durability)
    {
        FileSystemUploadStore store = NewStore(durability);
        await ReceiveAsync(store, Bytes(100));
        using (FileStream data = File.Open(TheFile(".data"), FileMode.Append))
        {
            data.Write(Bytes(7, seed: 2));
        }

        string target = Path.Combine(Root, "target.bin");
        Assert.Equal(new MoveResult(MoveStatus.Moved, target), await store.MoveAsync(target, false, None));
        Assert.Equal(Bytes(100), File.ReadAllBytes(target));
    }

    [Fact]
    public async Task Move_of_content_that_has_lost_bytes_fails()
    {
        FileSystemUploadStore store = NewStore();
        await ReceiveAsync(store, Bytes(100));
        using (FileStream data = File.OpenWrite(TheFile(".data")))
        {
            data.SetLength(99);
        }

        UploadStoreException error = await Assert.ThrowsAsync<UploadStoreException>(
            async () => await store.MoveAsync(Path.Combine(Root, "target.bin"), false, None));
        Assert.Equal(StoreFailure.Corrupt, error.Failure);
    }

    private static async Task<(AppendStatus Status, long Offset)> AppendAtAsync(FileSystemUploadStore store, long offset)
    {
        AppendResult result = await AppendAsync(store, offset, Bytes(5));
        return (result.Status, result.Offset);
    }

    /// <summary>Overwrites the bytes behind the durable offset, as if pages that were never written had been read from the disk again.</summary>
    private static void DropPages(string path)
    {
        using FileStream data = File.Open(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        data.Position = 10;
        data.Write(new byte[data.Length - 10]);
    }

    /// <summary>Appends 10 bytes, and 10 more whose process is killed before their sync.</summary>
    private async Task AppendAndDieAsync()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(10));
        Files.Before = static (step, path) =>
        {
            if (step == "sync" && path.EndsWith(".data", StringComparison.Ordinal))
            {
                throw new ProcessDied();
            }
        };
        await Assert.ThrowsAsync<ProcessDied>(() => AppendAsync(store, 10, Bytes(10, seed: 2)));
    }
}
