using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Hosting.Health;

/// <summary>The health check for each fault of a storage, and for dead-lettered uploads.</summary>
public sealed class StorageHealthTests : FileSystemStoreTest
{
    private const int ReadOnlyFileSystem = 30;
    private const int NoSpace = 28;
    private static readonly TimeSpan ProbeLifetime = TimeSpan.FromSeconds(5);
    private readonly ManualResetEventSlim _release = new();

    /// <summary>Gets a clock that the timers of the app use. The store has another one.</summary>
    private FakeTimeProvider AppTime { get; } = new(DateTimeOffset.UnixEpoch.AddYears(56));

    public override void Dispose()
    {
        _release.Set();
        base.Dispose();
        _release.Dispose();
    }

    [Theory]
    [InlineData(ReadOnlyFileSystem, "FileSystemUploadStore cannot be written: injected. Uploads fail. Check the storage.")]
    [InlineData(NoSpace, "FileSystemUploadStore is full: injected. Uploads fail. Check the storage.")]
    [InlineData(5, "FileSystemUploadStore failed: injected. Uploads fail. Check the storage.")]
    public async Task Store_that_cannot_be_written_is_unhealthy_until_it_can(int error, string description)
    {
        await using TestApp app = await StartAsync();
        Assert.Equal(HealthStatus.Healthy, (await CheckAsync(app)).Status);
        Files.Before = (step, path) => _ = step == "write" && path.Contains("probe-", StringComparison.Ordinal) ? throw FaultyFiles.Error(error) : 0;
        AppTime.Advance(ProbeLifetime);
        HealthReportEntry entry = await CheckAsync(app);
        Assert.Equal((HealthStatus.Unhealthy, description), (entry.Status, entry.Description));
        Assert.IsType<UploadStoreException>(entry.Exception);
        Files.Before = null;
        AppTime.Advance(ProbeLifetime);
        Assert.Equal(HealthStatus.Healthy, (await CheckAsync(app)).Status);
        Assert.Empty(Directory.EnumerateFileSystemEntries(StoreRoot, "probe-*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Store_with_sync_that_fails_is_unhealthy()
    {
        await using TestApp app = await StartAsync();
        Files.Before = static (step, path) => _ = step == "sync" && path.Contains("probe-", StringComparison.Ordinal) ? throw FaultyFiles.Error(5) : 0;
        Assert.Equal(HealthStatus.Unhealthy, (await CheckAsync(app)).Status);
    }

    [Fact]
    public async Task Result_of_probe_is_used_for_five_seconds()
    {
        int probes = 0;
        await using TestApp app = await StartAsync();
        Files.Before = (step, path) => probes += step == "write" && path.Contains("probe-", StringComparison.Ordinal) ? 1 : 0;
        await CheckAsync(app);
        AppTime.Advance(ProbeLifetime - TimeSpan.FromTicks(1));
        await CheckAsync(app);
        Assert.Equal(1, probes);
        AppTime.Advance(TimeSpan.FromTicks(1));
        await CheckAsync(app);
        Assert.Equal(2, probes);
    }

    [Fact]
    public async Task Store_that_hangs_is_unhealthy_and_is_not_probed_twice()
    {
        int probes = 0;
        using var entered = new ManualResetEventSlim();
        await using TestApp app = await StartAsync();
        Files.Before = (step, path) =>
        {
            if (step == "sync" && path.Contains("probe-", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref probes);
                entered.Set();
                _release.Wait(TestTimeout);
            }
        };
        for (int i = 0; i < 2; i++)
        {
            Task<HealthReportEntry> check = CheckAsync(app);
            Assert.True(entered.Wait(TestTimeout));
            HealthReportEntry entry = default;
            await Eventually.TrueAsync(() => check.IsCompleted, "the check ends", () => AppTime.Advance(TimeSpan.FromSeconds(10)));
            entry = await check;
            Assert.Equal((HealthStatus.Unhealthy, 1), (entry.Status, probes));
            Assert.Contains("FileSystemUploadStore has not responded within 00:00:10.", entry.Description, StringComparison.Ordinal);
        }

        _release.Set();
        await Eventually.TrueAsync(async () => (await CheckAsync(app)).Status == HealthStatus.Healthy, "the store responds");
    }

    [Fact]
    public async Task Call_that_waits_long_for_a_thread_is_degraded()
    {
        var store = new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = StoreRoot, MaxThreads = 4 }, Time, Logs, Files);
        await using TestApp app = await StartAsync(store);
        UploadKey[] keys = [.. Enumerable.Range(0, 5).Select(static i => new UploadKey("owner", $"upload-{i}"))];
        Files.Before = (step, path) => _ = step == "sync" && !path.Contains("probe-", StringComparison.Ordinal) && _release.Wait(TestTimeout);
        Task<CreateResult>[] creations = [.. keys.Select(key => store.CreateAsync(key, new UploadRecord(), None).AsTask())];
        await Eventually.TrueAsync(
            () => ((IStoreProbe)store).LongestWait > TimeSpan.FromSeconds(30), "a call waits", () => Time.Advance(TimeSpan.FromSeconds(10)));
        HealthReportEntry entry = await CheckAsync(app);
        _release.Set();
        await Task.WhenAll(creations);
        Assert.Equal(HealthStatus.Degraded, entry.Status);
        Assert.Contains("An operation of FileSystemUploadStore has waited", entry.Description, StringComparison.Ordinal);
        Assert.Equal(TimeSpan.Zero, ((IStoreProbe)store).LongestWait);
    }

    [Fact]
    public async Task Free_space_below_minimum_is_degraded()
    {
        await using TestApp app = await StartAsync(configure: static options => options.MinFreeSpace = long.MaxValue);
        HealthReportEntry entry = await CheckAsync(app);
        Assert.Equal(HealthStatus.Degraded, entry.Status);
        Assert.Contains("bytes of free space left, less than 9223372036854775807.", entry.Description, StringComparison.Ordinal);
        Assert.InRange((long)entry.Data["FileSystemUploadStore.freeSpace"], 1, long.MaxValue);
    }

    [Fact]
    public async Task Dead_lettered_uploads_above_maximum_are_degraded()
    {
        await using TestApp app = await StartAsync(configure: static options => options.MaxDeadLetteredUploads = 1);
        for (int i = 1; i <= 2; i++)
        {
            using HttpResponseMessage failed = await app.Client.AppendAsync($"f{i}", 0, new byte[7], 7);
            HealthReportEntry entry = default;
            await Eventually.TrueAsync(
                async () => (entry = await CheckAsync(app)).Data["FileSystemUploadStore.deadLetteredUploads"] is long count && count == i,
                "the sweep has counted the upload",
                () => AppTime.Advance(TimeSpan.FromMinutes(1)));
            Assert.Equal(i == 1 ? HealthStatus.Healthy : HealthStatus.Degraded, entry.Status);
        }
    }

    [Fact]
    public async Task Failure_status_limits_the_status()
    {
        await using TestApp app = await StartAsync(failureStatus: HealthStatus.Degraded);
        Files.Before = static (step, path) => _ = step == "write" && path.Contains("probe-", StringComparison.Ordinal) ? throw FaultyFiles.Error(5) : 0;
        Assert.Equal(HealthStatus.Degraded, (await CheckAsync(app)).Status);
    }

    [Fact]
    public async Task Probe_can_be_turned_off()
    {
        await using TestApp app = await StartAsync(configure: static options => options.ProbeStores = false);
        Files.Before = static (step, path) => _ = step == "write" && path.Contains("probe-", StringComparison.Ordinal) ? throw FaultyFiles.Error(5) : 0;
        Assert.Equal(HealthStatus.Healthy, (await CheckAsync(app)).Status);
    }

    [Fact]
    public void Options_out_of_range_are_rejected()
    {
        foreach (Action<ResumableUploadsHealthCheckOptions> configure in new Action<ResumableUploadsHealthCheckOptions>[]
        {
            static options => options.ProbeTimeout = TimeSpan.Zero,
            static options => options.MinFreeSpace = -1,
            static options => options.MaxQueueTime = TimeSpan.FromTicks(-1),
            static options => options.MaxDeadLetteredUploads = -1,
        })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => new ServiceCollection().AddHealthChecks().AddResumableUploads(configure: configure));
        }
    }

    private Task<TestApp> StartAsync(
        FileSystemUploadStore? store = null, Action<ResumableUploadsHealthCheckOptions>? configure = null, HealthStatus? failureStatus = null) => TestApp.StartAsync(
        options =>
        {
            options.Store = store ?? NewStore();
            options.Handler.MaxAttempts = 1;
            options.OnCompleted = static (_, _) => throw new InvalidOperationException("fails");
        },
        builder =>
        {
            builder.Services.AddSingleton<TimeProvider>(AppTime);
            builder.Services.AddResumableUploads();
            builder.Services.AddHealthChecks().AddResumableUploads(failureStatus: failureStatus, configure: configure);
        },
        onTestHost: true);

    private static async Task<HealthReportEntry> CheckAsync(TestApp app) =>
        (await app.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Entries["resumable-uploads"];
}
