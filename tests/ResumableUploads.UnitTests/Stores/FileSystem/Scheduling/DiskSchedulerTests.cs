using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Stores.FileSystem.Scheduling;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Scheduling;

/// <summary>The threads on which the file store waits for a disk.</summary>
public sealed class DiskSchedulerTests : IDisposable
{
    private const string Name = "Disk of the test";
    private static readonly AsyncLocal<string?> Scope = new();

    private readonly ManualResetEventSlim _release = new();
    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _release.Set();
        _release.Dispose();
    }

    [Fact]
    public async Task Device_call_runs_on_thread_of_store_and_continuation_on_another_one()
    {
        DiskScheduler scheduler = Create(4);
        Scope.Value = "request";
        (string? name, bool isPool, string? scope) = await CallAsync(
            scheduler, "a", static () => (Thread.CurrentThread.Name, Thread.CurrentThread.IsThreadPoolThread, Scope.Value));
        Assert.Equal((Name, false, "request"), (name, isPool, scope));
        Assert.NotEqual(Name, Thread.CurrentThread.Name);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Exception_of_call_reaches_caller(bool isCached)
    {
        DiskScheduler scheduler = Create(4);
        DiskCallKind kind = isCached ? DiskCallKind.Cached : DiskCallKind.Device;
        ValueTask<int> call = scheduler.RunAsync<int, int>(new DiskCallOptions("a", kind, null), 0, static _ => throw new IOException("broken"), Token);
        IOException error = await Assert.ThrowsAsync<IOException>(call.AsTask);
        Assert.Equal("broken", error.Message);
        Assert.Equal(1, await CallAsync(scheduler, "a", static () => 1));
    }

    [Fact]
    public async Task Hanging_calls_of_one_lane_do_not_hold_up_another_lane()
    {
        DiskScheduler scheduler = Create(8);
        Task[] hanging = [.. Enumerable.Range(0, 10).Select(_ => HangAsync(scheduler, "slow"))];
        Assert.Equal(1, await CallAsync(scheduler, "fast", static () => 1));
        Assert.Equal((3, 8), (scheduler.ThreadCount, scheduler.QueueLength));
        _release.Set();
        await Task.WhenAll(hanging);
    }

    [Fact]
    public async Task Lanes_get_threads_in_rotation()
    {
        DiskScheduler scheduler = Create(1);
        Task first = HangAsync(scheduler, "z");
        var order = new ConcurrentQueue<string>();
        Task[] calls = [.. new[] { "a1", "a2", "a3", "b1", "c1", "b2" }.Select(name => CallAsync(scheduler, name[..1], () =>
        {
            order.Enqueue(name);
            return 0;
        }))];
        _release.Set();
        await Task.WhenAll([first, .. calls]);
        Assert.Equal(["a1", "b1", "c1", "a2", "b2", "a3"], order);
    }

    [Fact]
    public async Task Canceled_call_leaves_queue()
    {
        DiskScheduler scheduler = Create(1);
        Task first = HangAsync(scheduler, "a");
        using var cancellation = new CancellationTokenSource();
        bool hasRun = false;
        Task<bool> canceled = CallAsync(scheduler, "a", () => hasRun = true, cancellation.Token);
        Task<bool> last = CallAsync(scheduler, "a", static () => true);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => canceled);
        Assert.Equal(1, scheduler.QueueLength);
        _release.Set();
        await first;
        Assert.True(await last);
        Assert.False(hasRun);
    }

    [Fact]
    public async Task Running_call_is_abandoned_after_delay_and_its_result_is_disposed()
    {
        DiskScheduler scheduler = Create(4);
        using var cancellation = new CancellationTokenSource();
        var started = new TaskCompletionSource();
        var result = new DisposableResult();
        Task<DisposableResult> call = scheduler.RunAsync(
            new DiskCallOptions("a", DiskCallKind.Device, TimeSpan.FromSeconds(5)),
            0,
            _ =>
            {
                started.SetResult();
                _release.Wait(Token);
                return result;
            },
            cancellation.Token).AsTask();
        await started.Task;
        await cancellation.CancelAsync();
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.False(call.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.False(result.Disposed.Task.IsCompleted);
        _release.Set();
        await result.Disposed.Task;
    }

    [Fact]
    public async Task Running_call_without_delay_is_not_abandoned()
    {
        DiskScheduler scheduler = Create(4);
        using var cancellation = new CancellationTokenSource();
        Task hanging = HangAsync(scheduler, "a", cancellation.Token);
        await cancellation.CancelAsync();
        _time.Advance(TimeSpan.FromDays(1));
        Assert.False(hanging.IsCompleted);
        _release.Set();
        await hanging;
    }

    [Fact]
    public async Task Idle_threads_end_and_new_ones_are_created()
    {
        var scheduler = new DiskScheduler(Name, 8, _time) { IdleTimeout = TimeSpan.FromMilliseconds(20) };
        for (int round = 0; round < 3; round++)
        {
            await Task.WhenAll(Enumerable.Range(0, 20).Select(i => CallAsync(scheduler, $"{i}", static () => 1)));
            await Eventually.TrueAsync(() => scheduler.ThreadCount == 0, "all threads ended");
        }
    }

    [Fact]
    public async Task Thousands_of_calls_run_once_with_threads_that_come_and_go()
    {
        var scheduler = new DiskScheduler(Name, 8, TimeProvider.System) { IdleTimeout = TimeSpan.FromMilliseconds(1) };
        int count = 0;
        await Parallel.ForAsync(0, 5_000, Token, async (i, token) =>
        {
            await CallAsync(scheduler, $"{i % 5}", () => Interlocked.Increment(ref count), token);
            if (i % 50 == 0)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, token);
            }
        });
        Assert.Equal((5_000, 0), (count, scheduler.QueueLength));
    }

    [Fact]
    public async Task Call_fails_if_system_has_no_thread_and_waits_if_another_thread_exists()
    {
        bool hasThreads = false;
        var scheduler = new DiskScheduler(Name, 8, _time)
        {
            StartThread = thread =>
            {
                if (!hasThreads)
                {
                    throw new InsufficientMemoryException();
                }

                thread.Start();
            },
        };
        await Assert.ThrowsAsync<IOException>(() => CallAsync(scheduler, "a", static () => 1));
        Assert.Equal((0, 0), (scheduler.ThreadCount, scheduler.QueueLength));

        hasThreads = true;
        Task hanging = HangAsync(scheduler, "a");
        hasThreads = false;
        Task<int> waiting = CallAsync(scheduler, "a", static () => 2);
        Task<int> other = CallAsync(scheduler, "b", static () => 3);
        Assert.Equal(1, scheduler.ThreadCount);
        _release.Set();
        await hanging;
        Assert.Equal((2, 3), (await waiting, await other));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public async Task Concurrent_calls_fail_if_the_system_has_no_thread(int maxThreads)
    {
        DiskScheduler? scheduler = null;
        Task<int>? second = null;
        bool isFirst = true;
        scheduler = new DiskScheduler(Name, maxThreads, _time)
        {
            StartThread = _ =>
            {
                // The other caller counts its thread before the first start fails.
                if (isFirst)
                {
                    isFirst = false;
                    second = CallAsync(scheduler!, "b", static () => 2);
                }

                throw new InsufficientMemoryException();
            },
        };
        Task<int> first = CallAsync(scheduler, "a", static () => 1);

        await Assert.ThrowsAsync<IOException>(() => first.WaitAsync(TimeSpan.FromSeconds(30), Token));
        await Assert.ThrowsAsync<IOException>(() => second!.WaitAsync(TimeSpan.FromSeconds(30), Token));
        Assert.Equal((0, 0), (scheduler.ThreadCount, scheduler.QueueLength));
    }

    [Fact]
    public async Task Cached_call_runs_in_place_unless_earlier_ones_waited_for_the_disk()
    {
        DiskScheduler scheduler = Create(4);
        Assert.Equal(Environment.CurrentManagedThreadId, await CachedAsync(scheduler, static () => Environment.CurrentManagedThreadId));

        for (int i = 0; i < 2; i++)
        {
            Assert.NotEqual(Name, await CachedAsync(scheduler, static () => Thread.CurrentThread.Name));
            await CachedAsync(scheduler, () =>
            {
                Token.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(1));
                _time.Advance(TimeSpan.FromMilliseconds(21));
                return 0;
            });
        }

        Assert.Equal(Name, await CachedAsync(scheduler, static () => Thread.CurrentThread.Name));

        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.NotEqual(Name, await CachedAsync(scheduler, static () => Thread.CurrentThread.Name));
    }

    [Fact]
    public async Task Hanging_cached_calls_leave_a_processor_to_the_application()
    {
        DiskScheduler scheduler = Create(4);
        int inPlace = Math.Max(1, Environment.ProcessorCount - 1);
        using var started = new CountdownEvent(inPlace);
        Thread[] threads = [.. Enumerable.Range(0, inPlace).Select(_ => new Thread(() => CachedAsync(scheduler, () =>
        {
            started.Signal();
            _release.Wait(Token);
            return 0;
        }).GetAwaiter().GetResult()) { IsBackground = true })];
        Array.ForEach(threads, static thread => thread.Start());
        started.Wait(Token);
        Assert.Equal(Name, await CachedAsync(scheduler, static () => Thread.CurrentThread.Name));
        _release.Set();
        Array.ForEach(threads, static thread => thread.Join());
    }

    /// <summary>Creates a scheduler whose threads do not end during a test, even if the machine stalls.</summary>
    private DiskScheduler Create(int maxThreads) => new(Name, maxThreads, _time) { IdleTimeout = TimeSpan.FromMinutes(10) };

    /// <summary>Starts a call that hangs until the test releases it. Returns when it runs, or waits in the queue behind other hanging calls.</summary>
    private Task HangAsync(DiskScheduler scheduler, string lane, CancellationToken cancellationToken = default)
    {
        using var started = new ManualResetEventSlim();
        bool isSecond = scheduler.ThreadCount > 1;
        Task call = CallAsync(
            scheduler,
            lane,
            () =>
            {
                if (!isSecond)
                {
                    started.Set();
                }

                _release.Wait(Token);
                return 0;
            },
            cancellationToken);
        if (!isSecond)
        {
            started.Wait(Token);
        }

        return call;
    }

    private static Task<T> CallAsync<T>(DiskScheduler scheduler, string lane, Func<T> call, CancellationToken cancellationToken = default) =>
        scheduler.RunAsync(new DiskCallOptions(lane, DiskCallKind.Device, null), call, static call => call(), cancellationToken).AsTask();

    private static Task<T> CachedAsync<T>(DiskScheduler scheduler, Func<T> call) =>
        scheduler.RunAsync(new DiskCallOptions("a", DiskCallKind.Cached, null), call, static call => call(), Token).AsTask();

    private sealed class DisposableResult : IDisposable
    {
        public TaskCompletionSource Disposed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Dispose() => Disposed.SetResult();
    }
}
