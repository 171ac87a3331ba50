using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Locking;

namespace ResumableUploads.UnitTests.Engine.Locking;

public class TurnTableTests
{
    private static readonly UploadKey Key = new("o", "i");
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);
    private readonly FakeTimeProvider _time = new();
    private readonly UploadLockTable _locks;

    public TurnTableTests() => _locks = new UploadLockTable(_time);

    [Fact]
    public void A_turn_is_had_by_one_and_given_back()
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
    public async Task Who_comes_next_asks_the_holder_to_leave_and_waits()
    {
        UploadLock first = _locks.TryAcquire(Key)!;
        int asked = 0;
        first.OnReleaseRequested(() => asked++);
        Task<UploadLock?> second = _locks.AcquireAsync(Key, Long, default).AsTask();
        Assert.Equal(1, asked);
        Assert.False(second.IsCompleted);
        first.Dispose();
        Assert.NotNull(await second);
        Assert.True(IsHeld());
    }

    [Fact]
    public async Task A_holder_that_was_asked_before_it_listened_is_told_at_once()
    {
        UploadLock first = _locks.TryAcquire(Key)!;
        Task<UploadLock?> second = _locks.AcquireAsync(Key, Long, default).AsTask();
        bool asked = false;
        first.OnReleaseRequested(() => asked = true);
        Assert.True(asked);
        first.Dispose();
        (await second)!.Dispose();
    }

    [Fact]
    public async Task Those_who_wait_are_served_in_order_and_each_is_asked_to_leave_while_somebody_waits()
    {
        UploadLock first = _locks.TryAcquire(Key)!;
        Task<UploadLock?>[] waiting = [.. Enumerable.Range(0, 5).Select(_ => _locks.AcquireAsync(Key, Long, default).AsTask())];
        first.Dispose();
        for (int i = 0; i < waiting.Length; i++)
        {
            UploadLock uploadLock = (await waiting[i])!;
            Assert.All(waiting[(i + 1)..], static task => Assert.False(task.IsCompleted));
            bool asked = false;
            uploadLock.OnReleaseRequested(() => asked = true);
            Assert.Equal(i < waiting.Length - 1, asked);
            uploadLock.Dispose();
        }

        Assert.False(IsHeld());
    }

    [Fact]
    public async Task Who_has_waited_long_enough_gets_nothing_and_is_in_nobodys_way()
    {
        UploadLock first = _locks.TryAcquire(Key)!;
        Task<UploadLock?> second = _locks.AcquireAsync(Key, TimeSpan.FromSeconds(5), default).AsTask();
        Task<UploadLock?> third = _locks.AcquireAsync(Key, Long, default).AsTask();
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Null(await second);
        first.Dispose();
        (await third)!.Dispose();
        Assert.False(IsHeld());
    }

    [Fact]
    public async Task Who_has_left_already_asks_nobody_to_leave()
    {
        UploadLock first = _locks.TryAcquire(Key)!;
        bool asked = false;
        first.OnReleaseRequested(() => asked = true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _locks.AcquireAsync(Key, Long, new CancellationToken(canceled: true)).AsTask());
        Assert.False(asked);
        first.Dispose();
        Assert.False(IsHeld());
    }

    [Fact]
    public async Task Who_gives_up_hands_the_turn_on()
    {
        UploadLock first = _locks.TryAcquire(Key)!;
        using var leaving = new CancellationTokenSource();
        Task<UploadLock?> second = _locks.AcquireAsync(Key, Long, leaving.Token).AsTask();
        Task<UploadLock?> third = _locks.AcquireAsync(Key, Long, default).AsTask();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        first.Dispose();
        Assert.NotNull(await third);
    }

    [Fact]
    public void What_the_holder_has_made_durable_is_known_to_others()
    {
        Assert.Equal(0, _locks.GetDurableOffset(Key));
        using UploadLock uploadLock = _locks.TryAcquire(Key)!;
        uploadLock.DurableOffset = 42;
        Assert.Equal(42, _locks.GetDurableOffset(Key));
    }

    [Fact]
    public async Task Of_many_who_come_and_go_one_at_a_time_has_the_turn_and_nobody_is_lost()
    {
        var locks = new UploadLockTable(TimeProvider.System);
        UploadKey[] keys = [Key, new("o", "j")];
        int[] inside = new int[keys.Length];
        int served = 0;
        int gaveUp = 0;
        const int Tasks = 32;
        const int Rounds = 100;
        await Task.WhenAll(Enumerable.Range(0, Tasks).Select(number => Task.Run(async () =>
        {
            var random = new Random(number);
            for (int i = 0; i < Rounds; i++)
            {
                int which = random.Next(keys.Length);
                using var leaving = new CancellationTokenSource();
                Task<UploadLock?> taking = locks.AcquireAsync(keys[which], TimeSpan.FromSeconds(30), leaving.Token).AsTask();
                if (random.Next(4) == 0)
                {
                    await leaving.CancelAsync();
                }

                UploadLock? uploadLock;
                try
                {
                    uploadLock = await taking;
                }
                catch (OperationCanceledException)
                {
                    Interlocked.Increment(ref gaveUp);
                    continue;
                }

                Assert.NotNull(uploadLock);
                Assert.Equal(1, Interlocked.Increment(ref inside[which]));
                await Task.Yield();
                Assert.Equal(0, Interlocked.Decrement(ref inside[which]));
                uploadLock.Dispose();
                Interlocked.Increment(ref served);
            }
        })));
        Assert.Equal(Tasks * Rounds, served + gaveUp);
        foreach (UploadKey key in keys)
        {
            // The last one may have given up at the moment it was served: then the turn comes back a moment later.
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
