using System.IO.Pipelines;
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

    [Fact]
    public Task Bytes_do_not_exceed_the_quota_during_recounts_in_every_schedule() => Exploration.AssertNoRaceAsync(
        2000, static scheduler => RunWithRecountAsync(scheduler, new YieldingStore(scheduler.Clock)));

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

    /// <summary>
    /// The uploads of an owner are counted again while a slow append runs, other appends begin, and an old upload is removed. None of the lengths is known, so
    /// only reservations keep the bytes within the quota.
    /// </summary>
    private static async Task RunWithRecountAsync(InterleavingScheduler scheduler, YieldingStore store)
    {
        const int MaxBytes = 24;
        const int BodyLength = 6;
        string[] ids = ["old", "slow", "a", "b", "c", "d"];
        var process = new ScheduledProcess(
            store,
            scheduler.Clock,
            Settings with { MaxUploadsPerOwner = 100, MaxBytesPerOwner = MaxBytes, IdleTimeout = TimeSpan.FromHours(1), MinDataRatePeriod = TimeSpan.FromHours(1) });
        await SendAsync("old", ScheduledProcess.BodyOf(new byte[BodyLength]));
        var pipe = new Pipe();
        await pipe.Writer.WriteAsync(new byte[2]);
        Task slow = SendAsync("slow", pipe.Reader);
        await Task.Delay(TimeSpan.FromMinutes(11), scheduler.Clock);
        await Task.WhenAll([FinishSlowAsync(), ReplaceOldAsync(), .. ids[3..].Select(SendLaterAsync)]);
        await slow;

        // A count during which nothing changes finds exactly what is stored. The second one is started by a request that changes nothing.
        for (int i = 0; i < 2; i++)
        {
            await Task.Delay(TimeSpan.FromMinutes(11), scheduler.Clock);
            await SendAsync("start-count", ScheduledProcess.BodyOf([]));
        }

        await Task.Delay(TimeSpan.FromMinutes(2), scheduler.Clock);
        for (int i = 0; i < MaxBytes && await SendAsync($"new-{i}", ScheduledProcess.BodyOf([1])) == UploadResultKind.Appended; i++)
        {
        }

        Assert.Equal(MaxBytes, await GetStoredBytesAsync());

        async Task FinishSlowAsync()
        {
            await scheduler.JitterAsync();
            await pipe.Writer.WriteAsync(new byte[BodyLength - 2]);
            await scheduler.JitterAsync();
            await pipe.Writer.CompleteAsync();
        }

        async Task ReplaceOldAsync()
        {
            await scheduler.JitterAsync();
            await process.CancelAsync(ScheduledProcess.KeyOf("old"));
            await SendLaterAsync("a");
        }

        async Task SendLaterAsync(string id)
        {
            await scheduler.JitterAsync();
            await SendAsync(id, ScheduledProcess.BodyOf(new byte[BodyLength]));
        }

        async Task<UploadResultKind> SendAsync(string id, PipeReader body)
        {
            UploadResult result = await process.AppendAsync(ScheduledProcess.KeyOf(id), 0, body, id is "slow" or "a" ? null : BodyLengthOf(id), length: null);
            Assert.InRange(await GetStoredBytesAsync(), 0, MaxBytes);
            return result.Kind;
        }

        int BodyLengthOf(string id) => id == "start-count" ? 0 : id.StartsWith("new", StringComparison.Ordinal) ? 1 : BodyLength;

        async Task<long> GetStoredBytesAsync()
        {
            long sum = 0;
            foreach (string id in ids.Concat(Enumerable.Range(0, MaxBytes).Select(static i => $"new-{i}")))
            {
                sum += (await store.PeekAsync(ScheduledProcess.KeyOf(id))).Info?.Offset ?? 0;
            }

            return sum;
        }
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
