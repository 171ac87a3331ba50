using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.DeferredSync;

/// <summary>A process reads a record that another one has written, but not synced.</summary>
public sealed class UnsyncedRecordTests : DeferredSyncTest
{
    private const int NoSpace = 28;
    private const int ReadOnly = 30;

    private readonly LockingFiles _otherFiles = new();
    private readonly FileSystemUploadStore _other;

    public UnsyncedRecordTests() => _other = NewStore(files: _otherFiles);

    [Theory]
    [InlineData("replace", NoSpace)]
    [InlineData("lock", ReadOnly)]
    public async Task Get_works_on_a_disk_that_is_full_or_read_only(string step, int error)
    {
        UploadInfo updated = await ReceiveDeferredAsync();
        Fail(step, error);
        Assert.Equal(updated.Version, (await GetAsync(_other)).Version);
        Assert.Empty(ExtraFiles.Except(["record.json.tmp"]));
    }

    [Theory]
    [InlineData("replace", NoSpace)]
    [InlineData("lock", ReadOnly)]
    public async Task List_works_on_a_disk_that_is_full_or_read_only(string step, int error)
    {
        UploadInfo updated = await ReceiveDeferredAsync();
        Fail(step, error);
        Assert.Equal(updated.Version, Assert.Single(await _other.ListAsync(new UploadQuery(), None).ToListAsync(None)).Version);
    }

    [Fact]
    public async Task Delete_with_a_version_works_on_a_full_disk()
    {
        UploadInfo updated = await ReceiveDeferredAsync();
        Fail("replace", NoSpace);
        Assert.Equal(ChangeStatus.Succeeded, (await _other.DeleteAsync(Key, updated.Version, None)).Status);
        Assert.False(Directory.Exists(UploadDirectory));
    }

    [Fact]
    public async Task Delete_with_a_version_makes_only_the_deletion_durable()
    {
        UploadInfo updated = await ReceiveDeferredAsync();
        Clear();
        Assert.Equal(ChangeStatus.Succeeded, (await Store.DeleteAsync(Key, updated.Version, None)).Status);
        Assert.Equal("owner/up", Assert.Single(Syncs));
    }

    [Fact]
    public async Task Get_fails_if_the_record_that_was_written_again_cannot_be_synced()
    {
        await ReceiveDeferredAsync();
        bool fails = true;
        _otherFiles.Before = (step, _) =>
        {
            if (step == "sync" && fails)
            {
                fails = false;
                throw FaultyFiles.Error(NoSpace);
            }
        };
        await Assert.ThrowsAsync<UploadStoreException>(async () => await GetAsync(_other));
    }

    [Fact]
    public async Task Get_returns_null_if_the_upload_is_deleted_before_it_is_locked()
    {
        await ReceiveDeferredAsync();
        _otherFiles.Before = (step, _) => DeleteAt("lock", step);
        Assert.Null(await _other.GetAsync(Key, None));
    }

    [Fact]
    public async Task Get_returns_null_if_the_upload_is_deleted_while_its_record_is_written_again()
    {
        await UpdateDeferredAsync(await ReceiveDeferredAsync(), data: 2);
        _otherFiles.After = (step, _) => DeleteAt("replace", step);
        Assert.Null(await _other.GetAsync(Key, None));
    }

    /// <summary>A sync of the file itself would succeed without any effect if a sync of it has failed before.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Record_that_changes_before_it_is_locked_is_written_again(bool appends)
    {
        await CreateAsync(Store);
        await File.WriteAllBytesAsync(TheFile(".data"), Bytes(10), None);
        string? version = null;
        ulong file = 0;
        _otherFiles.Before = (step, path) =>
        {
            // A call that needs a thread of the store starts again on it.
            if (step == "lock" && Path.GetDirectoryName(path) == UploadDirectory && Thread.CurrentThread.Name == "Upload store" && version is null)
            {
                version = "";
                version = UpdateAsync().GetAwaiter().GetResult();
                file = FileLayer.Default.Stat(RecordPath)!.Value.Inode;
            }
        };
        if (appends)
        {
            Assert.Equal(AppendStatus.Appended, (await AppendAsync(_other, 10, [])).Status);
        }

        UploadInfo read = await GetAsync(_other);
        Assert.Equal(version, read.Version);
        Assert.NotEqual(file, FileLayer.Default.Stat(RecordPath)!.Value.Inode);

        async Task<string> UpdateAsync()
        {
            UploadInfo info = await GetAsync(Store);
            UpdateResult result = await Store.UpdateDeferredAsync(Key, info.Version, info.Record with { Data = new byte[] { 1 } }, None);
            Assert.Equal(ChangeStatus.Succeeded, result.Status);
            return result.Info!.Version;
        }
    }

    private void Fail(string failing, int error) => _otherFiles.Before = (step, _) =>
    {
        if (step == failing)
        {
            throw FaultyFiles.Error(error);
        }
    };

    private void DeleteAt(string expected, string step)
    {
        if (step == expected)
        {
            Store.DeleteAsync(Key, null, None).AsTask().GetAwaiter().GetResult();
        }
    }

    private sealed class LockingFiles : FaultyFiles
    {
        public override OpenFile? TryLock(string path)
        {
            Before?.Invoke("lock", path);
            return base.TryLock(path);
        }
    }
}
