using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Scheduling;

public sealed class KeyedLocksTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    private readonly KeyedLocks _locks = new();

    [Fact]
    public void Thread_enters_its_own_lock_again()
    {
        using (KeyedLocks.KeyedLock? outer = Enter("a"))
        using (KeyedLocks.KeyedLock? inner = Enter("a"))
        {
            Assert.NotNull(outer);
            Assert.NotNull(inner);
            Assert.Equal(1, _locks.Count);
        }

        Assert.Equal(0, _locks.Count);
    }

    [Fact]
    public void Lock_of_another_key_is_entered_without_a_wait()
    {
        using KeyedLocks.KeyedLock? first = Enter("a");
        RunElsewhere(() => Enter("b")!.Value.Dispose());
        Assert.Equal(1, _locks.Count);
    }

    [Fact]
    public void Lock_that_is_held_is_not_entered_after_the_timeout()
    {
        using KeyedLocks.KeyedLock? first = Enter("a");
        RunElsewhere(() => Assert.Null(_locks.TryEnter("a", TimeSpan.FromMilliseconds(1), static () => { })));
        Assert.Equal(1, _locks.Count);
    }

    [Fact]
    public void Exception_before_a_wait_leaves_the_lock_to_its_holder()
    {
        using (KeyedLocks.KeyedLock? first = Enter("a"))
        {
            RunElsewhere(() => Assert.Throws<DiskThreadRequiredException>(() => _locks.TryEnter("a", Long, static () => throw new DiskThreadRequiredException())));
        }

        Assert.Equal(0, _locks.Count);
    }

    [Fact]
    public void Waiting_thread_enters_when_the_holder_leaves()
    {
        using var waits = new ManualResetEventSlim();
        KeyedLocks.KeyedLock first = Enter("a")!.Value;
        bool isEntered = false;
        Thread other = Start(() =>
        {
            using KeyedLocks.KeyedLock? second = _locks.TryEnter("a", Long, waits.Set);
            isEntered = second is not null;
        });
        Assert.True(waits.Wait(Long, TestContext.Current.CancellationToken));
        first.Dispose();
        other.Join();
        Assert.True(isEntered);
        Assert.Equal(0, _locks.Count);
    }

    private KeyedLocks.KeyedLock? Enter(string key) => _locks.TryEnter(key, Long, static () => Assert.Fail("The lock is held."));

    private static void RunElsewhere(Action action)
    {
        Exception? failure = null;
        Start(() => failure = Record.Exception(action)).Join();
        Assert.Null(failure);
    }

    private static Thread Start(ThreadStart action)
    {
        var thread = new Thread(action) { IsBackground = true };
        thread.Start();
        return thread;
    }
}
