using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Scheduling;

/// <summary>A disk that is slow, or does not respond.</summary>
public sealed class SlowDiskTests : FileSystemStoreTest
{
    private readonly ManualResetEventSlim _release = new();
    private readonly TaskCompletionSource _hangs = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override void Dispose()
    {
        _release.Set();
        base.Dispose();
        _release.Dispose();
    }

    [Fact]
    public async Task No_sync_runs_on_thread_pool()
    {
        var threads = new ConcurrentBag<(string Step, bool IsPool)>();
        Files.Before = (step, _) => threads.Add((step, Thread.CurrentThread.IsThreadPoolThread));
        FileSystemUploadStore store = NewStore();
        await store.CheckAsync(None);
        await ReceiveAsync(store, Bytes(1_000));
        await store.CompleteAsync(Key, new byte[100_000]);
        string target = Path.Combine(Root, "moved");
        Assert.Equal(MoveStatus.Moved, (await store.MoveAsync(target, overwrite: false, None)).Status);
        await store.DeleteAsync(Key, null, None);
        await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(10), AppendMode.AllOrNothing);
        await store.CleanUpAsync(None);
        (string Step, bool IsPool)[] syncs = [.. threads.Where(static call => call.Step is "sync" or "sync-directory" or "replace" or "rename-directory" or "delete-directory")];
        Assert.True(syncs.Length > 10, $"{syncs.Length} syncs");
        Assert.DoesNotContain(syncs, static call => call.IsPool);
    }

    [Fact]
    public async Task Bytes_of_silent_client_become_durable_after_SyncInterval()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        var content = new FedContent();
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Files.After = (step, _) =>
        {
            if (step == "write")
            {
                written.TrySetResult();
            }
        };
        await content.FeedAsync(Bytes(1_000));
        Task<AppendResult> append = store.AppendAsync(Key, 0, content, AppendMode.KeepPartial, None).AsTask();
        await written.Task;
        Assert.Equal(0, (await GetAsync(NewStore())).Offset);

        // The timer may not have been created yet at the first advance.
        await Eventually.TrueAsync(
            () =>
            {
                Time.Advance(TimeSpan.FromSeconds(1));
                return content.FirstReported.Task.IsCompleted;
            },
            "the bytes became durable");
        Assert.Equal([1_000], content.Reported);
        Assert.Equal(1_000, (await GetAsync(NewStore())).Offset);

        await content.FeedAsync(Bytes(500, seed: 2));
        content.End();
        Assert.Equal((AppendStatus.Appended, 1_500), ((await append).Status, (await append).Offset));
        Assert.Equal((byte[])[.. Bytes(1_000), .. Bytes(500, seed: 2)], await ReadAsync(store));
    }

    [Fact]
    public async Task Hanging_append_is_abandoned_and_keeps_its_lock_until_the_call_returns()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        HangAt("sync");
        using var cancellation = new CancellationTokenSource();
        var content = new FedContent();
        await content.FeedAsync(Bytes(1_000));
        content.End();
        Task<AppendResult> append = store.AppendAsync(Key, 0, content, AppendMode.KeepPartial, cancellation.Token).AsTask();
        await _hangs.Task;
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => append);
        Assert.Empty(content.Reported);

        FileSystemUploadStore other = NewStore(files: new FaultyFiles());
        Assert.Equal(AppendStatus.Busy, (await AppendAsync(other, 0, Bytes(10, seed: 2))).Status);
        Assert.Equal(0, (await GetAsync(other)).Offset);

        _release.Set();
        AppendResult next = default;
        await Eventually.TrueAsync(async () => (next = await AppendAsync(other, 1_000, Bytes(10, seed: 2))).Status != AppendStatus.Busy, "the lock was released");
        Assert.Equal((AppendStatus.Appended, 1_010), (next.Status, next.Offset));
        Assert.Equal((byte[])[.. Bytes(1_000), .. Bytes(10, seed: 2)], await ReadAsync(other));
        Assert.Empty(content.Reported);
    }

    [Fact]
    public async Task Abandoned_write_does_not_use_memory_of_request()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);

        // After two slow calls, writes run on threads of the store.
        Files.Before = (step, _) =>
        {
            if (step == "write")
            {
                None.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(1));
                Time.Advance(TimeSpan.FromMilliseconds(100));
            }
        };
        await AppendAsync(store, 0, Bytes(1, seed: 3));
        await AppendAsync(store, 1, Bytes(1, seed: 4));

        HangAt("write");
        using var cancellation = new CancellationTokenSource();
        byte[] memory = Bytes(1_000);
        Task<AppendResult> append = store.AppendAsync(Key, 2, new MemoryContent(memory), AppendMode.KeepPartial, cancellation.Token).AsTask();
        await _hangs.Task;
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => append);
        memory.AsSpan().Clear();
        _release.Set();

        FileSystemUploadStore other = NewStore(files: new FaultyFiles());
        await Eventually.TrueAsync(async () => (await AppendAsync(other, 1_002, [])).Status == AppendStatus.Appended, "the lock was released");
        Assert.Equal((byte[])[.. Bytes(1, seed: 3), .. Bytes(1, seed: 4), .. Bytes(1_000)], await ReadAsync(other));
    }

    [Fact]
    public async Task Uploads_continue_while_syncs_of_another_owner_hang()
    {
        const int MaxThreads = 8;
        var store = new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = StoreRoot, MaxThreads = MaxThreads }, Time, Logs, Files);

        // More than the store has threads.
        UploadKey[] keys = [.. Enumerable.Range(0, 3 * MaxThreads).Select(static i => new UploadKey("slow", $"upload-{i}"))];
        foreach (UploadKey key in keys)
        {
            await CreateAsync(store, key);
        }

        Files.Before = (step, path) =>
        {
            if (step == "sync" && path.Contains("slow", StringComparison.Ordinal))
            {
                _release.Wait(TestTimeout);
            }
        };
        Task<AppendResult>[] hanging = [.. keys.Select(key => AppendAsync(store, 0, Bytes(10), key: key))];
        await CreateAsync(store);
        Assert.Equal(AppendStatus.Appended, (await AppendAsync(store, 0, Bytes(10))).Status);
        Assert.Equal(10, (await GetAsync(store)).Offset);
        Assert.All(hanging, static append => Assert.False(append.IsCompleted));
        _release.Set();
        Assert.All(await Task.WhenAll(hanging), static result => Assert.Equal(AppendStatus.Appended, result.Status));
    }

    private void HangAt(string step) => Files.Before = (name, _) =>
    {
        if (name == step)
        {
            _hangs.TrySetResult();
            _release.Wait(TestTimeout);
        }
    };

    /// <summary>Content whose memory belongs to the test.</summary>
    private sealed class MemoryContent(byte[] memory) : UploadContent
    {
        public override PipeReader Reader { get; } = PipeReader.Create(new ReadOnlySequence<byte>(memory));

        public override void ReportDurable(long durableOffset)
        {
        }

        public override ValueTask<bool> ShouldCommitAsync(CancellationToken cancellationToken) => ValueTask.FromResult(true);
    }
}
