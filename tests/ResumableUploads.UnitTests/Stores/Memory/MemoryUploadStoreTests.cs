using System.Diagnostics;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.TestKit.Support;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.Memory;

public sealed class MemoryUploadStoreTests : IDisposable
{
    private const int MiB = 1024 * 1024;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);
    private static readonly UploadKey Key = new("owner", "upload");

    private readonly PoisonPool _pool = new();
    private readonly MemoryUploadStore _store;

    public MemoryUploadStoreTests() => _store = new MemoryUploadStore(MiB, timeProvider: null, _pool);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _store.Dispose();
        Assert.Equal((0, 0), (_pool.Rented, _pool.FalseReturns));
        Assert.Equal(0, _store.UsedSize);
    }

    [Theory]
    [InlineData(AppendMode.KeepPartial)]
    [InlineData(AppendMode.AllOrNothing)]
    public async Task Append_beyond_the_limit_throws_full_with_the_durable_offset(AppendMode mode)
    {
        await CreateAsync(Key);
        await AppendAsync(Key, 0, Bytes(1000));
        RecordingContent content = RecordingContent.FromBytes(Bytes(2 * MiB, 2));
        UploadStoreException full = await Assert.ThrowsAsync<UploadStoreException>(async () =>
            await _store.AppendAsync(Key, 1000, content, mode, Token));

        Assert.Equal(StoreFailure.Full, full.Failure);
        UploadInfo? info = await _store.GetAsync(Key, Token);
        Assert.Equal(info!.Offset, full.DurableOffset);
        byte[] kept = await ContentAsync(Key);
        Assert.Equal(info.Offset, kept.Length);
        Assert.Equal(Bytes(1000).Concat(Bytes(2 * MiB, 2)).Take(kept.Length), kept);
        Assert.InRange(_store.UsedSize, 0, MiB);
        if (mode == AppendMode.KeepPartial)
        {
            Assert.InRange(kept.Length, MiB * 9 / 10, MiB);
        }
        else
        {
            Assert.Equal(1000, kept.Length);
            Assert.Equal(1, _pool.Rented);
        }
    }

    [Fact]
    public async Task Append_to_full_store_continues_after_a_deletion()
    {
        UploadKey other = new("owner", "other");
        await CreateAsync(other);
        await AppendAsync(other, 0, Bytes(MiB / 2));
        await CreateAsync(Key);
        byte[] sent = Bytes(MiB * 3 / 4, 2);
        UploadStoreException full = await Assert.ThrowsAsync<UploadStoreException>(() => AppendAsync(Key, 0, sent));
        int there = (int)full.DurableOffset!.Value;

        await _store.DeleteAsync(other, null, Token);
        Assert.Equal(sent.Length, (await AppendAsync(Key, there, sent[there..])).Offset);
        Assert.Equal(sent, await ContentAsync(Key));
    }

    [Fact]
    public async Task Upload_that_filled_the_store_can_be_completed()
    {
        await CreateAsync(Key);
        await Assert.ThrowsAsync<UploadStoreException>(() => AppendAsync(Key, 0, Bytes(2 * MiB)));
        UploadInfo info = (await _store.GetAsync(Key, Token))!;
        var received = new UploadRecord { State = UploadState.Received, Data = Bytes(2000) };
        UpdateResult update = await _store.UpdateAsync(Key, info.Version, received, Token);
        Assert.Equal((ChangeStatus.Succeeded, info.Offset), (update.Status, update.Info!.Offset));
        await _store.CompleteAsync(Key, Bytes(2000));
    }

    [Fact]
    public async Task Store_filled_by_creations_can_complete_existing_uploads()
    {
        await CreateAsync(Key);
        await AppendAsync(Key, 0, Bytes(1000));
        int made = 0;
        await AssertFullAsync(async () =>
        {
            for (; made < MiB; made++)
            {
                await _store.CreateAsync(new("crowd", $"upload-{made}"), new UploadRecord(), Token);
            }
        });
        Assert.InRange(made, 900, 1024);

        UploadInfo info = (await _store.GetAsync(Key, Token))!;
        UpdateResult received = await _store.UpdateAsync(Key, info.Version, new UploadRecord { State = UploadState.Received, Data = Bytes(2000) }, Token);
        Assert.Equal(ChangeStatus.Succeeded, received.Status);
        await _store.CompleteAsync(Key, Bytes(3000));
        Assert.Equal(Bytes(1000), await ContentAsync(Key));
    }

    [Fact]
    public async Task List_by_owner_does_not_scan_other_owners()
    {
        const int Uploads = 20_000;
        const int Listings = 1000;
        using var large = new MemoryUploadStore();
        for (int i = 0; i < Uploads; i++)
        {
            await large.CreateAsync(new($"owner-{i / 2}", $"upload-{i}"), new UploadRecord(), Token);
        }

        async Task<int> CountAsync(UploadQuery query) => await large.ListAsync(query, Token).CountAsync(Token);
        TimeSpan byOwner = TimeSpan.MaxValue, complete = TimeSpan.Zero;

        // With a scan per listing, a thousand listings would take as long as dozens of complete ones, not as three. A busy machine can delay any attempt.
        for (int attempt = 0; attempt < 10 && byOwner >= complete; attempt++)
        {
            long began = Stopwatch.GetTimestamp();
            for (int i = 0; i < Listings; i++)
            {
                Assert.Equal(2, await CountAsync(new UploadQuery { Owner = $"owner-{i}" }));
            }

            byOwner = Stopwatch.GetElapsedTime(began);
            began = Stopwatch.GetTimestamp();
            for (int i = 0; i < 3; i++)
            {
                Assert.Equal(Uploads, await CountAsync(new UploadQuery()));
            }

            complete = Stopwatch.GetElapsedTime(began);
        }

        Assert.True(byOwner < complete, $"{Listings} listings of one owner took {byOwner}, three complete listings {complete}.");
    }

    [Fact]
    public async Task Record_or_response_beyond_the_limit_throws_full_and_changes_nothing()
    {
        using var small = new MemoryUploadStore(8000, timeProvider: null, _pool);
        await small.CreateAsync(Key, new UploadRecord { Data = Bytes(2000) }, Token);
        UploadInfo info = await small.CompleteAsync(Key, Bytes(1000));

        await AssertFullAsync(async () => await small.CreateAsync(new("owner", "b"), new UploadRecord { Data = Bytes(5000) }, Token));
        var completed = new UploadRecord { State = UploadState.Completed };
        await AssertFullAsync(async () => await small.UpdateAsync(Key, info.Version, completed with { Data = Bytes(7000) }, Token));
        await AssertFullAsync(async () => await small.CompleteAsync(Key, info.Version, info.Record, Bytes(6000), Token));
        Assert.Null(await small.GetAsync(new("owner", "b"), Token));
        Assert.Equal(info.Version, (await small.GetAsync(Key, Token))!.Version);
        Assert.Equal(Bytes(1000), (await small.GetResponseAsync(Key, Token))!.Value.ToArray());

        Assert.Equal(ChangeStatus.Succeeded, (await small.UpdateAsync(Key, info.Version, completed, Token)).Status);
        await small.CompleteAsync(Key, Bytes(6000));
        await small.DeleteAsync(Key, null, Token);
        Assert.Equal(0, small.UsedSize);
    }

    [Fact]
    public async Task Block_size_grows_with_the_upload()
    {
        await CreateAsync(Key);
        Assert.Equal(0, _pool.RentedBytes);
        await AppendAsync(Key, 0, Bytes(1));
        Assert.Equal(4096, _pool.RentedBytes);
        await AppendAsync(Key, 1, Bytes(9999));
        Assert.Equal(4096 + 16_384, _pool.RentedBytes);
        await AppendAsync(Key, 10_000, Bytes(500_000));
        Assert.InRange(_pool.RentedBytes, 510_000, 510_000 + 65_536);
    }

    [Fact]
    public async Task Blocks_are_smaller_than_the_large_object_limit()
    {
        await CreateAsync(Key);
        await AppendAsync(Key, 0, Bytes(900_000));
        Assert.InRange(_pool.Largest, 1, 84_000);
    }

    [Fact]
    public async Task Small_staged_appends_share_a_block()
    {
        await CreateAsync(Key);
        for (int i = 0; i < 100; i++)
        {
            await _store.AppendAsync(Key, i * 10, RecordingContent.FromBytes(Bytes(10, i)), AppendMode.AllOrNothing, Token);
        }

        Assert.Equal(4096, _pool.RentedBytes);
    }

    [Fact]
    public async Task Stream_of_deleted_upload_keeps_its_bytes()
    {
        await CreateAsync(Key);
        await AppendAsync(Key, 0, Bytes(200_000));
        Stream stream = (await _store.OpenReadAsync(Key, Token))!;
        byte[] read = new byte[200_000];
        await stream.ReadExactlyAsync(read.AsMemory(0, 100_000), Token);

        await _store.DeleteAsync(Key, null, Token);
        UploadKey other = new("owner", "other");
        await CreateAsync(other);
        await AppendAsync(other, 0, Bytes(300_000, 2));
        await stream.ReadExactlyAsync(read.AsMemory(100_000), Token);
        Assert.Equal(Bytes(200_000), read);

        int before = _pool.Rented;
        await stream.DisposeAsync();
        await stream.DisposeAsync();
        Assert.True(_pool.Rented < before);
        Assert.Throws<ObjectDisposedException>(() => stream.Read(read));
        Assert.Equal(Bytes(300_000, 2), await ContentAsync(other));
    }

    [Fact]
    public async Task Concurrent_reads_and_deletions_never_return_recycled_memory()
    {
        await Parallel.ForEachAsync(Enumerable.Range(0, 200), Token, async (i, _) =>
        {
            var key = new UploadKey("owner", $"upload-{i % 4}");
            byte fill = (byte)(i % 4);
            await _store.CreateAsync(key, new UploadRecord(), Token);
            byte[] chunk = new byte[20_000];
            chunk.AsSpan().Fill(fill);
            UploadInfo? info = await _store.GetAsync(key, Token);
            await _store.AppendAsync(key, info?.Offset ?? 0, RecordingContent.FromBytes(chunk), AppendMode.KeepPartial, Token);
            await using Stream? stream = await _store.OpenReadAsync(key, Token);
            await _store.DeleteAsync(key, null, Token);
            if (stream is not null)
            {
                byte[] read = new byte[stream.Length];
                await stream.ReadExactlyAsync(read, Token);
                Assert.False(read.AsSpan().ContainsAnyExcept(fill));
            }
        });
    }

    [Fact]
    public async Task Get_during_an_append_returns_all_received_bytes()
    {
        await CreateAsync(Key);
        var committed = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        var content = new RecordingContent { OnDurableReported = offset => committed.TrySetResult(offset) };
        content.Send(Bytes(5000));
        Task<AppendResult> append = _store.AppendAsync(Key, 0, content, AppendMode.KeepPartial, Token).AsTask();
        Assert.Equal(5000, await committed.Task.WaitAsync(Timeout, Token));
        Assert.Equal(5000, (await _store.GetAsync(Key, Token))!.Offset);
        Assert.Equal(Bytes(5000), await ContentAsync(Key));
        content.Complete();
        await append.WaitAsync(Timeout, Token);
    }

    [Fact]
    public async Task Delete_during_an_idle_append_releases_the_memory()
    {
        await CreateAsync(Key);
        var content = new RecordingContent();
        content.Send(Bytes(100_000));
        Task<AppendResult> append = _store.AppendAsync(Key, 0, content, AppendMode.KeepPartial, Token).AsTask();
        Assert.NotEqual(0, _pool.Rented);
        await _store.DeleteAsync(Key, null, Token);
        Assert.Equal((0, 0L), (_pool.Rented, _store.UsedSize));
        content.Complete();
        Assert.Equal(AppendStatus.NotFound, (await append.WaitAsync(Timeout, Token)).Status);
    }

    [Theory]
    [InlineData(AppendMode.KeepPartial)]
    [InlineData(AppendMode.AllOrNothing)]
    public async Task Dispose_releases_all_memory_and_ends_running_appends(AppendMode mode)
    {
        await CreateAsync(Key);
        await AppendAsync(Key, 0, Bytes(100_000));
        var content = new RecordingContent();
        content.Send(Bytes(1000));
        Task<AppendResult> append = _store.AppendAsync(Key, 100_000, content, mode, Token).AsTask();
        Stream stream = (await _store.OpenReadAsync(Key, Token))!;

        _store.Dispose();
        content.Complete();
        Assert.Equal(AppendStatus.NotFound, (await append.WaitAsync(Timeout, Token)).Status);
        await stream.DisposeAsync();
        Assert.Equal((0, 0L), (_pool.Rented, _store.UsedSize));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await _store.GetAsync(Key, Token));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => CreateAsync(Key));
    }

    [Fact]
    public async Task Append_with_throwing_content_does_not_leave_the_upload_busy()
    {
        await CreateAsync(Key);
        var broken = new RecordingContent { CommitDecision = () => throw new InvalidOperationException("Injected failure.") };
        broken.Send(Bytes(100));
        broken.Complete();
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
            await _store.AppendAsync(Key, 0, broken, AppendMode.AllOrNothing, Token));
        Assert.Equal((0, 100L), (_pool.Rented, (await AppendAsync(Key, 0, Bytes(100))).Offset));
    }

    [Fact]
    public async Task List_is_ordered_by_owner_and_id()
    {
        foreach (UploadKey key in new UploadKey[] { new("b", "1"), new("a", "10"), new("a", "2"), new("a-a", "1"), new("a", "1") })
        {
            await CreateAsync(key);
        }

        List<string> listed = [];
        await foreach (UploadInfo info in _store.ListAsync(new UploadQuery(), Token))
        {
            listed.Add(info.Key.ToString());
        }

        Assert.Equal(["a/1", "a/10", "a/2", "a-a/1", "b/1"], listed);
    }

    [Fact]
    public async Task Invalid_arguments_throw()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new MemoryUploadStore(0));
        var tooLong = new UploadRecord { Data = Bytes(UploadRecord.MaxDataLength + 1) };
        await Assert.ThrowsAsync<ArgumentException>(async () => await _store.CreateAsync(Key, tooLong, Token));
        await Assert.ThrowsAsync<ArgumentException>(async () =>
            await _store.CreateAsync(Key, new UploadRecord { State = UploadState.Received }, Token));
        await Assert.ThrowsAsync<InvalidOperationException>(() => CreateAsync(default));
        UploadInfo info = await CreateAsync(Key);
        await Assert.ThrowsAsync<ArgumentException>(async () => await _store.UpdateAsync(Key, info.Version, tooLong, Token));
        await Assert.ThrowsAsync<ArgumentException>(async () => await _store.CompleteAsync(Key, info.Version, new UploadRecord { State = UploadState.Completed }, Bytes(MiB + 1), Token));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => AppendAsync(Key, -1, []));
    }

    private static byte[] Bytes(int count, int seed = 1)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static async Task AssertFullAsync(Func<Task> call) =>
        Assert.Equal(StoreFailure.Full, (await Assert.ThrowsAsync<UploadStoreException>(call)).Failure);

    private async Task<UploadInfo> CreateAsync(UploadKey key) => (await _store.CreateAsync(key, new UploadRecord(), Token)).Info!;

    private async Task<AppendResult> AppendAsync(UploadKey key, long offset, byte[] bytes) =>
        await _store.AppendAsync(key, offset, RecordingContent.FromBytes(bytes), AppendMode.KeepPartial, Token);

    private async Task<byte[]> ContentAsync(UploadKey key)
    {
        await using Stream stream = (await _store.OpenReadAsync(key, Token))!;
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy, Token);
        return copy.ToArray();
    }
}
