using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Quotas;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Engine.Quotas;

/// <summary>A request that has found the account of an owner before it is removed must not reserve anything in the removed account.</summary>
public class RemovedAccountTests
{
    private static readonly QuotaAccount Account = new("a");
    private readonly BlockingTime _time = new();
    private readonly OwnerQuota _quota;

    public RemovedAccountTests() => _quota = new OwnerQuota(
        new MemoryUploadStore(), new OwnerUsageTable(), TestSettings.Default with { MaxUploadsPerOwner = 1, MaxAppendsPerOwner = 1 }, _time, default);

    [Fact]
    public async Task Append_during_the_removal_is_counted()
    {
        await RunDuringRemovalAsync(() => Assert.True(_quota.TryReserveAppend(Account)));
        Assert.False(_quota.TryReserveAppend(Account));
    }

    [Fact]
    public async Task Upload_during_the_removal_is_counted()
    {
        await RunDuringRemovalAsync(() => Assert.Null(ReserveUpload()));
        Assert.Equal(UploadResultKind.TooManyUploads, ReserveUpload());
    }

    /// <summary>Two engines with one store remove idle owners at the same time, and a request comes between them.</summary>
    [Fact]
    public async Task Account_that_was_added_after_another_removal_is_kept()
    {
        var table = new OwnerUsageTable();
        var time = new HookedTime();
        OwnerQuota[] quotas = [.. Enumerable.Range(0, 2).Select(_ => new OwnerQuota(new MemoryUploadStore(), table, TestSettings.Default with { MaxAppendsPerOwner = 1 }, time, default))];
        await quotas[0].GetAvailableBytesAsync(Account);
        time.Advance(TimeSpan.FromHours(1));
        time.OnReading = () =>
        {
            quotas[1].RemoveIdleOwners();
            Assert.True(quotas[1].TryReserveAppend(Account));
        };
        quotas[0].RemoveIdleOwners();
        Assert.False(quotas[0].TryReserveAppend(Account));
    }

    private UploadResultKind? ReserveUpload() => _quota.ReserveUploadAsync(Account, 1).AsTask().GetAwaiter().GetResult();

    /// <summary>Runs a reservation while the removal holds the lock of the account.</summary>
    private async Task RunDuringRemovalAsync(Action reserve)
    {
        // The account is counted, and then outdated.
        await _quota.GetAvailableBytesAsync(Account);
        _time.Advance(TimeSpan.FromHours(1));

        _time.Block();
        Task removal = Task.Run(_quota.RemoveIdleOwners);
        await Eventually.WithinAsync(_time.Reached);
        var reserved = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                reserve();
                reserved.SetResult();
            }
            catch (Exception e)
            {
                reserved.SetException(e);
            }
        });
        thread.Start();
        await Eventually.TrueAsync(() => thread.ThreadState.HasFlag(ThreadState.WaitSleepJoin), "the reservation waits for the lock");
        _time.Release();
        await Eventually.WithinAsync(removal);
        await Eventually.WithinAsync(reserved.Task);
    }

    /// <summary>A clock whose next reading runs an action.</summary>
    private sealed class HookedTime : FakeTimeProvider
    {
        private Action? _onReading;

        public Action? OnReading
        {
            set => _onReading = value;
        }

        public override long GetTimestamp()
        {
            Interlocked.Exchange(ref _onReading, null)?.Invoke();
            return base.GetTimestamp();
        }
    }

    /// <summary>A clock whose next reading blocks.</summary>
    private sealed class BlockingTime : FakeTimeProvider
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ManualResetEventSlim _released = new();
        private int _blocks;

        public Task Reached => _reached.Task;

        public void Block() => _blocks = 1;

        public void Release() => _released.Set();

        public override long GetTimestamp()
        {
            if (Interlocked.Exchange(ref _blocks, 0) == 1)
            {
                _reached.SetResult();
                _released.Wait(TimeSpan.FromSeconds(30));
            }

            return base.GetTimestamp();
        }
    }
}
