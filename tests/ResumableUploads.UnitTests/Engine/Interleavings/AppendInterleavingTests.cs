using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads.UnitTests.Engine.Interleavings;

/// <summary>A client reconnects, while its previous connection is half-open and another client asks for the status.</summary>
public class AppendInterleavingTests
{
    private static readonly byte[] Content = [1, 2, 3, 4, 5, 6];

    [Fact]
    public Task Reconnected_client_completes_the_upload_in_every_schedule() => Exploration.AssertNoRaceAsync(2000, static async scheduler =>
    {
        int runs = 0;
        var store = new YieldingStore(scheduler.Clock);
        UploadKey key = ScheduledProcess.KeyOf("a");
        var process = new ScheduledProcess(store, scheduler.Clock)
        {
            OnCompleted = async _ =>
            {
                runs++;
                await Task.Yield();
                return true;
            },
        };
        Task<UploadResult> halfOpen = SendHalfAsync(scheduler, process, key);
        Task status = GetStatusAsync(scheduler, process, key);
        await scheduler.JitterAsync();
        UploadResult result = await process.SendAsync(key, Content);
        await Task.WhenAll(halfOpen, status);

        Assert.Equal(UploadResultKind.Completed, result.Kind is UploadResultKind.Replayed ? UploadResultKind.Completed : result.Kind);
        (UploadInfo? info, byte[] stored) = await store.PeekAsync(key);
        Assert.Equal((UploadState.Completed, 1), (info!.State, runs));
        Assert.Equal(Content, stored);
        Assert.True(scheduler.Clock.Elapsed < ScheduledProcess.Settings.PreemptionTimeout, $"The client waited {scheduler.Clock.Elapsed} for the half-open append.");
    });

    /// <summary>Sends half of the content in two pieces, and neither the rest nor the end.</summary>
    private static async Task<UploadResult> SendHalfAsync(InterleavingScheduler scheduler, ScheduledProcess process, UploadKey key)
    {
        await scheduler.JitterAsync();
        var body = new Pipe(new PipeOptions(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline));
        Task<UploadResult> result = process.AppendAsync(key, 0, body.Reader, Content.Length, Content.Length);
        await body.Writer.WriteAsync(Content.AsMemory(0, 1));
        await scheduler.JitterAsync();
        await body.Writer.WriteAsync(Content.AsMemory(1, 2));
        return await result;
    }

    private static async Task GetStatusAsync(InterleavingScheduler scheduler, ScheduledProcess process, UploadKey key)
    {
        await scheduler.JitterAsync();
        await process.Engine.GetStatusAsync(key, isClientGeneratedKey: true, null, CancellationToken.None);
    }
}
