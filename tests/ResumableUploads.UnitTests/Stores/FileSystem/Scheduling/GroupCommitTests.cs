using ResumableUploads.Stores.FileSystem.Scheduling;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Scheduling;

/// <summary>Callers that share the sync of a directory.</summary>
public sealed class GroupCommitTests : IDisposable
{
    private static readonly TimeSpan TestTimeout = TimeSpan.FromSeconds(30);

    private readonly GroupCommit _commit;
    private readonly SemaphoreSlim _begun = new(0);
    private readonly SemaphoreSlim _results = new(0);
    private readonly Lock _lock = new();
    private readonly Queue<Exception?> _failures = new();
    private readonly List<string> _syncs = [];

    public GroupCommitTests() => _commit = new GroupCommit(Sync);

    public void Dispose()
    {
        _begun.Dispose();
        _results.Dispose();
    }

    [Fact]
    public async Task Caller_that_arrives_during_a_sync_waits_for_the_next_one_which_serves_all()
    {
        Task first = await StartFirstAsync("a");
        Task[] others = [.. Enumerable.Range(0, 5).Select(_ => StartAsync("a"))];
        await WaitForWaitingAsync(5);
        _results.Release();
        await first.WaitAsync(TestTimeout, TimeProvider.System);

        // The second sync has begun, and its callers wait until it has ended.
        await BeginsAsync();
        Assert.DoesNotContain(others, static other => other.IsCompleted);
        _results.Release();
        await Task.WhenAll(others).WaitAsync(TestTimeout, TimeProvider.System);
        Assert.Equal(["a", "a"], _syncs);
    }

    [Fact]
    public async Task Caller_that_arrives_during_the_second_sync_waits_for_the_third()
    {
        Task first = await StartFirstAsync("a");
        Task second = StartAsync("a");
        await WaitForWaitingAsync(1);
        _results.Release();
        await BeginsAsync();
        Task third = StartAsync("a");
        await WaitForWaitingAsync(1);
        _results.Release();
        await Task.WhenAll(first, second).WaitAsync(TestTimeout, TimeProvider.System);
        await BeginsAsync();
        Assert.False(third.IsCompleted);
        _results.Release();
        await third.WaitAsync(TestTimeout, TimeProvider.System);
        Assert.Equal(3, _syncs.Count);
    }

    [Fact]
    public async Task Failure_reaches_exactly_the_callers_whose_sync_failed()
    {
        _failures.Enqueue(null);
        _failures.Enqueue(new IOException("broken"));
        Task first = await StartFirstAsync("a");
        Task[] second = [StartAsync("a"), StartAsync("a"), StartAsync("a")];
        await WaitForWaitingAsync(3);
        _results.Release();
        await BeginsAsync();
        Task third = StartAsync("a");
        await WaitForWaitingAsync(3);
        _results.Release(2);

        await first.WaitAsync(TestTimeout, TimeProvider.System);
        await third.WaitAsync(TestTimeout, TimeProvider.System);
        foreach (Task failed in second)
        {
            Assert.Equal("broken", (await Assert.ThrowsAsync<IOException>(() => failed.WaitAsync(TestTimeout, TimeProvider.System))).Message);
        }
    }

    [Fact]
    public async Task Sync_of_another_path_is_not_held_up()
    {
        Task first = await StartFirstAsync("a");
        Task other = await StartFirstAsync("b");
        Assert.Equal(2, _commit.PathCount);
        _results.Release(2);
        await Task.WhenAll(first, other).WaitAsync(TestTimeout, TimeProvider.System);
        Assert.Equal(["a", "b"], _syncs);
    }

    [Fact]
    public async Task Path_is_removed_after_its_last_caller_also_if_the_sync_failed()
    {
        _failures.Enqueue(new IOException("broken"));
        Task first = await StartFirstAsync("a");
        Task second = StartAsync("a");
        await WaitForWaitingAsync(1);
        Assert.Equal(1, _commit.PathCount);
        _results.Release();
        await Assert.ThrowsAsync<IOException>(() => first.WaitAsync(TestTimeout, TimeProvider.System));
        Assert.Equal(1, _commit.PathCount);
        _results.Release();
        await second.WaitAsync(TestTimeout, TimeProvider.System);
        Assert.Equal(0, _commit.PathCount);
    }

    /// <summary>Starts a caller whose sync begins at once.</summary>
    private async Task<Task> StartFirstAsync(string path)
    {
        Task caller = StartAsync(path);
        await BeginsAsync();
        return caller;
    }

    private Task StartAsync(string path) =>
        Task.Factory.StartNew(() => _commit.Run(path), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private async Task BeginsAsync() => Assert.True(await _begun.WaitAsync(TestTimeout, TestContext.Current.CancellationToken), "No sync has begun.");

    private Task WaitForWaitingAsync(int count) => Eventually.TrueAsync(() => _commit.WaitingCount == count, $"{count} callers wait");

    private void Sync(string path)
    {
        Exception? failure;
        lock (_lock)
        {
            _syncs.Add(path);
            failure = _failures.TryDequeue(out Exception? next) ? next : null;
        }

        _begun.Release();
        Assert.True(_results.Wait(TestTimeout), "The test has not ended the sync.");
        if (failure is not null)
        {
            throw failure;
        }
    }
}
