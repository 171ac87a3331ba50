using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.DeferredSync;

/// <summary>A process dies, or a disk fails, during a change of a record, and a power loss follows after further changes.</summary>
public sealed class InterruptedChangeTests : DeferredSyncTest
{
    private readonly List<byte[]> _durable = [];

    [Fact]
    public async Task Part_of_a_record_that_a_killed_process_has_left_is_not_the_last_durable_one()
    {
        UploadInfo info = await CreateCompletedDeferredAsync(Bytes(10));
        AddDurableRecord();
        File.WriteAllText(RecordPath + ".tmp", "{\"format\":1,");
        for (byte i = 1; i <= 3; i++)
        {
            await UpdateDeferredAsync((await Store.GetUnsyncedAsync(Key, None))!, i);
            ShouldHaveDurableRecord();
        }

        LosePower();
        Assert.Equal(info.Version, (await GetAsync(NewStore())).Version);
    }

    [Fact]
    public async Task Record_whose_sync_has_failed_is_not_the_last_durable_one()
    {
        UploadInfo before = await ReceiveAsync(Store, Bytes(10));
        AddDurableRecord();
        Disk.Before = static (step, path) =>
        {
            if (step == "sync" && path.Contains("record.json", StringComparison.Ordinal))
            {
                throw FaultyFiles.Error(5);
            }

            if (step == "delete" && path.EndsWith(".tmp", StringComparison.Ordinal))
            {
                throw new ProcessDied();
            }
        };
        await Assert.ThrowsAsync<ProcessDied>(async () => await Store.UpdateAsync(Key, before.Version, Completed, None));

        // The record may have reached the disk nevertheless.
        _durable.Add(File.ReadAllBytes(RecordPath + ".tmp"));
        FileSystemUploadStore next = NewStore();
        Assert.Equal(before.Version, (await next.GetUnsyncedAsync(Key, None))!.Version);
        Assert.Equal(ChangeStatus.Succeeded, (await next.UpdateDeferredAsync(Key, before.Version, Received(2), None)).Status);
        LosePower();
        Assert.Equal((before.Version, UploadState.Received), ((await GetAsync(next)).Version, (await GetAsync(next)).State));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Record_that_a_reader_has_reported_during_a_change_is_kept(int count)
    {
        await CreateAsync(Store);
        AddDurableRecord();
        UploadInfo reported = await UpdateDeferredAsync(await GetAsync(Store));
        FileSystemUploadStore next = NewStore();
        Disk.Before = (step, _) =>
        {
            if (step == "replace")
            {
                Assert.Equal(reported.Version, next.GetAsync(Key, CancellationToken.None).AsTask().GetAwaiter().GetResult()!.Version);
                AddDurableRecord();
            }
        };
        Disk.After = static (step, _) =>
        {
            if (step == "replace")
            {
                throw new ProcessDied();
            }
        };
        await Assert.ThrowsAsync<ProcessDied>(async () => await Store.UpdateAsync(Key, reported.Version, Received(2), None));

        for (byte i = 1; i <= count; i++)
        {
            UploadInfo info = (await next.GetUnsyncedAsync(Key, None))!;
            Assert.Equal(ChangeStatus.Succeeded, (await next.UpdateDeferredAsync(Key, info.Version, Received(i), None)).Status);
        }

        LosePower();
        Assert.Equal(reported.Version, (await GetAsync(next)).Version);
    }

    [Fact]
    public async Task Sync_that_has_failed_is_not_repeated_on_a_full_disk()
    {
        UploadInfo updated = await ReceiveDeferredAsync();
        var files = new FaultyFiles();
        FileSystemUploadStore other = NewStore(files: files);
        bool isBroken = true;
        files.Before = (step, path) =>
        {
            if (step == "replace" || (isBroken && step == "sync" && path.EndsWith("record.json", StringComparison.Ordinal)))
            {
                throw FaultyFiles.Error(step == "replace" ? 28 : 5);
            }
        };
        await Assert.ThrowsAsync<UploadStoreException>(async () => await GetAsync(other));

        // The system takes the pages for clean after the first failure.
        isBroken = false;
        await Assert.ThrowsAsync<UploadStoreException>(async () => await GetAsync(other));
        Assert.Equal(updated.Version, (await other.GetUnsyncedAsync(Key, None))!.Version);

        files.Before = null;
        ulong file = FileLayer.Default.Stat(RecordPath)!.Value.Inode;
        Assert.Equal(updated.Version, (await GetAsync(other)).Version);
        Assert.NotEqual(file, FileLayer.Default.Stat(RecordPath)!.Value.Inode);
    }

    [Theory]
    [InlineData("create")]
    [InlineData("sync")]
    [InlineData("kill")]
    public async Task Completion_that_fails_keeps_the_response_of_an_earlier_run(string failing)
    {
        UploadInfo info = await ReceiveAsync(Store, Bytes(100));
        info = (await Store.CompleteAsync(Key, info.Version, Completed, Bytes(20_000), None)).Info!;
        if (failing == "create")
        {
            // A directory with the name of the temporary file.
            Directory.CreateDirectory(RecordPath + ".tmp");
        }

        Disk.Before = (step, path) =>
        {
            if (failing == "sync" && step == "sync" && path.Contains("record.json", StringComparison.Ordinal))
            {
                throw FaultyFiles.Error(5);
            }

            if (failing == "kill" && step == "replace")
            {
                throw new ProcessDied();
            }
        };
        Assert.NotNull(await Record.ExceptionAsync(async () => await Store.CompleteAsync(Key, info.Version, Completed, Bytes(20, seed: 2), None)));
        if (failing == "create")
        {
            Directory.Delete(RecordPath + ".tmp");
        }

        FileSystemUploadStore next = NewStore();
        Assert.Equal(Bytes(20_000), await GetResponseAsync(next));
        Assert.Equal(info.Version, (await GetAsync(next)).Version);
        Assert.Equal(ChangeStatus.Succeeded, (await next.CompleteAsync(Key, info.Version, Completed, Bytes(30, seed: 3), None)).Status);
        Assert.Equal(Bytes(30, seed: 3), await GetResponseAsync(next));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Replacement_by_an_upload_of_another_durability_is_durable_with_its_path(bool isNewUnsynced)
    {
        FileSystemUploadStore unsynced = NewStore(Durability.ProcessCrash, new FaultyFiles());
        var newKey = new UploadKey("owner", "new");
        UploadInfo old = await CreateAsync(isNewUnsynced ? Store : unsynced);
        UploadInfo replacement = await CreateAsync(isNewUnsynced ? unsynced : Store, newKey);
        Clear();
        Assert.Equal(ChangeStatus.Succeeded, (await Store.ReplaceAsync(Key, old.Version, newKey, replacement.Version, None)).Status);
        Assert.Contains(Groups, static group => group.SequenceEqual(RecordAndAncestors));
    }

    private void AddDurableRecord() => _durable.Add(File.ReadAllBytes(RecordPath));

    private void ShouldHaveDurableRecord() =>
        Assert.Contains(Directory.GetFiles(UploadDirectory, "record.json*"), path => File.ReadAllBytes(path).AsSpan().SequenceEqual(_durable[^1]));

    /// <summary>Leaves empty files in place of the records that were not synced.</summary>
    private void LosePower()
    {
        foreach (string path in Directory.GetFiles(UploadDirectory, "record.json*"))
        {
            if (!_durable.Exists(bytes => File.ReadAllBytes(path).AsSpan().SequenceEqual(bytes)))
            {
                File.WriteAllBytes(path, []);
            }
        }
    }
}
