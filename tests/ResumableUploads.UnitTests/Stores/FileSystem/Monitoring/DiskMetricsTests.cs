using System.Diagnostics.Metrics;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.Monitoring;
using ResumableUploads.Stores.FileSystem.Scheduling;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Monitoring;

public sealed class DiskMetricsTests : FileSystemStoreTest
{
    private readonly ManualResetEventSlim _release = new();
    private readonly List<(string Location, double Seconds)> _syncs = [];
    private readonly Dictionary<string, int> _gauges = [];
    private readonly MeterListener _listener = new();

    public DiskMetricsTests()
    {
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Name.StartsWith("resumable_uploads.disk.", StringComparison.Ordinal))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
        {
            if (instrument.Name == DiskMetrics.SyncDurationName && IsThisStore(tags))
            {
                lock (_syncs)
                {
                    _syncs.Add(((string)GetTag(tags, "resumable_uploads.disk.location")!, value));
                }
            }
        });
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) =>
        {
            if (IsThisStore(tags))
            {
                _gauges[instrument.Name] = value;
            }
        });
        _listener.Start();
    }

    public override void Dispose()
    {
        _release.Set();
        _listener.Dispose();
        base.Dispose();
        _release.Dispose();
    }

    [Fact]
    public async Task Each_sync_of_an_append_is_recorded_with_its_duration()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        Files.Before = (step, path) => Time.Advance(TimeSpan.FromSeconds(step == "sync" ? path.EndsWith(".data", StringComparison.Ordinal) ? 2 : 0.25 : 0));
        TakeSyncs();
        await AppendAsync(store, 0, Bytes(1_000));
        Assert.Equal([("store", 0.25), ("store", 2)], TakeSyncs());
    }

    [Fact]
    public async Task Failed_sync_is_recorded()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        TakeSyncs();
        Files.Before = (step, path) =>
        {
            if (step == "sync")
            {
                Time.Advance(TimeSpan.FromSeconds(30));
                Files.Before = null;
                throw FaultyFiles.Error(5);
            }
        };
        await Assert.ThrowsAsync<UploadStoreException>(() => AppendAsync(store, 0, Bytes(1_000)));
        Assert.Equal(("store", 30), TakeSyncs()[0]);
    }

    [Fact(SkipUnless = nameof(SyncsDirectories), Skip = "Windows does not sync directories.")]
    public async Task Sync_of_directory_is_recorded()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        Files.Before = (step, _) => Time.Advance(TimeSpan.FromSeconds(step == "sync-directory" ? 3 : 0));
        TakeSyncs();
        await store.DeleteAsync(Key, null, None);
        Assert.NotEmpty(TakeSyncs());
        await CreateAsync(store);
        Assert.Contains(("store", 3), TakeSyncs());
    }

    [Fact(SkipUnless = nameof(SyncsDirectories), Skip = "Windows does not sync directories.")]
    public async Task Sync_before_the_replacement_of_a_file_is_recorded()
    {
        FileSystemUploadStore store = NewStore();
        await ReceiveAsync(store, Bytes(10));
        Files.Before = (step, _) => Time.Advance(TimeSpan.FromSeconds(step == "replace" ? 3 : 0));
        TakeSyncs();
        await store.CompleteAsync(Key, Bytes(100_000));
        Assert.Equal([("store", 3)], TakeSyncs().Where(static sync => sync.Seconds > 0));
    }

    [Fact]
    public async Task Replaced_file_without_syncs_is_not_recorded()
    {
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash);
        TakeSyncs();
        UploadInfo info = await ReceiveAsync(store, Bytes(10));
        await store.UpdateAsync(Key, info.Version, info.Record, None);
        Assert.Empty(TakeSyncs());
    }

    [Fact(SkipUnless = nameof(SyncsDirectories), Skip = "Windows does not sync directories.")]
    public async Task Syncs_at_target_of_move_have_another_location()
    {
        FileSystemUploadStore store = NewStore();
        await ReceiveAsync(store, Bytes(10));
        Files.Before = (step, path) => Time.Advance(TimeSpan.FromSeconds(step == "sync-directory" && path == Root ? 4 : 0));
        TakeSyncs();
        await store.MoveAsync(Path.Combine(Root, "moved"), overwrite: false, None);
        (string Location, double Seconds)[] syncs = TakeSyncs();
        Assert.Equal([("outside", 4)], syncs.Where(static sync => sync.Location == "outside"));
        Assert.Contains(syncs, static sync => sync.Location == "store");
    }

    [Fact]
    public async Task Gauges_show_threads_and_queue()
    {
        // The threads do not end during the test, so that idle ones are not counted as busy.
        var scheduler = new DiskScheduler("test", 4, Time) { IdleTimeout = 2 * TestTimeout };
        var store = new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = StoreRoot }, Time, Logs, Files, scheduler);
        UploadKey[] keys = [.. Enumerable.Range(0, 5).Select(static i => new UploadKey("owner", $"upload-{i}"))];
        foreach (UploadKey key in keys)
        {
            await CreateAsync(store, key);
        }

        Files.Before = (step, _) =>
        {
            if (step == "sync")
            {
                _release.Wait(TestTimeout);
            }
        };
        Task<AppendResult>[] appends = [.. keys.Select(key => AppendAsync(store, 0, Bytes(10), key: key))];
        await Eventually.TrueAsync(
            () => (GetGauge(DiskMetrics.QueuedCallsName), GetGauge(DiskMetrics.BusyThreadsName)) == (4, 1), "one owner occupies a quarter of the threads");
        Assert.Equal(4, GetGauge(DiskMetrics.ThreadLimitName));
        _release.Set();
        await Task.WhenAll(appends);
        await Eventually.TrueAsync(() => GetGauge(DiskMetrics.BusyThreadsName) == 0, "the threads are idle");
        Assert.Equal(0, GetGauge(DiskMetrics.QueuedCallsName));
        GC.KeepAlive(store);
    }

    [Fact]
    public void Gauges_add_up_stores_of_one_directory()
    {
        FileSystemUploadStore[] stores = [NewStore(), NewStore(Durability.ProcessCrash)];
        Assert.Equal(1024, GetGauge(DiskMetrics.ThreadLimitName));
        GC.KeepAlive(stores);
    }

    [Fact]
    public async Task Slow_syncs_in_directory_of_store_are_logged()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        Files.Before = (step, _) => Time.Advance(TimeSpan.FromSeconds(step == "sync" ? 31 : 0));
        await AppendAsync(store, 0, Bytes(10));
        Assert.Contains(Logs.Lines, line => line.Id == 114 && line.Text.Contains(StoreRoot, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Slow_syncs_at_target_of_move_are_not_logged()
    {
        FileSystemUploadStore store = NewStore();
        await ReceiveAsync(store, Bytes(10));
        Files.Before = (step, path) => Time.Advance(TimeSpan.FromSeconds(step == "sync-directory" && path == Root ? 61 : 0));
        await store.MoveAsync(Path.Combine(Root, "moved"), overwrite: false, None);
        Assert.DoesNotContain(Logs.Lines, static line => line.Id == 114);
    }

    public static bool SyncsDirectories => !OperatingSystem.IsWindows();

    private (string Location, double Seconds)[] TakeSyncs()
    {
        lock (_syncs)
        {
            (string, double)[] syncs = [.. _syncs];
            _syncs.Clear();
            return syncs;
        }
    }

    private int GetGauge(string name)
    {
        _gauges.Clear();
        _listener.RecordObservableInstruments();
        return _gauges[name];
    }

    private bool IsThisStore(ReadOnlySpan<KeyValuePair<string, object?>> tags) => GetTag(tags, "resumable_uploads.directory") as string == StoreRoot;

    private static object? GetTag(ReadOnlySpan<KeyValuePair<string, object?>> tags, string name)
    {
        foreach ((string key, object? value) in tags)
        {
            if (key == name)
            {
                return value;
            }
        }

        return null;
    }
}
