using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Turns;

namespace ResumableUploads.UnitTests.Engine.Locking;

public class TurnTableTests
{
    private static readonly UploadKey Key = new("o", "i");
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);
    private readonly FakeTimeProvider _time = new();
    private readonly TurnTable _table;

    public TurnTableTests() => _table = new TurnTable(_time);

    [Fact]
    public void A_turn_is_had_by_one_and_given_back()
    {
        Turn turn = _table.TryTake(Key)!;
        Assert.Null(_table.TryTake(Key));
        Assert.True(_table.IsHeld(Key));
        Assert.NotNull(_table.TryTake(new UploadKey("o", "other")));
        turn.Dispose();
        turn.Dispose();
        Assert.False(_table.IsHeld(Key));
        Assert.NotNull(_table.TryTake(Key));
    }

    [Fact]
    public async Task Who_comes_next_asks_the_holder_to_leave_and_waits()
    {
        Turn first = _table.TryTake(Key)!;
        int asked = 0;
        first.WhenAskedToLeave(() => asked++);
        Task<Turn?> second = _table.TakeAsync(Key, Long, default).AsTask();
        Assert.Equal(1, asked);
        Assert.False(second.IsCompleted);
        first.Dispose();
        Assert.NotNull(await second);
        Assert.True(_table.IsHeld(Key));
    }

    [Fact]
    public async Task A_holder_that_was_asked_before_it_listened_is_told_at_once()
    {
        Turn first = _table.TryTake(Key)!;
        Task<Turn?> second = _table.TakeAsync(Key, Long, default).AsTask();
        bool asked = false;
        first.WhenAskedToLeave(() => asked = true);
        Assert.True(asked);
        first.Dispose();
        (await second)!.Dispose();
    }

    [Fact]
    public async Task Those_who_wait_are_served_in_order_and_each_is_asked_to_leave_while_somebody_waits()
    {
        Turn first = _table.TryTake(Key)!;
        Task<Turn?>[] waiting = [.. Enumerable.Range(0, 5).Select(_ => _table.TakeAsync(Key, Long, default).AsTask())];
        first.Dispose();
        for (int i = 0; i < waiting.Length; i++)
        {
            Turn turn = (await waiting[i])!;
            Assert.All(waiting[(i + 1)..], static task => Assert.False(task.IsCompleted));
            bool asked = false;
            turn.WhenAskedToLeave(() => asked = true);
            Assert.Equal(i < waiting.Length - 1, asked);
            turn.Dispose();
        }

        Assert.False(_table.IsHeld(Key));
    }

    [Fact]
    public async Task Who_has_waited_long_enough_gets_nothing_and_is_in_nobodys_way()
    {
        Turn first = _table.TryTake(Key)!;
        Task<Turn?> second = _table.TakeAsync(Key, TimeSpan.FromSeconds(5), default).AsTask();
        Task<Turn?> third = _table.TakeAsync(Key, Long, default).AsTask();
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Null(await second);
        first.Dispose();
        (await third)!.Dispose();
        Assert.False(_table.IsHeld(Key));
    }

    [Fact]
    public async Task Who_has_left_already_asks_nobody_to_leave()
    {
        Turn first = _table.TryTake(Key)!;
        bool asked = false;
        first.WhenAskedToLeave(() => asked = true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _table.TakeAsync(Key, Long, new CancellationToken(canceled: true)).AsTask());
        Assert.False(asked);
        first.Dispose();
        Assert.False(_table.IsHeld(Key));
    }

    [Fact]
    public async Task Who_gives_up_hands_the_turn_on()
    {
        Turn first = _table.TryTake(Key)!;
        using var leaving = new CancellationTokenSource();
        Task<Turn?> second = _table.TakeAsync(Key, Long, leaving.Token).AsTask();
        Task<Turn?> third = _table.TakeAsync(Key, Long, default).AsTask();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        first.Dispose();
        Assert.NotNull(await third);
    }

    [Fact]
    public void What_the_holder_has_made_durable_is_known_to_others()
    {
        Assert.Equal(0, _table.DurableOffset(Key));
        using Turn turn = _table.TryTake(Key)!;
        turn.DurableOffset = 42;
        Assert.Equal(42, _table.DurableOffset(Key));
    }

    [Fact]
    public async Task Of_many_who_come_and_go_one_at_a_time_has_the_turn_and_nobody_is_lost()
    {
        var table = new TurnTable(TimeProvider.System);
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
                Task<Turn?> taking = table.TakeAsync(keys[which], TimeSpan.FromSeconds(30), leaving.Token).AsTask();
                if (random.Next(4) == 0)
                {
                    await leaving.CancelAsync();
                }

                Turn? turn;
                try
                {
                    turn = await taking;
                }
                catch (OperationCanceledException)
                {
                    Interlocked.Increment(ref gaveUp);
                    continue;
                }

                Assert.NotNull(turn);
                Assert.Equal(1, Interlocked.Increment(ref inside[which]));
                await Task.Yield();
                Assert.Equal(0, Interlocked.Decrement(ref inside[which]));
                turn.Dispose();
                Interlocked.Increment(ref served);
            }
        })));
        Assert.Equal(Tasks * Rounds, served + gaveUp);
        foreach (UploadKey key in keys)
        {
            // The last one may have given up at the moment it was served: then the turn comes back a moment later.
            using Turn? free = await table.TakeAsync(key, TimeSpan.FromSeconds(30), default);
            Assert.NotNull(free);
        }
    }
}
