using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Locking;

namespace ResumableUploads.UnitTests.Engine.Locking;

public class UploadLockTableTests
{
    private static readonly UploadKey Key = new("o", "i");
    private static readonly TimeSpan LongTimeout = TimeSpan.FromMinutes(1);
    private readonly FakeTimeProvider _time = new();
    private readonly UploadLockTable _locks;

    public UploadLockTableTests() => _locks = new UploadLockTable(_time);

    [Fact]
    public void Token_that_is_first_read_after_a_request_to_release_is_canceled()
    {
        using UploadLock uploadLock = new UploadLockTable(TimeProvider.System).TryAcquire(new UploadKey("owner", "id"))!;
        uploadLock.RequestRelease();
        Assert.True(uploadLock.ReleaseRequested.IsCancellationRequested);
    }

    [Fact]
    public async Task Append_at_offset_of_holder_preempts_it_and_holder_receives_nothing_more()
    {
        UploadLock holder = _locks.TryAcquire(Key)!;
        holder.StartReceiving(10);
        Assert.True(holder.TryReceive(5));
        bool isReleaseRequested = false;
        holder.SetReleaseCallback(_ => isReleaseRequested = true);
        Task<(UploadLock? Lock, bool IsRefused)> append = _locks.AcquireForAppendAsync(Key, 15, LongTimeout, default).AsTask();
        Assert.True(isReleaseRequested);
        Assert.False(holder.TryReceive(1));
        Assert.False(append.IsCompleted);
        holder.Dispose();
        Assert.NotNull((await append).Lock);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(14)]
    [InlineData(16)]
    public async Task Append_at_other_offset_is_refused_and_holder_continues(long offset)
    {
        using UploadLock holder = _locks.TryAcquire(Key)!;
        holder.StartReceiving(10);
        Assert.True(holder.TryReceive(5));
        holder.SetReleaseCallback(static _ => Assert.Fail("The holder was disturbed."));
        Assert.Equal((null, true), await _locks.AcquireForAppendAsync(Key, offset, LongTimeout, default));
        Assert.False(holder.ReleaseRequested.IsCancellationRequested);
        Assert.True(holder.TryReceive(1));
    }

    [Fact]
    public async Task Holder_that_starts_to_receive_refuses_waiting_appends_at_other_offsets()
    {
        UploadLock holder = _locks.TryAcquire(Key)!;
        Task<(UploadLock? Lock, bool IsRefused)> other = _locks.AcquireForAppendAsync(Key, 9, LongTimeout, default).AsTask();
        holder.StartReceiving(10);
        Assert.Equal((null, true), await other);
        bool isReleaseRequested = false;
        holder.SetReleaseCallback(_ => isReleaseRequested = true);
        Assert.False(isReleaseRequested);
        Assert.True(holder.TryReceive(1));
        holder.Dispose();
        Assert.False(IsHeld());
    }

    [Fact]
    public async Task Holder_that_starts_to_receive_yields_to_waiting_append_at_its_offset()
    {
        UploadLock holder = _locks.TryAcquire(Key)!;
        Task<(UploadLock? Lock, bool IsRefused)> same = _locks.AcquireForAppendAsync(Key, 10, LongTimeout, default).AsTask();
        holder.StartReceiving(10);
        Assert.False(holder.TryReceive(1));
        holder.Dispose();
        Assert.NotNull((await same).Lock);
    }

    [Fact]
    public async Task Append_at_other_offset_waits_for_a_holder_that_stops_already()
    {
        UploadLock holder = _locks.TryAcquire(Key)!;
        holder.StartReceiving(10);
        Task<UploadLock?> status = _locks.AcquireAsync(Key, LongTimeout, default).AsTask();
        Task<(UploadLock? Lock, bool IsRefused)> append = _locks.AcquireForAppendAsync(Key, 9, LongTimeout, default).AsTask();
        Assert.False(append.IsCompleted);
        holder.Dispose();
        (await status)!.Dispose();
        Assert.NotNull((await append).Lock);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Holder_that_cannot_be_preempted_receives_although_an_append_waits_at_its_offset(bool waitsBefore)
    {
        UploadLock holder = _locks.TryAcquire(Key)!;
        holder.CannotBePreempted = true;
        Task<(UploadLock? Lock, bool IsRefused)>? append = waitsBefore ? _locks.AcquireForAppendAsync(Key, 10, LongTimeout, default).AsTask() : null;
        holder.StartReceiving(10);
        append ??= _locks.AcquireForAppendAsync(Key, 10, LongTimeout, default).AsTask();
        Assert.True(holder.TryReceive(1));
        Assert.False(append.IsCompleted);
        holder.Dispose();
        Assert.NotNull((await append).Lock);
    }

    [Fact]
    public async Task Status_request_preempts_receiving_holder_that_keeps_its_bytes()
    {
        UploadLock holder = _locks.TryAcquire(Key)!;
        holder.StartReceiving(10);
        Task<UploadLock?> status = _locks.AcquireAsync(Key, LongTimeout, default).AsTask();
        bool isReleaseRequested = false;
        holder.SetReleaseCallback(_ => isReleaseRequested = true);
        Assert.True(isReleaseRequested);
        Assert.True(holder.TryReceive(5));
        holder.Dispose();
        Assert.NotNull(await status);
    }

    [Fact]
    public void TryAcquire_held_lock_returns_null_until_disposed()
    {
        UploadLock uploadLock = _locks.TryAcquire(Key)!;
        Assert.Null(_locks.TryAcquire(Key));
        Assert.True(IsHeld());
        Assert.NotNull(_locks.TryAcquire(new UploadKey("o", "other")));
        uploadLock.Dispose();
        uploadLock.Dispose();
        Assert.False(IsHeld());
        Assert.NotNull(_locks.TryAcquire(Key));
    }

    [Fact]
    public async Task AcquireAsync_requests_release_and_waits_for_the_holder()
    {
        UploadLock first = _locks.TryAcquire(Key)!;
        int releaseRequests = 0;
        first.SetReleaseCallback(_ => releaseRequests++);
        Task<UploadLock?> second = _locks.AcquireAsync(Key, LongTimeout, default).AsTask();
        Assert.Equal(1, releaseRequests);
        Assert.False(second.IsCompleted);
        first.Dispose();
        Assert.NotNull(await second);
        Assert.True(IsHeld());
    }

    [Fact]
    public async Task SetReleaseCallback_after_request_invokes_at_once()
    {
        UploadLock first = _locks.TryAcquire(Key)!;
        Task<UploadLock?> second = _locks.AcquireAsync(Key, LongTimeout, default).AsTask();
        bool isReleaseRequested = false;
        first.SetReleaseCallback(_ => isReleaseRequested = true);
        Assert.True(isReleaseRequested);
        first.Dispose();
        (await second)!.Dispose();
    }

    [Fact]
    public async Task Waiters_acquire_in_order_and_are_asked_to_release_while_others_wait()
    {
        UploadLock first = _locks.TryAcquire(Key)!;
        Task<UploadLock?>[] waiting = [.. Enumerable.Range(0, 5).Select(_ => _locks.AcquireAsync(Key, LongTimeout, default).AsTask())];
        first.Dispose();
        for (int i = 0; i < waiting.Length; i++)
        {
            UploadLock uploadLock = (await waiting[i])!;
            Assert.All(waiting[(i + 1)..], static task => Assert.False(task.IsCompleted));
            bool isReleaseRequested = false;
            uploadLock.SetReleaseCallback(_ => isReleaseRequested = true);
            Assert.Equal(i < waiting.Length - 1, isReleaseRequested);
            uploadLock.Dispose();
        }

        Assert.False(IsHeld());
    }

    [Fact]
    public async Task AcquireAsync_after_timeout_returns_null_and_leaves_the_queue()
    {
        UploadLock first = _locks.TryAcquire(Key)!;
        Task<UploadLock?> second = _locks.AcquireAsync(Key, TimeSpan.FromSeconds(5), default).AsTask();
        Task<UploadLock?> third = _locks.AcquireAsync(Key, LongTimeout, default).AsTask();
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Null(await second);
        first.Dispose();
        (await third)!.Dispose();
        Assert.False(IsHeld());
    }

    [Fact]
    public async Task AcquireAsync_with_canceled_token_does_not_request_release()
    {
        UploadLock first = _locks.TryAcquire(Key)!;
        bool isReleaseRequested = false;
        first.SetReleaseCallback(_ => isReleaseRequested = true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _locks.AcquireAsync(Key, LongTimeout, new CancellationToken(canceled: true)).AsTask());
        Assert.False(isReleaseRequested);
        first.Dispose();
        Assert.False(IsHeld());
    }

    [Fact]
    public async Task Canceled_waiter_passes_the_lock_on()
    {
        UploadLock first = _locks.TryAcquire(Key)!;
        using var cancellation = new CancellationTokenSource();
        Task<UploadLock?> second = _locks.AcquireAsync(Key, LongTimeout, cancellation.Token).AsTask();
        Task<UploadLock?> third = _locks.AcquireAsync(Key, LongTimeout, default).AsTask();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        first.Dispose();
        Assert.NotNull(await third);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Next_holder_is_asked_to_release_only_if_a_waiter_remains(bool remains)
    {
        UploadLock first = _locks.TryAcquire(Key)!;
        using var cancellation = new CancellationTokenSource();
        Task<UploadLock?> second = _locks.AcquireAsync(Key, LongTimeout, default).AsTask();
        Task<UploadLock?> third = _locks.AcquireAsync(Key, LongTimeout, cancellation.Token).AsTask();
        Task<UploadLock?>? fourth = remains ? _locks.AcquireAsync(Key, LongTimeout, default).AsTask() : null;
        first.Dispose();
        UploadLock holder = (await second)!;
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => third);

        bool isReleaseRequested = false;
        holder.SetReleaseCallback(_ => isReleaseRequested = true);
        Assert.Equal((remains, remains), (isReleaseRequested, holder.ReleaseRequested.IsCancellationRequested));
        holder.Dispose();
        (fourth is null ? null : await fourth)?.Dispose();
        Assert.False(IsHeld());
    }

    [Fact]
    public async Task Holder_that_was_asked_to_release_stays_asked_after_the_waiter_has_left()
    {
        UploadLock holder = _locks.TryAcquire(Key)!;
        holder.StartReceiving(10);
        holder.SetReleaseCallback(static _ => { });
        Task<UploadLock?> status = _locks.AcquireAsync(Key, TimeSpan.FromSeconds(5), default).AsTask();
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Null(await status);

        // The holder stops, so an append at another offset waits for it instead of being refused.
        Task<(UploadLock? Lock, bool IsRefused)> append = _locks.AcquireForAppendAsync(Key, 9, LongTimeout, default).AsTask();
        Assert.False(append.IsCompleted);
        holder.Dispose();
        (await append).Lock!.Dispose();
    }

    [Fact]
    public void GetDurableOffset_returns_offset_of_the_holder()
    {
        Assert.Equal(0, _locks.GetDurableOffset(Key));
        using UploadLock uploadLock = _locks.TryAcquire(Key)!;
        uploadLock.DurableOffset = 42;
        Assert.Equal(42, _locks.GetDurableOffset(Key));
    }

    [Fact]
    public async Task Concurrent_acquires_are_exclusive_and_none_is_lost()
    {
        var locks = new UploadLockTable(TimeProvider.System);
        UploadKey[] keys = [Key, new("o", "j")];
        int[] holders = new int[keys.Length];
        int acquired = 0;
        int canceled = 0;
        const int Tasks = 32;
        const int Rounds = 100;
        await Task.WhenAll(Enumerable.Range(0, Tasks).Select(number => Task.Run(async () =>
        {
            var random = new Random(number);
            for (int i = 0; i < Rounds; i++)
            {
                int index = random.Next(keys.Length);
                using var cancellation = new CancellationTokenSource();
                Task<UploadLock?> acquiring = locks.AcquireAsync(keys[index], TimeSpan.FromSeconds(30), cancellation.Token).AsTask();
                if (random.Next(4) == 0)
                {
                    await cancellation.CancelAsync();
                }

                UploadLock? uploadLock;
                try
                {
                    uploadLock = await acquiring;
                }
                catch (OperationCanceledException)
                {
                    Interlocked.Increment(ref canceled);
                    continue;
                }

                Assert.NotNull(uploadLock);
                Assert.Equal(1, Interlocked.Increment(ref holders[index]));
                await Task.Yield();
                Assert.Equal(0, Interlocked.Decrement(ref holders[index]));
                uploadLock.Dispose();
                Interlocked.Increment(ref acquired);
            }
        })));
        Assert.Equal(Tasks * Rounds, acquired + canceled);
        foreach (UploadKey key in keys)
        {
            // The last waiter may have been canceled in the moment it acquired the lock, which is released shortly after.
            using UploadLock? free = await locks.AcquireAsync(key, TimeSpan.FromSeconds(30), default);
            Assert.NotNull(free);
        }
    }

    private bool IsHeld()
    {
        using UploadLock? uploadLock = _locks.TryAcquire(Key);
        return uploadLock is null;
    }
}
