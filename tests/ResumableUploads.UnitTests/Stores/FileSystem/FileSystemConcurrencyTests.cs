using System.Collections.Concurrent;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem;

public class FileSystemConcurrencyTests : FileSystemStoreTest
{
    [Fact]
    public async Task Lock_is_exclusive_until_it_is_released()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        FileLayer files = FileLayer.Default;
        string path = TheFile(".lock");
        using (OpenFile? first = files.TryLock(path))
        {
            Assert.NotNull(first);
            Assert.Null(files.TryLock(path));
            Assert.Equal(AppendStatus.Busy, (await AppendAsync(store, 0, Bytes(1))).Status);
            UploadInfo info = await GetAsync(store);
            Assert.Equal(ChangeStatus.Busy, (await store.UpdateAsync(Key, info.Version, info.Record, None)).Status);
            Assert.Equal(ChangeStatus.Busy, (await store.DeleteAsync(Key, info.Version, None)).Status);
        }

        Assert.Equal(AppendStatus.Appended, (await AppendAsync(store, 0, Bytes(1))).Status);
    }

    [Fact]
    public async Task Create_in_two_stores_during_listing_and_cleanup_succeeds_once_per_key()
    {
        FileSystemUploadStore[] stores = [NewStore(Durability.ProcessCrash), NewStore(Durability.ProcessCrash)];

        // With the real clock: by the fake one, every creation directory would be abandoned.
        var cleaner = new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = StoreRoot });
        for (int round = 0; round < 50; round++)
        {
            var key = new UploadKey("owner" + round, "raced");
            using var start = new Barrier(9);
            Task<CreateResult>[] creations = [.. Enumerable.Range(0, 8).Select(i => OnThread(async () =>
            {
                start.SignalAndWait();
                return await stores[i % 2].CreateAsync(key, new UploadRecord { Data = new byte[] { (byte)i } }, CancellationToken.None);
            }))];
            Task cleaning = OnThread(async () =>
            {
                start.SignalAndWait();
                Assert.InRange(await cleaner.ListAsync(new UploadQuery(), CancellationToken.None).CountAsync(), round, round + 1);
                await cleaner.CleanUpAsync(CancellationToken.None);
                return true;
            });
            CreateResult[] results = await Task.WhenAll(creations);
            await cleaning;

            CreateResult winner = Assert.Single(results, result => result.Status == CreateStatus.Created);
            UploadInfo? info = await stores[0].GetAsync(key, None);
            Assert.Equal(winner.Info!.Version, info!.Version);
            Assert.Equal(winner.Info.Record.Data.ToArray(), info.Record.Data.ToArray());
        }

        Assert.Empty(Halves(StoreRoot));
        Assert.Empty(Directory.GetDirectories(Path.Combine(StoreRoot, "quarantine")));
    }

    [Fact]
    public async Task Create_retries_when_a_listing_deletes_its_empty_directories()
    {
        FileSystemUploadStore store = NewStore();
        FileSystemUploadStore cleaner = NewStore(files: new FaultyFiles());
        int removed = 0;
        Files.Before = (step, path) =>
        {
            if (step == "rename-directory" && removed++ < 3)
            {
                Assert.Equal(0, cleaner.ListAsync(new UploadQuery(), CancellationToken.None).CountAsync().AsTask().Result);
            }
            else if (step == "create-directory" && path.EndsWith("up", StringComparison.Ordinal) && removed++ < 3)
            {
                throw new DirectoryNotFoundException("The parent was deleted between two steps of this call.");
            }
        };

        UploadInfo info = await CreateAsync(store);

        Assert.Equal(info.Version, (await GetAsync(store)).Version);
        Assert.Empty(Halves(StoreRoot));
    }

    [Fact]
    public async Task Append_to_an_upload_that_is_deleted_and_created_again_returns_not_found()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        foreach (AppendMode mode in Enum.GetValues<AppendMode>())
        {
            var content = new FedContent();
            var written = new TaskCompletionSource();
            Files.After = (step, path) =>
            {
                if (step == "write" && path.EndsWith(".data", StringComparison.Ordinal))
                {
                    written.TrySetResult();
                }
            };
            Task<AppendResult> append = store.AppendAsync(Key, 0, content, mode, None).AsTask();
            await content.FeedAsync(Bytes(100));
            await written.Task.WaitAsync(TestTimeout, None);

            Assert.Equal(ChangeStatus.Succeeded, (await store.DeleteAsync(Key, null, None)).Status);
            UploadInfo recreated = await CreateAsync(store);
            await content.FeedAsync(Bytes(100));
            content.End();

            Assert.Equal(new AppendResult(AppendStatus.NotFound, 0, null), await append.WaitAsync(TestTimeout, None));
            Assert.Equal(recreated.Version, (await GetAsync(store)).Version);
        }
    }

    // The upload is deleted, and perhaps created again, before or after the update replaces the record. After that, the update has succeeded.
    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task Update_never_restores_a_deleted_upload(bool before, bool recreate)
    {
        FileSystemUploadStore store = NewStore();
        FileSystemUploadStore other = NewStore(files: new FaultyFiles());
        UploadInfo info = await CreateAsync(store);
        UploadInfo? seen = null;
        UploadInfo? second = null;
        Action<string, string> delete = (step, path) =>
        {
            if (step == "replace")
            {
                seen = other.GetAsync(Key, CancellationToken.None).AsTask().Result;
                other.DeleteAsync(Key, null, CancellationToken.None).AsTask().Wait(CancellationToken.None);
                second = recreate ? other.CreateAsync(Key, new UploadRecord { Data = "second"u8.ToArray() }, CancellationToken.None).AsTask().Result.Info : null;
            }
        };
        Files.Before = before ? delete : null;
        Files.After = before ? null : delete;

        UpdateResult result = await store.UpdateAsync(Key, info.Version, info.Record with { Length = 5 }, None);

        Assert.Equal(before ? ChangeStatus.NotFound : ChangeStatus.Succeeded, result.Status);
        Assert.Equal(before ? info.Version : result.Info!.Version, seen!.Version);
        UploadInfo? current = await other.GetAsync(Key, None);
        Assert.Equal(second?.Version, current?.Version);
        Assert.Equal(second?.Record.Data.ToArray(), current?.Record.Data.ToArray());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100_000)]
    public async Task Complete_does_not_write_to_a_new_upload_with_the_same_key(int length)
    {
        FileSystemUploadStore store = NewStore();
        FileSystemUploadStore other = NewStore(files: new FaultyFiles());
        UploadInfo info = await CreateAsync(store);
        Files.Before = (step, path) =>
        {
            if (step == "replace")
            {
                other.DeleteAsync(Key, null, CancellationToken.None).AsTask().Wait(CancellationToken.None);
                other.CreateAsync(Key, new UploadRecord(), CancellationToken.None).AsTask().Wait(CancellationToken.None);
            }
        };

        UpdateResult result = await store.CompleteAsync(Key, info.Version, new UploadRecord { State = UploadState.Completed }, Bytes(length), None);

        Assert.Equal(new UpdateResult(ChangeStatus.NotFound, null), result);
        Files.Before = null;
        Assert.Equal(UploadState.Receiving, (await GetAsync(store)).State);
        Assert.Empty(Directory.GetFiles(UploadDirectory, "*outcome*"));
    }

    [Fact]
    public async Task Concurrent_updates_and_deletes_leave_no_partial_upload()
    {
        FileSystemUploadStore[] stores = [NewStore(Durability.ProcessCrash), NewStore(Durability.ProcessCrash)];
        var results = new ConcurrentBag<ChangeStatus>();
        for (int round = 0; round < 100; round++)
        {
            UploadInfo info = await CreateAsync(stores[0]);
            using var start = new Barrier(3);
            await Task.WhenAll(
                OnThread(async () =>
                {
                    start.SignalAndWait();
                    results.Add((await stores[0].UpdateAsync(Key, info.Version, new UploadRecord { Length = 1 }, CancellationToken.None)).Status);
                    return true;
                }),
                OnThread(async () =>
                {
                    start.SignalAndWait();
                    Assert.Equal(ChangeStatus.Succeeded, (await stores[1].DeleteAsync(Key, null, CancellationToken.None)).Status);
                    return true;
                }),
                OnThread(async () =>
                {
                    start.SignalAndWait();
                    await stores[1].GetAsync(Key, CancellationToken.None);
                    return true;
                }));
            Assert.Null(await stores[0].GetAsync(Key, None));
        }

        Assert.All(results, status => Assert.Contains(status, (ChangeStatus[])[ChangeStatus.Succeeded, ChangeStatus.NotFound]));
        Assert.Empty(Directory.GetDirectories(Path.Combine(StoreRoot, "quarantine")));
        Assert.Empty(Directory.GetDirectories(Path.Combine(StoreRoot, "trash")));
    }

    // A staged append begins and ends between two reads of the status request.
    [Theory]
    [InlineData(Durability.PowerLoss)]
    [InlineData(Durability.ProcessCrash)]
    public async Task Get_during_a_staged_append_does_not_count_staged_bytes(Durability durability)
    {
        FileSystemUploadStore store = NewStore(durability, new FaultyFiles());
        FileSystemUploadStore reader = NewStore(durability);
        await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(10));
        var staged = new TaskCompletionSource();
        var commit = new TaskCompletionSource<bool>();
        var content = new FedContent
        {
            Decide = _ =>
            {
                staged.SetResult();
                return new ValueTask<bool>(commit.Task);
            },
        };
        await content.FeedAsync(Bytes(500));
        content.End();
        Task<AppendResult>? append = null;
        Files.Before = (step, path) =>
        {
            if (step == "stat" && append is null)
            {
                append = OnThread(async () => await store.AppendAsync(Key, 10, content, AppendMode.AllOrNothing, CancellationToken.None));
                Assert.True(staged.Task.Wait(TestTimeout));
            }
        };
        Files.After = (step, path) =>
        {
            if (step == "stat" && commit.TrySetResult(false))
            {
                Assert.True(append!.Wait(TestTimeout));
            }
        };

        Assert.Equal(10, (await GetAsync(reader)).Offset);
        Assert.Equal(AppendStatus.Discarded, (await append!.WaitAsync(TestTimeout, None)).Status);
    }

    private static Task<T> OnThread<T>(Func<Task<T>> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
}
