using System.Collections.Concurrent;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.DeferredSync;

/// <summary>Updates of records that become durable with a later change.</summary>
public sealed class DeferredUpdateTests : DeferredSyncTest
{
    [Fact]
    public async Task Deferred_update_is_visible_at_once_and_makes_no_sync()
    {
        UploadInfo updated = await ReceiveDeferredAsync();
        Assert.Empty(Syncs);
        Assert.Equal((UploadState.Received, 100L), (updated.State, updated.Offset));

        UploadInfo? read = await Store.GetUnsyncedAsync(Key, None);
        Assert.Equal((updated.Version, UploadState.Received, 100L), (read!.Version, read.State, read.Offset));
        Assert.Equal(new byte[] { 1 }, read.Record.Data.ToArray());
        Assert.Equal(Bytes(100), await ReadAsync(Store));
        Assert.Empty(Syncs);
        Assert.Null(await Store.GetUnsyncedAsync(new UploadKey("owner", "missing"), None));
    }

    [Fact]
    public async Task Get_makes_a_deferred_update_durable_once()
    {
        UploadInfo updated = await ReceiveDeferredAsync();
        Assert.Equal(updated.Version, (await GetAsync(Store)).Version);
        Assert.Equal(RecordAndAncestors, Syncs);
        Assert.Single(Groups);

        Clear();
        await GetAsync(Store);
        Assert.Empty(Syncs);
    }

    [Fact]
    public async Task Get_makes_a_deferred_update_durable_on_threads_of_the_store()
    {
        await ReceiveDeferredAsync();
        var threads = new ConcurrentQueue<string?>();
        Disk.Before = (step, _) =>
        {
            if (step is "sync" or "sync-directory")
            {
                threads.Enqueue(Thread.CurrentThread.Name);
            }
        };
        await GetAsync(Store);
        Assert.Equal(RecordAndAncestors.Length, threads.Count);
        Assert.All(threads, static name => Assert.Equal("Upload store", name));
    }

    [Fact]
    public async Task List_and_get_response_make_a_deferred_update_durable()
    {
        await ReceiveDeferredAsync();
        Assert.Single(await Store.ListAsync(new UploadQuery(), None).ToListAsync(None));
        Assert.Equal(RecordAndAncestors, Syncs);

        Clear();
        await UpdateDeferredAsync(await GetAsync(Store), data: 2);
        Assert.Null(await GetResponseAsync());
        Assert.Equal(RecordAndAncestors, Syncs);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Next_durable_change_makes_deferred_ones_durable_in_one_step(int count)
    {
        UploadInfo info = await ReceiveDeferredAsync();
        for (int i = 1; i < count; i++)
        {
            info = await UpdateDeferredAsync(info, (byte)(i + 1));
        }

        Assert.Empty(Syncs);
        Assert.NotEmpty(ExtraFiles);
        UpdateResult result = await Store.UpdateAsync(Key, info.Version, Received(9), None);
        Assert.Equal(ChangeStatus.Succeeded, result.Status);
        Assert.Equal(RecordAndAncestors, Assert.Single(Groups));
        Assert.Equal(RecordAndAncestors, Syncs);
        Assert.Empty(ExtraFiles);

        Clear();
        Assert.Equal(result.Info!.Version, (await GetAsync(Store)).Version);
        Assert.Empty(Syncs);
    }

    [Fact]
    public async Task Change_after_a_durable_one_syncs_only_the_record_and_its_directory()
    {
        UploadInfo info = await ReceiveDeferredAsync();
        info = await CompleteAsync(info, Bytes(10));
        Clear();
        await Store.UpdateAsync(Key, info.Version, Completed, None);
        Assert.Equal(["owner/up/upload-1", "owner/up/upload-1/record"], Assert.Single(Groups));
    }

    [Fact]
    public async Task Record_before_the_deferred_changes_is_kept_until_they_are_durable()
    {
        await CreateAsync(Store);
        await AppendAsync(Store, 0, Bytes(100));
        UploadInfo durable = await GetAsync(Store);
        UploadInfo info = await UpdateDeferredAsync(durable);
        await UpdateDeferredAsync(info, data: 2);

        // A power loss leaves torn files under the names of the deferred changes.
        File.WriteAllBytes(RecordPath, []);
        File.WriteAllBytes(RecordPath + ".next", []);
        Assert.Equal((durable.Version, UploadState.Receiving), ((await GetAsync(Store)).Version, (await GetAsync(Store)).State));
        Assert.Empty(ExtraFiles);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Change_with_a_stale_version_or_of_a_missing_upload_changes_nothing(bool completes)
    {
        Assert.Equal(ChangeStatus.NotFound, await ChangeAsync("none"));
        UploadInfo info = await ReceiveDeferredAsync();
        Clear();
        Assert.Equal(ChangeStatus.VersionMismatch, await ChangeAsync(info.Version + "x"));
        Assert.Empty(Syncs);
        await ShouldBeUnchangedAsync(info);

        async Task<ChangeStatus> ChangeAsync(string version) => (await (completes
            ? Store.CompleteAsync(Key, version, Completed, Bytes(20), None)
            : Store.UpdateDeferredAsync(Key, version, Completed, None))).Status;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Change_during_an_append_returns_Busy_and_changes_nothing(bool completes)
    {
        UploadInfo info = await CreateAsync(Store);
        var content = new FedContent();
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Disk.After = (step, _) =>
        {
            if (step == "write")
            {
                written.TrySetResult();
            }
        };
        Task<AppendResult> append = Store.AppendAsync(Key, 0, content, AppendMode.KeepPartial, None).AsTask();
        await content.FeedAsync(Bytes(10));
        await written.Task.WaitAsync(TestTimeout, None);
        UpdateResult result = await (completes
            ? Store.CompleteAsync(Key, info.Version, Completed, Bytes(20), None)
            : Store.UpdateDeferredAsync(Key, info.Version, Completed, None));
        Assert.Equal(new UpdateResult(ChangeStatus.Busy, null), result);
        content.End();
        Assert.Equal(10, (await append.WaitAsync(TestTimeout, None)).Offset);
        Assert.Equal(UploadState.Receiving, (await GetAsync(Store)).State);
        Assert.Null(await GetResponseAsync());
    }

    [Theory]
    [InlineData("record.json")]
    [InlineData("upload-1")]
    public async Task Failed_sync_of_a_change_restores_the_record_before_it(string failing)
    {
        UploadInfo before = await ReceiveAsync(Store, Bytes(100));
        FailSync(failing);
        await Assert.ThrowsAsync<UploadStoreException>(async () => await Store.UpdateAsync(Key, before.Version, Completed, None));
        Disk.Before = null;
        Clear();
        UploadInfo after = await GetAsync(Store);
        Assert.Equal((before.Version, UploadState.Received), (after.Version, after.State));

        // The name of the new record may have reached the disk, so that of the old one must be made durable again.
        Assert.Equal(RecordAndAncestors, Syncs);
        Assert.Empty(ExtraFiles);
        Assert.Equal(ChangeStatus.Succeeded, (await Store.UpdateAsync(Key, after.Version, Completed, None)).Status);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(1, true)]
    public async Task Failed_sync_after_deferred_updates_restores_the_deferred_record(int count, bool completes)
    {
        UploadInfo info = await CreateAsync(Store);
        for (int i = 0; i < count; i++)
        {
            info = await UpdateDeferredAsync(info, (byte)(i + 1));
        }

        FailSync("record.json");
        await Assert.ThrowsAsync<UploadStoreException>(async () => await (completes
            ? Store.CompleteAsync(Key, info.Version, Completed, Bytes(10), None)
            : Store.UpdateAsync(Key, info.Version, Completed, None)));
        Disk.Before = null;
        UploadInfo after = await GetAsync(Store);
        Assert.Equal((info.Version, UploadState.Received), (after.Version, after.State));
        Assert.Null(await GetResponseAsync());
        await CompleteAsync(after, Bytes(20));
        Assert.Empty(ExtraFiles);
        Assert.Equal(Bytes(20), await GetResponseAsync(NewStore()));
    }

    [Fact]
    public async Task Get_reports_no_deferred_update_whose_sync_fails()
    {
        UploadInfo updated = await ReceiveDeferredAsync();
        FailSync("record.json");
        await Assert.ThrowsAsync<UploadStoreException>(async () => await GetAsync(Store));
        Assert.Equal(updated.Version, (await Store.GetUnsyncedAsync(Key, None))!.Version);

        // A second sync of the same file would succeed without any effect.
        ulong file = FileLayer.Default.Stat(RecordPath)!.Value.Inode;
        Disk.Before = null;
        Clear();
        Assert.Equal(updated.Version, (await GetAsync(Store)).Version);
        Assert.NotEqual(file, FileLayer.Default.Stat(RecordPath)!.Value.Inode);
        Assert.Equal(RecordAndAncestors, Syncs);
        Assert.Empty(ExtraFiles);
        Assert.Equal(updated.Version, (await GetAsync(NewStore())).Version);
    }

    [Fact]
    public async Task Deferred_update_syncs_on_a_thread_of_the_store_where_names_cannot_be_exchanged()
    {
        var threads = new ConcurrentQueue<string?>();
        var files = new NoExchangeFiles { Before = (step, _) => Record(step) };
        FileSystemUploadStore store = NewStore(files: files);
        UploadInfo info = await CreateAsync(store);
        threads.Clear();
        UpdateResult result = await store.UpdateDeferredAsync(Key, info.Version, Received(1), None);
        Assert.Equal(ChangeStatus.Succeeded, result.Status);
        Assert.Equal("Upload store", Assert.Single(threads));
        Assert.Equal(result.Info!.Version, (await GetAsync(store)).Version);

        void Record(string step)
        {
            if (step is "replace" or "sync")
            {
                threads.Enqueue(Thread.CurrentThread.Name);
            }
        }
    }

    [Fact]
    public async Task Deferred_update_survives_the_death_of_the_process()
    {
        UploadInfo updated = await ReceiveDeferredAsync();
        Assert.Equal(updated.Version, (await GetAsync(NewStore())).Version);
    }

    [Fact]
    public async Task ProcessCrash_durability_never_syncs()
    {
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash, Disk);
        UploadInfo info = await CreateAsync(store);
        info = (await store.UpdateDeferredAsync(Key, info.Version, Received(1), None)).Info!;
        Assert.Equal(ChangeStatus.Succeeded, (await store.CompleteAsync(Key, info.Version, Completed, Bytes(10), None)).Status);
        Assert.Equal(UploadState.Completed, (await GetAsync(store)).State);
        Assert.Equal(Bytes(10), await GetResponseAsync(store));
        Assert.Empty(Syncs);
    }

    private async Task ShouldBeUnchangedAsync(UploadInfo info)
    {
        Assert.Equal(info.Version, (await GetAsync(Store)).Version);
        Assert.Equal(UploadState.Received, (await GetAsync(Store)).State);
        Assert.Null(await GetResponseAsync());
    }

    private void FailSync(string name) => Disk.Before = (step, path) =>
    {
        if (step.StartsWith("sync", StringComparison.Ordinal) && Path.GetFileName(path).StartsWith(name, StringComparison.Ordinal))
        {
            throw FaultyFiles.Error(5);
        }
    };

    /// <summary>A file system like NFS. A replaced file is synced before it is renamed.</summary>
    private sealed class NoExchangeFiles : FaultyFiles
    {
        public override bool CanExchangeNames => false;

        public override ReplacedFile? ReplaceFile(in FileReplacement replacement, ReadOnlySpan<byte> content) => base.ReplaceFile(
            replacement.Mode == FileReplacementMode.Exchange ? replacement with { Mode = FileReplacementMode.SyncFirst } : replacement, content);
    }
}
