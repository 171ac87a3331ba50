using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem;

public class FileSystemAppendTests : FileSystemStoreTest
{
    private const int InputOutputError = 5;

    [Fact]
    public async Task Append_with_a_failed_sync_rolls_back_to_the_durable_offset()
    {
        FileSystemUploadStore store = NewStore(syncSize: 100);
        await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(10));
        FailSyncOfData();
        var content = new FedContent();
        await content.FeedAsync(Bytes(150));
        content.End();

        UploadStoreException error = await Assert.ThrowsAsync<UploadStoreException>(
            async () => await store.AppendAsync(Key, 10, content, AppendMode.KeepPartial, None));

        Assert.Equal((StoreFailure.Unavailable, 10), (error.Failure, error.DurableOffset));
        Assert.Empty(content.Reported);
        Assert.Equal(10, new FileInfo(TheFile(".data")).Length);
        Files.Before = null;
        Assert.Equal(10, (await GetAsync(store)).Offset);
        Assert.Equal(13, (await AppendAsync(store, 10, Bytes(3, 2))).Offset);
        byte[] all = [.. Bytes(10), .. Bytes(3, 2)];
        Assert.Equal(all, await ReadAsync(store));
    }

    [Fact]
    public async Task Append_with_a_failed_second_sync_keeps_the_first_checkpoint()
    {
        FileSystemUploadStore store = NewStore(syncSize: 100);
        await CreateAsync(store);
        var content = new FedContent();
        Task<AppendResult> append = store.AppendAsync(Key, 0, content, AppendMode.KeepPartial, None).AsTask();
        await content.FeedAsync(Bytes(100));
        await content.FirstReported.Task.WaitAsync(TestTimeout, None);
        FailSyncOfData();
        await content.FeedAsync(Bytes(100, 2));

        UploadStoreException error = await Assert.ThrowsAsync<UploadStoreException>(() => append.WaitAsync(TestTimeout, None));

        Assert.Equal(100, error.DurableOffset);
        Assert.Equal([100], content.Reported);
        Files.Before = null;
        Assert.Equal(Bytes(100), await ReadAsync(store));
    }

    [Fact]
    public async Task Unsynced_bytes_that_cannot_be_truncated_do_not_count()
    {
        FileSystemUploadStore store = NewStore(syncSize: 50);
        await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(10));
        int failed = 0;
        Files.Before = (step, path) =>
        {
            // Only the first sync fails. The kernel also reports success for a second one.
            if (path.EndsWith(".data", StringComparison.Ordinal) && (step == "truncate" || (step == "sync" && failed++ == 0)))
            {
                throw FaultyFiles.Error(InputOutputError);
            }
        };

        UploadStoreException error = await Assert.ThrowsAsync<UploadStoreException>(() => AppendWithoutEndAsync(store));
        Assert.Equal(10, error.DurableOffset);

        Assert.Equal(60, new FileInfo(TheFile(".data")).Length);
        Files.Before = null;
        Assert.Equal(10, (await GetAsync(store)).Offset);
        Assert.Equal(10, new FileInfo(TheFile(".data")).Length);
    }

    [Fact]
    public async Task Append_with_a_failed_sync_of_the_mark_keeps_nothing()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        Files.Before = (step, path) =>
        {
            if (step == "sync" && path.EndsWith(".mark", StringComparison.Ordinal))
            {
                throw FaultyFiles.Error(InputOutputError);
            }
        };

        UploadStoreException error = await Assert.ThrowsAsync<UploadStoreException>(() => AppendAsync(store, 0, Bytes(50)));
        Assert.Equal(0, error.DurableOffset);
        Assert.Equal(0, (await GetAsync(store)).Offset);

        Files.Before = null;
        Assert.Equal(0, (await GetAsync(store)).Offset);
        Assert.Equal(50, (await AppendAsync(store, 0, Bytes(50))).Offset);
    }

    [Fact]
    public async Task Slow_append_is_synced_after_the_sync_interval()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        var content = new FedContent();
        var written = new SemaphoreSlim(0);
        Files.After = (step, path) =>
        {
            if (step == "write" && path.EndsWith(".data", StringComparison.Ordinal))
            {
                written.Release();
            }
        };
        Task<AppendResult> append = store.AppendAsync(Key, 0, content, AppendMode.KeepPartial, None).AsTask();
        for (int i = 0; i < 2; i++)
        {
            await content.FeedAsync(Bytes(1));
            Assert.True(await written.WaitAsync(TestTimeout, None));
        }

        // When the second byte is written, the store has already checked whether a sync is due after the first.
        Assert.Empty(content.Reported);

        Time.Advance(TimeSpan.FromSeconds(5));
        await content.FeedAsync(Bytes(1));
        await content.FirstReported.Task.WaitAsync(TestTimeout, None);
        Assert.InRange(content.Reported[0], 2, 3);

        content.End();
        await append.WaitAsync(TestTimeout, None);
    }

    [Fact]
    public async Task Failed_write_keeps_the_bytes_that_reached_the_file()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        var content = new FedContent();
        var written = new TaskCompletionSource();
        Files.After = (step, path) =>
        {
            if (step == "write" && path.EndsWith(".data", StringComparison.Ordinal))
            {
                written.TrySetResult();
            }
        };
        Task<AppendResult> append = store.AppendAsync(Key, 0, content, AppendMode.KeepPartial, None).AsTask();
        await content.FeedAsync(Bytes(20));
        await written.Task.WaitAsync(TestTimeout, None);
        Files.Before = (step, path) =>
        {
            if (step == "write" && path.EndsWith(".data", StringComparison.Ordinal))
            {
                throw FaultyFiles.Error(InputOutputError);
            }
        };
        await content.FeedAsync(Bytes(20, 2));

        UploadStoreException error = await Assert.ThrowsAsync<UploadStoreException>(() => append.WaitAsync(TestTimeout, None));

        Assert.Equal((StoreFailure.Unavailable, 20), (error.Failure, error.DurableOffset));
        Assert.Equal(20, (await GetAsync(store)).Offset);
    }

    [Theory]
    [InlineData(Durability.PowerLoss)]
    [InlineData(Durability.ProcessCrash)]
    public async Task Crash_during_a_staged_append_leaves_no_staged_bytes(Durability durability)
    {
        FileSystemUploadStore store = NewStore(durability);
        await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(10));
        UploadInfo before = await GetAsync(store);
        var content = new FedContent { Decide = _ => throw new ProcessDied() };
        await content.FeedAsync(Bytes(50));
        content.End();
        Files.Before = (step, path) =>
        {
            if (step == "truncate")
            {
                throw new ProcessDied();
            }
        };
        await Assert.ThrowsAsync<ProcessDied>(async () => await store.AppendAsync(Key, 10, content, AppendMode.AllOrNothing, None));
        Assert.Equal(60, new FileInfo(TheFile(".data")).Length);

        FileSystemUploadStore after = NewStore(durability, new FaultyFiles());
        UploadInfo info = await GetAsync(after);
        Assert.Equal((10, before.Version), (info.Offset, info.Version));
        Assert.Equal(Bytes(10), await ReadAsync(after));
        Assert.Equal(12, (await AppendAsync(after, 10, Bytes(2, 2))).Offset);
        byte[] all = [.. Bytes(10), .. Bytes(2, 2)];
        Assert.Equal(all, await ReadAsync(NewStore(durability, new FaultyFiles())));
    }

    [Theory]
    [InlineData("replace")]
    [InlineData("write .mark")]
    [InlineData("sync .mark")]
    public async Task Crash_during_a_commit_leaves_all_staged_bytes_or_none(string point)
    {
        foreach (bool before in (bool[])[true, false])
        {
            var files = new FaultyFiles();
            FileSystemUploadStore store = NewStore(files: files);
            await CreateAsync(store);
            await AppendAsync(store, 0, Bytes(10));
            var content = new FedContent { Decide = _ => Arm(files, point, before) };
            await content.FeedAsync(Bytes(50));
            content.End();
            await Assert.ThrowsAsync<ProcessDied>(async () => await store.AppendAsync(Key, 10, content, AppendMode.AllOrNothing, None));

            FileSystemUploadStore after = NewStore();
            Assert.Equal(point == "replace" && before ? 10 : 60, (await GetAsync(after)).Offset);
            Assert.Empty(content.Reported);
            await after.DeleteAsync(Key, null, None);
        }
    }

    [Fact]
    public async Task Committed_bytes_without_a_mark_are_cut_off_in_another_boot()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(10));
        var content = new FedContent { Decide = _ => Arm(Files, "write .mark", before: true) };
        await content.FeedAsync(Bytes(50));
        content.End();
        await Assert.ThrowsAsync<ProcessDied>(async () => await store.AppendAsync(Key, 10, content, AppendMode.AllOrNothing, None));

        var next = new FaultyFiles { Boot = Guid.NewGuid().ToString("D") };
        Assert.Equal(10, (await GetAsync(NewStore(files: next))).Offset);
    }

    [Fact]
    public async Task Staged_append_with_a_failed_sync_changes_nothing()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(10));
        UploadInfo before = await GetAsync(store);
        Files.Before = (step, path) =>
        {
            if (step == "sync" && path.EndsWith(".data", StringComparison.Ordinal))
            {
                Files.Before = null;
                throw FaultyFiles.Error(InputOutputError);
            }
        };

        UploadStoreException error = await Assert.ThrowsAsync<UploadStoreException>(() => AppendAsync(store, 10, Bytes(9), AppendMode.AllOrNothing));

        Assert.Equal(10, error.DurableOffset);
        Assert.Equal(before.Version, (await GetAsync(store)).Version);
        Assert.Equal(12, (await AppendAsync(store, 10, Bytes(2))).Offset);
    }

    [Fact]
    public async Task Discarded_append_changes_neither_version_nor_modification_time()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(10));
        UploadInfo before = await GetAsync(store);
        Time.Advance(TimeSpan.FromHours(1));
        foreach (Func<CancellationToken, ValueTask<bool>> decide in (Func<CancellationToken, ValueTask<bool>>[])
            [_ => ValueTask.FromResult(false), _ => throw new InvalidOperationException("undecided")])
        {
            var content = new FedContent { Decide = decide };
            await content.FeedAsync(Bytes(50));
            content.End();

            AppendResult result = await store.AppendAsync(Key, 10, content, AppendMode.AllOrNothing, None);

            Assert.Equal(new AppendResult(AppendStatus.Discarded, 10, before.Version), result);
            Assert.Equal(before.LastModified, (await GetAsync(store)).LastModified);
            Assert.Equal(10, new FileInfo(TheFile(".data")).Length);
        }
    }

    [Fact]
    public async Task LastModified_is_the_time_of_the_last_append()
    {
        FileSystemUploadStore store = NewStore();
        Assert.Equal(Time.GetUtcNow(), (await CreateAsync(store)).LastModified);
        Assert.Equal(Time.GetUtcNow(), (await GetAsync(store)).LastModified);

        Time.Advance(TimeSpan.FromMinutes(7));
        await AppendAsync(store, 0, Bytes(10));
        Assert.Equal(Time.GetUtcNow(), (await GetAsync(store)).LastModified);
    }

    [Fact]
    public async Task ProcessCrash_durability_syncs_nothing()
    {
        var steps = new List<string>();
        Files.Before = (step, path) => steps.Add(step);
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash);

        await ReceiveAsync(store, Bytes(100));
        await store.DeleteAsync(Key, null, None);

        Assert.DoesNotContain(steps, step => step.StartsWith("sync", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Create_syncs_the_record_and_all_directories_above_it()
    {
        var steps = new List<string>();
        Files.After = (step, path) =>
        {
            if (step is not ("stat" or "create-directory"))
            {
                steps.Add($"{step} {Path.GetRelativePath(StoreRoot, path)}");
            }
        };
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);

        string temp = steps.First(step => step.EndsWith(".data", StringComparison.Ordinal))["create ".Length..];
        temp = Path.GetDirectoryName(temp)!;
        Assert.Equal(
            [
                $"sync {temp}/record.json",
                $"sync-directory {temp}",
                "rename-directory uploads/owner/up/upload-1",
                "sync-directory uploads/owner/up",
                "sync-directory uploads/owner",
                "sync-directory uploads",
            ],
            steps[^6..]);
    }

    private static async Task AppendWithoutEndAsync(FileSystemUploadStore store)
    {
        var content = new FedContent();
        Task<AppendResult> append = store.AppendAsync(Key, 10, content, AppendMode.KeepPartial, None).AsTask();
        await content.FeedAsync(Bytes(50));
        await append.WaitAsync(TestTimeout, None);
    }

    private static ValueTask<bool> Arm(FaultyFiles files, string point, bool before)
    {
        string[] parts = point.Split(' ');
        Action<string, string> crash = (step, path) =>
        {
            if (step == parts[0] && (parts.Length == 1 || path.EndsWith(parts[1], StringComparison.Ordinal)))
            {
                throw new ProcessDied();
            }
        };
        (files.Before, files.After) = before ? (crash, files.After) : (files.Before, crash);
        return ValueTask.FromResult(true);
    }

    private void FailSyncOfData() => Files.Before = (step, path) =>
    {
        if (step == "sync" && path.EndsWith(".data", StringComparison.Ordinal))
        {
            throw FaultyFiles.Error(InputOutputError);
        }
    };
}
