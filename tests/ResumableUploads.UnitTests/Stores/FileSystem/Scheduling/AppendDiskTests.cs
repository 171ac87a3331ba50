using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.Scheduling;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Scheduling;

/// <summary>The calls that clean up after an append was canceled.</summary>
public sealed class AppendDiskTests : FileSystemStoreTest
{
    private readonly ManualResetEventSlim _release = new();
    private readonly TaskCompletionSource _hangs = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TimerCounter _time = new();
    private readonly CancellationTokenSource _cancellation = new();
    private readonly FedContent _content = new();
    private FileSystemUploadStore? _store;

    public override void Dispose()
    {
        _release.Set();
        base.Dispose();
        _release.Dispose();
        _cancellation.Dispose();
    }

    [Fact]
    public async Task Canceled_append_has_one_timer_and_disposes_it()
    {
        Task<AppendResult> append = await StartStagedAppendAsync();
        int calls = 0;
        Files.Before = (_, _) => calls++;
        await EndAsync();
        Assert.Equal(AppendStatus.Discarded, (await append).Status);
        Assert.True(calls > 1, $"{calls} calls");
        Assert.Equal((1, 0), (_time.Created, _time.Active));
    }

    [Fact]
    public async Task Append_that_is_not_canceled_has_no_timer()
    {
        Task<AppendResult> append = await StartStagedAppendAsync();
        _content.End();
        Assert.Equal(AppendStatus.Appended, (await append).Status);
        Assert.Equal(0, _time.Created);
    }

    [Fact]
    public async Task Clean_up_that_hangs_is_abandoned_after_the_delay()
    {
        Task<AppendResult> append = await StartStagedAppendAsync();
        Files.Before = (step, _) => HangIf(step == "truncate");
        await EndAsync();
        await _hangs.Task;
        _time.Advance(StoreContext.AbandonDelay - TimeSpan.FromTicks(1));
        Assert.False(append.IsCompleted);
        _time.Advance(TimeSpan.FromTicks(1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => append);
        Assert.Equal((1, 0), (_time.Created, _time.Active));

        // The append continues without the request, and starts no timer again.
        Files.Before = null;
        _release.Set();
        await Eventually.TrueAsync(async () => (await AppendAsync(_store!, 0, [])).Status == AppendStatus.Appended, "the lock was released");
        Assert.Equal((1, 0), (_time.Created, _time.Active));
    }

    [Fact]
    public async Task Abandoned_append_starts_no_timer_when_it_continues()
    {
        _store = new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = StoreRoot, SyncSize = 1 }, _time, Logs, Files);
        await CreateAsync(_store);
        Files.Before = (step, _) => HangIf(step == "sync");
        await _content.FeedAsync(Bytes(1_000));
        Task<AppendResult> append = _store.AppendAsync(Key, 0, _content, AppendMode.KeepPartial, _cancellation.Token).AsTask();
        await _hangs.Task;
        await _cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => append);
        Files.Before = null;
        _release.Set();
        await Eventually.TrueAsync(async () => (await AppendAsync(_store, 1_000, [])).Status == AppendStatus.Appended, "the lock was released");
        Assert.Equal(0, _time.Created);
    }

    [Fact]
    public async Task Call_that_hangs_is_abandoned_if_the_delay_has_passed_before_it_began()
    {
        var options = new FileSystemUploadStoreOptions { Directory = StoreRoot };
        var scheduler = new DiskScheduler("test", 4, _time);
        var disk = new AppendDisk(new StoreContext(options, new StorePaths(StoreRoot), Files, _time, Logs, scheduler), "owner", _cancellation.Token);
        await _cancellation.CancelAsync();
        async ValueTask<AppendResult> CleanUpAsync()
        {
            await disk.RunToEndAsync(DiskCallKind.Device, 0, static _ => true);
            _time.Advance(StoreContext.AbandonDelay);
            await disk.RunToEndAsync(DiskCallKind.Device, this, static test => { test.HangIf(true); return true; });
            return default;
        }

        Task<AppendResult> append = disk.WaitAsync(CleanUpAsync()).AsTask();
        await _hangs.Task;
        Assert.False(append.IsCompleted);
        _time.Advance(StoreContext.AbandonDelay);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => append);
    }

    /// <summary>Starts an append that has written its bytes and waits for more.</summary>
    private async Task<Task<AppendResult>> StartStagedAppendAsync()
    {
        _store = new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = StoreRoot }, _time, Logs, Files);
        await CreateAsync(_store);
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Files.After = (step, path) =>
        {
            if (step == "write" && path.EndsWith(".data", StringComparison.Ordinal))
            {
                written.TrySetResult();
            }
        };
        await _content.FeedAsync(Bytes(1_000));
        Task<AppendResult> append = _store.AppendAsync(Key, 0, _content, AppendMode.AllOrNothing, _cancellation.Token).AsTask();
        await written.Task;
        return append;
    }

    /// <summary>Cancels the append while it waits for the client, and ends its content.</summary>
    private async Task EndAsync()
    {
        await _cancellation.CancelAsync();
        _content.End();
    }

    private void HangIf(bool condition)
    {
        if (condition)
        {
            _hangs.TrySetResult();
            _release.Wait(TestTimeout);
        }
    }

    /// <summary>Counts the timers that abandon a call.</summary>
    private sealed class TimerCounter : FakeTimeProvider
    {
        private int _created;
        private int _active;

        public int Created => Volatile.Read(ref _created);

        public int Active => Volatile.Read(ref _active);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            ITimer timer = base.CreateTimer(callback, state, dueTime, period);
            if (dueTime != StoreContext.AbandonDelay)
            {
                return timer;
            }

            Interlocked.Increment(ref _created);
            Interlocked.Increment(ref _active);
            return new CountedTimer(this, timer);
        }

        private sealed class CountedTimer(TimerCounter counter, ITimer timer) : ITimer
        {
            private int _isDisposed;

            public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(dueTime, period);

            public void Dispose()
            {
                if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
                {
                    Interlocked.Decrement(ref counter._active);
                    timer.Dispose();
                }
            }

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }
}
