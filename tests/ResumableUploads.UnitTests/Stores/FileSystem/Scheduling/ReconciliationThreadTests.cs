using System.Collections.Concurrent;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Scheduling;

/// <summary>Uploads that a process or a machine has left unfinished are repaired on threads of the store, and hold up no other upload.</summary>
public sealed class ReconciliationThreadTests : FileSystemStoreTest
{
    private readonly ManualResetEventSlim _release = new();

    public override void Dispose()
    {
        _release.Set();
        base.Dispose();
        _release.Dispose();
    }

    public static MatrixTheoryData<string, string> Cases => new(
        ["unsynced bytes", "another boot", "damaged record", "missing data file", "unsynced record", "unsynced response"],
        ["get", "append", "read", "update", "get response"]);

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Repair_during_any_call_runs_on_threads_of_the_store(string state, string call)
    {
        UploadInfo info = await PrepareAsync(state);
        var threads = new ConcurrentBag<(string Step, string? Thread)>();
        var files = new FaultyFiles
        {
            Boot = state == "another boot" ? "11111111-1111-1111-1111-111111111111" : null,
            Before = (step, path) => threads.Add((step, Thread.CurrentThread.Name)),
        };
        FileSystemUploadStore store = NewStore(files: files);
        UploadStoreException? failure = null;
        try
        {
            await CallAsync(store, call, info);
        }
        catch (UploadStoreException e)
        {
            failure = e;
        }

        Assert.Null(failure);
        Assert.DoesNotContain(threads, static step => step.Step is "sync" or "sync-directory" or "rename-directory" && step.Thread != "Upload store");
    }

    [Fact]
    public async Task Other_uploads_continue_while_the_repair_of_one_hangs()
    {
        // Enough for any small number of locks that uploads might share.
        const int Count = 600;
        FileSystemUploadStore store = NewStore(files: new FastFiles());
        var slow = new UploadKey("slow", "upload-1");
        UploadKey[] keys = [.. Enumerable.Range(0, Count).Select(static i => new UploadKey("owner", $"upload-{i}"))];
        foreach (UploadKey key in keys.Append(slow))
        {
            await CreateAsync(store, key);
        }

        foreach (string data in Directory.EnumerateFiles(Path.Combine(StoreRoot, "uploads"), "*.data", SearchOption.AllDirectories))
        {
            File.WriteAllBytes(data, Bytes(10));
        }

        var hangs = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        store = NewStore(files: new FastFiles
        {
            Before = (step, path) =>
            {
                if (step == "sync" && path.Contains("slow", StringComparison.Ordinal))
                {
                    hangs.TrySetResult();
                    _release.Wait();
                }
            },
        });
        Task<UploadInfo?> hanging = store.GetAsync(slow, None).AsTask();
        await hangs.Task.WaitAsync(TestTimeout, None);
        foreach (UploadKey key in keys)
        {
            Assert.Equal(10, (await store.GetAsync(key, None))!.Offset);
            Assert.Equal(11, (await AppendAsync(store, 10, Bytes(1), key: key)).Offset);
        }

        Assert.False(hanging.IsCompleted);
        _release.Set();
        Assert.Equal(10, (await hanging)!.Offset);
    }

    private async Task<UploadInfo> PrepareAsync(string state)
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(10));
        UploadInfo info = await GetAsync(store);
        string record = Path.Combine(UploadDirectory, "record.json");
        switch (state)
        {
            case "unsynced bytes":
                await using (FileStream data = File.Open(TheFile(".data"), FileMode.Append))
                {
                    data.Write(Bytes(5));
                }

                break;
            case "damaged record":
                File.Copy(record, record + ".tmp");
                File.WriteAllText(record, "damaged");
                break;
            case "missing data file":
                File.Delete(TheFile(".data"));
                break;
            case "unsynced record":
                info = (await store.UpdateDeferredAsync(Key, info.Version, info.Record with { Data = new byte[] { 2 } }, None)).Info!;
                break;
            case "unsynced response":
                info = await store.CompleteAsync(Key, Bytes(100_000));
                File.SetLastWriteTimeUtc(TheFile(".outcome"), DateTime.UnixEpoch);
                break;
        }

        return info;
    }

    private static async Task CallAsync(FileSystemUploadStore store, string call, UploadInfo info)
    {
        switch (call)
        {
            case "get":
                await store.GetAsync(Key, None);
                break;
            case "append":
                await AppendAsync(store, info.Offset, Bytes(1));
                break;
            case "read":
                await using (Stream? stream = await store.OpenReadAsync(Key, None))
                {
                }

                break;
            case "update":
                await store.UpdateDeferredAsync(Key, info.Version, info.Record with { Data = new byte[] { 3 } }, None);
                break;
            case "get response":
                await store.GetResponseAsync(Key, None);
                break;
        }
    }

    /// <summary>Syncs nothing, because the test makes many uploads.</summary>
    private sealed class FastFiles : FaultyFiles
    {
        public override void Sync(OpenFile file) => Before?.Invoke("sync", file.Path);

        public override void SyncDirectory(string path)
        {
        }
    }
}
