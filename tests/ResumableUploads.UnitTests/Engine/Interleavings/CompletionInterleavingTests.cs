using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads.UnitTests.Engine.Interleavings;

/// <summary>Two processes receive the last byte of an upload at the same time, while both sweep. The handler takes longer than a lease.</summary>
public class CompletionInterleavingTests
{
    private static readonly byte[] Content = [1, 2, 3];
    private static readonly TimeSpan HandlerDuration = ScheduledProcess.Settings.HandlerLeaseDuration * 1.5;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public Task Handler_runs_once_at_a_time_in_every_schedule(int failures) => Exploration.AssertNoRaceAsync(
        1000, scheduler => RunAsync(scheduler, new YieldingStore(scheduler.Clock), scheduler.Clock, failures));

    [Fact]
    public Task Lease_that_is_not_renewed_is_found() => Exploration.AssertRaceIsFoundAsync(
        1000, static scheduler => RunAsync(scheduler, new YieldingStore(scheduler.Clock), new ClockWithoutRenewals(scheduler.Clock), 0), "two handlers");

    [Fact]
    public Task Double_completion_is_found() => Exploration.AssertRaceIsFoundAsync(
        1000, static scheduler => RunAsync(scheduler, new UnconditionalStore(scheduler.Clock), scheduler.Clock, 0), "handler");

    private static async Task RunAsync(InterleavingScheduler scheduler, YieldingStore store, TimeProvider clockOfFirst, int failures)
    {
        int running = 0, mostRunning = 0, runs = 0;
        UploadKey key = ScheduledProcess.KeyOf("a");
        ScheduledProcess[] processes = [.. new[] { clockOfFirst, scheduler.Clock }.Select(clock => new ScheduledProcess(store, clock) { OnCompleted = HandleAsync })];
        await processes[0].AppendAsync(key, 0, ScheduledProcess.BodyOf(Content[..2]), 2, Content.Length);
        Task<UploadResult>[] clients = [.. processes.Select(process => process.SendAsync(key, Content))];
        await Task.WhenAll([.. clients, .. processes.Select(SweepAsync)]);

        Assert.True(mostRunning == 1, "There were two handlers at a time.");
        Assert.All(clients, static client => Assert.Contains(client.Result.Kind, new[] { UploadResultKind.Completed, UploadResultKind.Replayed }));
        Assert.Equal(UploadState.Completed, (await store.PeekAsync(key)).Info!.State);
        Assert.True(runs == failures + 1, $"The handler ran {runs} times.");

        async Task<bool> HandleAsync(UploadKey _)
        {
            mostRunning = Math.Max(mostRunning, ++running);
            int run = ++runs;
            await Task.Delay(HandlerDuration, scheduler.Clock);
            running--;
            return run > failures;
        }

        async Task SweepAsync(ScheduledProcess process)
        {
            for (int i = 0; i < 3; i++)
            {
                await process.SweepAsync();
                await Task.Delay(TimeSpan.FromSeconds(0.5), scheduler.Clock);
            }
        }
    }

    /// <summary>The planted race: an update is made although the upload has changed since it was read.</summary>
    private sealed class UnconditionalStore(TimeProvider clock) : YieldingStore(clock)
    {
        protected override async ValueTask<UpdateResult> UpdateNowAsync(UploadKey key, string version, UploadRecord record) =>
            await base.UpdateNowAsync(key, (await PeekAsync(key)).Info?.Version ?? version, record);
    }

    /// <summary>The planted race: the timer that renews a lease does not fire.</summary>
    private sealed class ClockWithoutRenewals(TimeProvider clock) : TimeProvider
    {
        public override long TimestampFrequency => clock.TimestampFrequency;

        public override long GetTimestamp() => clock.GetTimestamp();

        public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            clock.CreateTimer(callback, state, dueTime == ScheduledProcess.Settings.HandlerLeaseDuration / 3 ? Timeout.InfiniteTimeSpan : dueTime, period);
    }
}
