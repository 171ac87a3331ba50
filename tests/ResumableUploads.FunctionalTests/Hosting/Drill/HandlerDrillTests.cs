using Microsoft.Extensions.Diagnostics.HealthChecks;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Hosting.Drill;

/// <summary>What an operator sees of a completion handler that fails or hangs: the metric, the log, the health status and the page.</summary>
public class HandlerDrillTests
{
    [Fact]
    public async Task Handler_that_throws()
    {
        await using ObservedApp app = await ObservedApp.StartAsync(static options => options.OnCompleted = static (_, _) => throw new InvalidOperationException("injected"));

        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new byte[6], 6);

        await response.ProblemAsync(503, "urn:resumable-uploads:handler-failed");
        await app.MeasuresAsync(1, "resumable_uploads.upload.failed", ("error.type", "handler"));
        await Eventually.TrueAsync(() => app.Metrics.Count("resumable_uploads.handler.duration", ("resumable_uploads.outcome", "failed")) == 1, "the duration is measured");
        await app.LogsAsync("Error[209] The completion handler failed for upload ");
        Assert.Equal(HealthStatus.Healthy, (await app.CheckAsync()).Status);
        Assert.Contains("The handler failed (1 attempt). It runs again after ", await app.GetRowAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Handler_that_hangs()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ObservedApp app = await ObservedApp.StartAsync(options => options.OnCompleted = async (_, cancellationToken) =>
        {
            entered.TrySetResult();
            await release.Task.WaitAsync(cancellationToken);
        });
        Task<HttpResponseMessage> sent = app.Client.AppendAsync("f", 0, new byte[6], 6);
        await Eventually.WithinAsync(entered.Task);

        Task<HttpResponseMessage> asked = app.Client.AppendAsync("f", 6, [], 6);
        await Eventually.TrueAsync(() => asked.IsCompleted, "the client is asked to wait", () => app.Time.Advance(TimeSpan.FromSeconds(1)));

        using HttpResponseMessage response = await asked;
        await response.ProblemAsync(503, "urn:resumable-uploads:still-completing");
        await app.MeasuresAsync(1, "resumable_uploads.upload.received");
        await app.MeasuresAsync(0, "resumable_uploads.upload.completed");
        await app.MeasuresAsync(1, "resumable_uploads.refusals", ("error.type", "still-completing"));
        await app.LogsAsync("Information[308] A request was refused with 503 (still-completing)");
        Assert.Equal(HealthStatus.Healthy, (await app.CheckAsync()).Status);
        Assert.Contains("The handler is running", await app.GetRowAsync(), StringComparison.Ordinal);
        release.SetResult();
        using HttpResponseMessage last = await sent;
        Assert.True(last.IsSuccessStatusCode);
    }
}
