using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Health;

/// <summary>The health of the sweep, as the health check shows it.</summary>
public sealed class SweepHealthCheckTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));

    [Fact]
    public async Task Health_check_fails_after_three_failed_sweeps_and_recovers()
    {
        var store = new SweptStore();
        await using TestApp app = await StartAsync(store);
        HealthReportEntry entry = default;
        await Eventually.TrueAsync(async () => (entry = await CheckAsync(app)).Data["SweptStore.lastSuccessfulSweep"] is DateTimeOffset, "a sweep succeeded");
        Assert.Equal((HealthStatus.Healthy, _time.GetUtcNow()), (entry.Status, (DateTimeOffset)entry.Data["SweptStore.lastSuccessfulSweep"]));

        store.Failure = new TaskCanceledException("timeout");
        await Eventually.TrueAsync(async () => (entry = await CheckAsync(app)).Status == HealthStatus.Degraded, "the check fails", () => _time.Advance(TimeSpan.FromMinutes(1)));
        Assert.Same(store.Failure, entry.Exception);
        store.Failure = null;
        await Eventually.TrueAsync(async () => (await CheckAsync(app)).Status == HealthStatus.Healthy, "the check succeeds", () => _time.Advance(TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public async Task Health_check_fails_if_a_sweep_makes_no_progress()
    {
        var store = new SweptStore();
        await using TestApp app = await StartAsync(store);
        await Eventually.TrueAsync(async () => (await CheckAsync(app)).Data["SweptStore.lastSuccessfulSweep"] is DateTimeOffset, "a sweep succeeded");
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        store.Hold = release.Task;
        await Eventually.TrueAsync(async () => (await CheckAsync(app)).Status == HealthStatus.Degraded, "the check fails", () => _time.Advance(TimeSpan.FromMinutes(5)));
        release.SetResult();
        await Eventually.TrueAsync(async () => (await CheckAsync(app)).Status == HealthStatus.Healthy, "the check succeeds");
    }

    [Fact]
    public async Task Health_check_fails_at_the_third_failure_and_not_before()
    {
        var store = new SweptStore();
        await using TestApp app = await StartAsync(store);
        HealthReportEntry entry = default;
        await Eventually.TrueAsync(async () => (entry = await CheckAsync(app)).Data["SweptStore.lastSuccessfulSweep"] is DateTimeOffset, "a sweep succeeded");
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        (store.Failure, store.Hold) = (new IOException("Injected failure."), release.Task);
        for (int failures = 1; failures <= 4; failures++)
        {
            // The next sweep is held before this one fails, so that no failure is missed.
            await Eventually.TrueAsync(() => store.IsHeld, "a sweep has started", () => _time.Advance(TimeSpan.FromMinutes(1)));
            TaskCompletionSource current = release;
            release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            (store.Hold, store.IsHeld) = (release.Task, false);
            current.SetResult();
            await Eventually.TrueAsync(async () => (entry = await CheckAsync(app)).Data["SweptStore.consecutiveFailures"] is int count && count == failures, "the sweep has failed");
            Assert.Equal((failures, failures < 3 ? HealthStatus.Healthy : HealthStatus.Degraded), (failures, entry.Status));
        }

        release.SetResult();
    }

    [Fact]
    public async Task Health_check_fails_after_three_intervals_and_ten_minutes_without_progress()
    {
        var store = new SweptStore();
        await using TestApp app = await StartAsync(store);
        await Eventually.TrueAsync(async () => (await CheckAsync(app)).Data["SweptStore.lastSuccessfulSweep"] is DateTimeOffset, "a sweep succeeded");
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        store.Hold = release.Task;
        _time.Advance((3 * new ResumableUploadOptions().Timeouts.SweepInterval) + TimeSpan.FromMinutes(10));
        Assert.Equal(HealthStatus.Healthy, (await CheckAsync(app)).Status);
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(HealthStatus.Degraded, (await CheckAsync(app)).Status);
        release.SetResult();
    }

    private Task<TestApp> StartAsync(SweptStore store) => TestApp.StartAsync(
        options => options.Store = store,
        builder =>
        {
            builder.Services.AddSingleton<TimeProvider>(_time);
            builder.Services.AddResumableUploads();
            builder.Services.AddHealthChecks().AddResumableUploads();
        },
        onTestHost: true);

    private static async Task<HealthReportEntry> CheckAsync(TestApp app) =>
        (await app.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Entries["resumable-uploads"];

    private sealed class SweptStore() : DelegatingUploadStore(new MemoryUploadStore())
    {
        public Exception? Failure { get; set; }

        public Task Hold { get; set; } = Task.CompletedTask;

        public bool IsHeld { get; set; }

        public override async IAsyncEnumerable<UploadInfo> ListAsync(
            UploadQuery query, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            Task hold = Hold;
            IsHeld = !hold.IsCompleted;
            await hold.WaitAsync(cancellationToken);
            if (Failure is { } failure)
            {
                throw failure;
            }

            await foreach (UploadInfo info in base.ListAsync(query, cancellationToken))
            {
                yield return info;
            }
        }
    }
}
