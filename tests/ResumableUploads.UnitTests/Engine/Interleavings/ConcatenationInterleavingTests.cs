using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads.UnitTests.Engine.Interleavings;

/// <summary>Parts are sent while the concatenations that need them are created and sweeps run.</summary>
public class ConcatenationInterleavingTests
{
    private static readonly ConcatenationInfo Part = new("partial", null);
    private static readonly TimeSpan Expiration = TimeSpan.FromSeconds(10);

    [Fact]
    public Task Two_concatenations_of_the_same_parts_complete_in_every_schedule() => Exploration.AssertNoRaceAsync(2000, static async scheduler =>
    {
        var store = new YieldingStore(scheduler.Clock);
        ScheduledProcess process = Process(scheduler, store, ScheduledProcess.Settings);
        Task[] parts = [SendPartAsync(process, "p", [1, 2]), SendPartAsync(process, "q", [3])];
        Task<UploadResult?>[] finals = [ConcatenateAsync(scheduler, process, "f", "p", "q"), ConcatenateAsync(scheduler, process, "g", "q", "p")];
        await Task.WhenAll([.. parts, .. finals, process.SweepAsync()]);
        await process.SweepAsync();

        // The first one may have removed the parts before the second one was created, but not after that.
        Assert.Contains(finals, static final => final.Result is not null);
        await AssertCompletedAsync(store, finals[0].Result, "f", [1, 2, 3]);
        await AssertCompletedAsync(store, finals[1].Result, "g", [3, 1, 2]);
        Assert.Null((await store.PeekAsync(ScheduledProcess.KeyOf("p"))).Info);
    });

    [Fact]
    public Task Part_that_is_extended_during_a_sweep_is_kept_in_every_schedule() => Exploration.AssertNoRaceAsync(
        1000, static scheduler => ExtendDuringSweepAsync(scheduler, new YieldingStore(scheduler.Clock)));

    [Fact]
    public Task Part_that_is_deleted_while_needed_is_found() => Exploration.AssertRaceIsFoundAsync(
        2000, static scheduler => ExtendDuringSweepAsync(scheduler, new UnconditionalStore(scheduler.Clock)), "part");

    /// <summary>
    /// The sweep of another process, whose clock is ahead, finds that a part has expired, and its client sends the rest at the same time. In the same process, the
    /// lock of the upload prevents that.
    /// </summary>
    private static async Task ExtendDuringSweepAsync(InterleavingScheduler scheduler, YieldingStore store)
    {
        UploadKey key = ScheduledProcess.KeyOf("p");
        EngineSettings settings = ScheduledProcess.Settings with { Expiration = Expiration };
        ScheduledProcess process = Process(scheduler, store, settings);
        var sweeper = new ScheduledProcess(store, new ClockAhead(scheduler.Clock), settings);
        await process.AppendAsync(key, 0, ScheduledProcess.BodyOf([1]), 1, 2, Part);
        UploadInfo read = (await store.PeekAsync(key)).Info!;
        await Task.Delay(Expiration - TimeSpan.FromSeconds(2), scheduler.Clock);
        Task sweep = VisitAsync();
        UploadResult rest = await AppendLateAsync();
        if (rest.Kind == UploadResultKind.Appended && rest.Offset == 2)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(scheduler.Choose(3)), scheduler.Clock);
            UploadResult? final = await ConcatenateAsync(scheduler, process, "f", "p");
            Assert.True(final is not null, "The part was deleted after the response to its last byte.");
            await sweep;
            await AssertCompletedAsync(store, final, "f", [1, 2]);
        }

        await sweep;

        async Task VisitAsync()
        {
            await Task.Delay(TimeSpan.FromSeconds(1), scheduler.Clock);
            await scheduler.JitterAsync();
            await sweeper.VisitAsync(read);
        }

        async Task<UploadResult> AppendLateAsync()
        {
            // The part is extended just before it expires by the other clock, or at the same time.
            await Task.Delay(TimeSpan.FromMilliseconds(999 + scheduler.Choose(2)), scheduler.Clock);
            await scheduler.JitterAsync();
            return await process.AppendAsync(key, 1, ScheduledProcess.BodyOf([2]), 1, 2, Part);
        }
    }

    private static ScheduledProcess Process(InterleavingScheduler scheduler, YieldingStore store, EngineSettings settings) =>
        new(store, scheduler.Clock, settings) { OnCompleted = static _ => Task.FromResult(true) };

    private static async Task SendPartAsync(ScheduledProcess process, string id, byte[] content)
    {
        UploadResult result = await process.AppendAsync(ScheduledProcess.KeyOf(id), 0, ScheduledProcess.BodyOf(content), content.Length, content.Length, Part);
        Assert.Equal((UploadResultKind.Appended, content.Length), (result.Kind, (int)result.Offset!));
    }

    /// <summary>Creates a concatenation when its parts exist.</summary>
    /// <returns>The result, or null if the parts do not exist.</returns>
    private static async Task<UploadResult?> ConcatenateAsync(InterleavingScheduler scheduler, ScheduledProcess process, string id, params string[] parts)
    {
        for (int i = 0; i < 3; i++)
        {
            UploadResult result = await process.AppendAsync(
                ScheduledProcess.KeyOf(id), 0, ScheduledProcess.BodyOf([]), 0, null, new ConcatenationInfo("final", [.. parts]));
            if (result.Kind != UploadResultKind.PartNotFound)
            {
                return result;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(1), scheduler.Clock);
        }

        return null;
    }

    private static async Task AssertCompletedAsync(YieldingStore store, UploadResult? created, string id, byte[] content)
    {
        if (created is null)
        {
            return;
        }

        (UploadInfo? info, byte[] stored) = await store.PeekAsync(ScheduledProcess.KeyOf(id));
        Assert.True(info is { State: UploadState.Completed }, $"Concatenation {id} was created ({created.Kind}) and did not complete: {info?.State}. A part was deleted while needed.");
        Assert.Equal(content, stored);
    }

    /// <summary>A clock that is one second ahead of another.</summary>
    private sealed class ClockAhead(TimeProvider clock) : TimeProvider
    {
        public override long TimestampFrequency => clock.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => clock.GetUtcNow() + TimeSpan.FromSeconds(1);

        public override long GetTimestamp() => clock.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => clock.CreateTimer(callback, state, dueTime, period);
    }

    /// <summary>The planted race: an upload is deleted although it has changed since it was read.</summary>
    private sealed class UnconditionalStore(TimeProvider clock) : YieldingStore(clock)
    {
        private readonly TimeProvider _clock = clock;

        public override async ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken)
        {
            // The sweep reads the upload just before, so a whole append must fit in between.
            await Task.Delay(TimeSpan.FromMilliseconds(1), _clock, cancellationToken);
            return await base.DeleteAsync(key, null, cancellationToken);
        }
    }
}
