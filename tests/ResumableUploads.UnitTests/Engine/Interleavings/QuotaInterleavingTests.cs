using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads.UnitTests.Engine.Interleavings;

/// <summary>Clients of one owner create more uploads than allowed. Some are rejected by the application, and each is canceled or completed.</summary>
public class QuotaInterleavingTests
{
    private const int MaxUploads = 2;
    private const int Length = 10;
    private static readonly EngineSettings Settings = ScheduledProcess.Settings with { MaxUploadsPerOwner = MaxUploads, MaxBytesPerOwner = MaxUploads * Length };

    [Fact]
    public Task Limits_hold_and_quota_is_given_back_in_every_schedule() => Exploration.AssertNoRaceAsync(
        2000, static scheduler => RunAsync(scheduler, new YieldingStore(scheduler.Clock)));

    [Fact]
    public Task Quota_leak_is_found() => Exploration.AssertRaceIsFoundAsync(
        2000, static scheduler => RunAsync(scheduler, new LeakingStore(scheduler.Clock)), "after all uploads were removed");

    private static async Task RunAsync(InterleavingScheduler scheduler, YieldingStore store)
    {
        var process = new ScheduledProcess(store, scheduler.Clock, Settings) { IsRejected = static key => key.Id == "rejected" };
        string[] ids = ["rejected", "a", "b", "c"];
        await Task.WhenAll(ids.Select(CreateAndRemoveAsync));

        // A cancellation may have been rejected while the upload was busy.
        foreach (string id in ids)
        {
            await process.CancelAsync(ScheduledProcess.KeyOf(id));
        }

        UploadResultKind[] kinds = new UploadResultKind[MaxUploads + 1];
        for (int i = 0; i < kinds.Length; i++)
        {
            kinds[i] = (await BeginAsync($"new-{i}")).Kind;
        }

        Assert.True(
            kinds[..^1].All(static kind => kind == UploadResultKind.Appended) && kinds[^1] == UploadResultKind.TooManyUploads,
            $"The new uploads after all uploads were removed: {string.Join(", ", kinds)}.");

        async Task CreateAndRemoveAsync(string id)
        {
            UploadResult result = await BeginAsync(id);
            int stored = 0;
            foreach (string other in ids)
            {
                stored += (await store.PeekAsync(ScheduledProcess.KeyOf(other))).Info is { State: UploadState.Receiving } ? 1 : 0;
            }

            Assert.InRange(stored, 0, MaxUploads);
            if (result.Kind == UploadResultKind.Appended && id == "c")
            {
                await process.SendAsync(ScheduledProcess.KeyOf(id), new byte[Length]);
            }

            await process.CancelAsync(ScheduledProcess.KeyOf(id));
        }

        Task<UploadResult> BeginAsync(string id) => process.AppendAsync(ScheduledProcess.KeyOf(id), 0, ScheduledProcess.BodyOf(new byte[4]), 4, Length);
    }

    /// <summary>The planted race: a deletion reports that there was nothing to delete if another call runs.</summary>
    private sealed class LeakingStore(TimeProvider clock) : YieldingStore(clock)
    {
        public override async ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken)
        {
            bool isLost = IsOtherCallRunning;
            DeleteResult result = await base.DeleteAsync(key, version, cancellationToken);
            return isLost ? new DeleteResult(ChangeStatus.NotFound) : result;
        }
    }
}
