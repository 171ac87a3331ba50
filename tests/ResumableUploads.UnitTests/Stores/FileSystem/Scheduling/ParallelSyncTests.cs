using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Stores.FileSystem.Scheduling;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Scheduling;

/// <summary>The syncs of one step.</summary>
public sealed class ParallelSyncTests
{
    private const string ThreadName = "Disk of the test";
    private static readonly TimeSpan TestTimeout = TimeSpan.FromSeconds(30);
    private static readonly string[] Three = ["a", "b", "c"];

    private readonly FakeTimeProvider _time = new();
    private readonly Disk _disk = new();

    [Fact]
    public void All_targets_are_synced_at_the_same_time_on_a_slow_disk()
    {
        using var begun = new CountdownEvent(Three.Length);
        _disk.OnSync = _ =>
        {
            begun.Signal();
            Assert.True(begun.Wait(TestTimeout), "A sync has begun only after the end of another one.");
        };
        Run(CreateSync(maxThreads: 8), Three);
        Assert.Equal(Three, _disk.Paths.Order());
    }

    [Theory]
    [InlineData("a")]
    [InlineData("c")]
    public async Task Failure_is_thrown_after_all_syncs_have_ended(string failing)
    {
        using var failed = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        int ended = 0;
        _disk.OnSync = path =>
        {
            if (path == failing)
            {
                failed.Set();
                throw new IOException("broken");
            }

            Assert.True(release.Wait(TestTimeout));
            Interlocked.Increment(ref ended);
        };
        ParallelSync sync = CreateSync(maxThreads: 8);
        Exception? error = null;
        int endedBefore = -1;
        var caller = new Thread(() =>
        {
            error = Record.Exception(() => Run(sync, Three));
            endedBefore = ended;
        }) { IsBackground = true };
        caller.Start();
        Assert.True(failed.Wait(TestTimeout));
        await Eventually.TrueAsync(() => !caller.IsAlive || caller.ThreadState.HasFlag(ThreadState.WaitSleepJoin), "the caller waits");
        release.Set();
        Assert.True(caller.Join(TestTimeout));
        Assert.IsType<IOException>(error);
        Assert.Equal(2, endedBefore);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void First_failure_in_the_order_of_the_targets_is_thrown(bool isSlow)
    {
        ParallelSync sync = CreateSync(maxThreads: 4);
        if (!isSlow)
        {
            Run(sync, Three);
        }

        _disk.OnSync = path =>
        {
            AdvanceIf(isSlow);
            throw new IOException(path);
        };
        Assert.Equal("a", Assert.Throws<IOException>(() => Run(sync, Three)).Message);
        _disk.OnSync = path =>
        {
            AdvanceIf(isSlow);
            if (path != "a")
            {
                throw new IOException(path);
            }
        };
        Assert.Equal("b", Assert.Throws<IOException>(() => Run(sync, Three)).Message);
    }

    [Fact]
    public async Task Callers_on_all_threads_of_the_scheduler_run_their_syncs_themselves()
    {
        const int Threads = 4;
        var scheduler = new DiskScheduler(ThreadName, Threads, TimeProvider.System);
        var sync = new ParallelSync(scheduler, _time);
        _disk.OnSync = _ => AdvanceIf(isSlow: true);
        using var start = new Barrier(Threads);
        using var end = new Barrier(Threads);
        Task<int>[] calls = [.. Enumerable.Range(0, Threads).Select(i => scheduler.RunAsync(
            new DiskCallOptions($"{i}", DiskCallKind.Device, null),
            i,
            i =>
            {
                Assert.True(start.SignalAndWait(TestTimeout), "The threads of the scheduler do not run at the same time.");
                Run(sync, [$"{i}a", $"{i}b", $"{i}c"]);

                // No thread becomes free before all syncs have ended.
                Assert.True(end.SignalAndWait(TestTimeout), "A caller waits for its syncs.");
                return Environment.CurrentManagedThreadId;
            },
            CancellationToken.None).AsTask())];
        int[] threads = await Task.WhenAll(calls);
        for (int i = 0; i < Threads; i++)
        {
            Assert.Equal([$"{i}a", $"{i}b", $"{i}c"], _disk.Syncs.Where(call => call.Thread == threads[i]).Select(static call => call.Path));
        }
    }

    [Fact]
    public void Targets_are_synced_in_order_by_the_caller_while_syncs_are_fast()
    {
        var scheduler = new DiskScheduler(ThreadName, 4, _time);
        var sync = new ParallelSync(scheduler, _time);

        // The first sync shows how fast the disk is.
        Run(sync, ["a"]);
        Run(sync, Three);
        Assert.Equal(["a", .. Three], _disk.Paths);
        Assert.All(_disk.Syncs, static call => Assert.Equal(Environment.CurrentManagedThreadId, call.Thread));
        Assert.Equal(0, scheduler.ThreadCount);
    }

    [Theory]
    [InlineData(300, true)]
    [InlineData(301, false)]
    public void Sync_after_a_slow_one_uses_other_threads(int microseconds, bool isFast)
    {
        ParallelSync sync = CreateSync(maxThreads: 4);
        _disk.OnSync = _ => _time.Advance(TimeSpan.FromMicroseconds(microseconds));
        Run(sync, ["a"]);
        _disk.Syncs.Clear();
        using var begun = new CountdownEvent(2);
        _disk.OnSync = _ => begun.Signal();
        if (!isFast)
        {
            _disk.OnSync = _ =>
            {
                begun.Signal();
                Assert.True(begun.Wait(TestTimeout));
            };
        }

        Run(sync, ["a", "b"]);
        Assert.Equal(isFast ? 1 : 2, _disk.Syncs.Select(static call => call.Thread).Distinct().Count());
    }

    [Fact]
    public void Caller_runs_all_syncs_if_the_scheduler_has_no_threads()
    {
        _disk.OnSync = _ => AdvanceIf(isSlow: true);
        ParallelSync sync = CreateSync(maxThreads: 0);
        for (int i = 0; i < 2; i++)
        {
            Run(sync, Three);
        }

        Assert.Equal([.. Three, .. Three], _disk.Paths);
        Assert.All(_disk.Syncs, static call => Assert.Equal(Environment.CurrentManagedThreadId, call.Thread));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public void Run_without_targets_does_nothing(int maxThreads)
    {
        Run(CreateSync(maxThreads), []);
        Assert.Empty(_disk.Syncs);
    }

    private ParallelSync CreateSync(int maxThreads) => new(new DiskScheduler(ThreadName, maxThreads, _time), _time);

    private void Run(ParallelSync sync, string[] directories) =>
        sync.Run(_disk, [.. directories.Select(static directory => new SyncTarget(directory))]);

    private void AdvanceIf(bool isSlow)
    {
        if (isSlow)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
        }
    }

    private sealed class Disk : DelegatingFileLayer
    {
        public ConcurrentQueue<(string Path, int Thread)> Syncs { get; } = new();

        public IEnumerable<string> Paths => Syncs.Select(static call => call.Path);

        public Action<string> OnSync { get; set; } = static _ => { };

        public override void SyncDirectory(string path)
        {
            Syncs.Enqueue((path, Environment.CurrentManagedThreadId));
            OnSync(path);
        }
    }
}
