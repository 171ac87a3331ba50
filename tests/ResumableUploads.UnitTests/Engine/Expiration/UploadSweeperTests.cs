using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Engine.Expiration;

public sealed class UploadSweeperTests : IDisposable
{
    private const int Count = 60;
    private readonly InstantTimeProvider _time = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("ru-sweep-").FullName;
    private readonly FileSystemUploadStore _store;

    public UploadSweeperTests() => _store = new FileSystemUploadStore(
        new FileSystemUploadStoreOptions { Directory = Path.Combine(_directory, "store"), Durability = Durability.ProcessCrash }, _time);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task SweepAsync_pauses_three_times_as_long_as_it_works()
    {
        await CreateUploadsAsync();
        var visitor = new RecordingVisitor { OnVisit = _ => _time.Advance(TimeSpan.FromMilliseconds(4)) };
        await SweepAsync(visitor);
        Assert.Equal(Count, visitor.Visited.Count);

        // Up to seven visits fit before the next pause.
        Assert.InRange(_time.TotalWait.TotalMilliseconds, 3 * 4 * (Count - 7), 3 * 4 * Count);
    }

    [Fact]
    public async Task SweepAsync_bounds_the_pause_after_a_long_visit()
    {
        await CreateUploadsAsync();
        var visitor = new RecordingVisitor { OnVisit = _ => _time.Advance(TimeSpan.FromMinutes(1)) };
        await SweepAsync(visitor);
        Assert.InRange(_time.TotalWait.TotalMilliseconds, 1, Count * 100);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(Count)]
    public async Task SweepAsync_after_crash_resumes_at_checkpoint_and_visits_all(int visits)
    {
        List<UploadKey> all = await CreateUploadsAsync();
        UploadKey? checkpoint = null;
        var crashing = new RecordingVisitor
        {
            // A checkpoint is written every ten seconds; the exception prevents the one for a graceful stop.
            OnVisit = visitor =>
            {
                _time.Advance(TimeSpan.FromSeconds(11));
                checkpoint = visitor.Visited[^1];
            },
        };
        var sweeper = new UploadSweeper(new CrashingListing(_store, visits), _time, NullLogger.Instance);
        sweeper.Add(crashing);
        await Assert.ThrowsAsync<InvalidOperationException>(() => sweeper.SweepAsync(default));
        Assert.Equal(checkpoint, await _store.GetSweepCheckpointAsync(default));

        var next = new RecordingVisitor();
        await SweepAsync(next);
        Assert.Equal([.. all[(visits - 1)..], .. all[..(visits - 1)]], next.Visited);
        Assert.Null(await _store.GetSweepCheckpointAsync(default));

        var again = new RecordingVisitor();
        await SweepAsync(again);
        Assert.Equal(all, again.Visited);
    }

    [Fact]
    public async Task SweepAsync_canceled_after_a_checkpoint_saves_its_progress()
    {
        List<UploadKey> all = await CreateUploadsAsync();
        using var stopping = new CancellationTokenSource();
        var stopped = new RecordingVisitor
        {
            OnVisit = visitor =>
            {
                _time.Advance(TimeSpan.FromSeconds(visitor.Visited.Count == 1 ? 11 : 0));
                if (visitor.Visited.Count == 20)
                {
                    stopping.Cancel();
                }
            },
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => CreateSweeper(stopped).SweepAsync(stopping.Token));
        Assert.Equal(all[19], await _store.GetSweepCheckpointAsync(default));
    }

    [Fact]
    public async Task Short_sweep_writes_no_checkpoint()
    {
        await CreateUploadsAsync();
        string checkpointFile = Path.Combine(_directory, "store", "sweep-place");
        await SweepAsync(new RecordingVisitor { OnVisit = _ => Assert.False(File.Exists(checkpointFile)) });
        Assert.False(File.Exists(checkpointFile));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SweepAsync_resumes_at_checkpoint_of_deleted_upload(bool isDeleted)
    {
        List<UploadKey> all = await CreateUploadsAsync();
        await _store.PutSweepCheckpointAsync(all[30], default);
        if (isDeleted)
        {
            await _store.DeleteAsync(all[30], null, default);
            all.RemoveAt(30);
        }

        var visitor = new RecordingVisitor();
        await SweepAsync(visitor);
        Assert.Equal(all, visitor.Visited.Order(Comparer<UploadKey>.Create(static (a, b) => string.CompareOrdinal(a.ToString(), b.ToString()))));
    }

    /// <summary>The second part of the listing has no end, so it visits all uploads behind the checkpoint again.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Totals_of_a_sweep_that_counts_twice_are_not_published(bool isNextDeleted)
    {
        List<UploadKey> all = await CreateUploadsAsync();
        await _store.PutSweepCheckpointAsync(all[30], default);
        await _store.DeleteAsync(all[30], null, default);
        bool hasDeleted = !isNextDeleted;
        var visitor = new RecordingVisitor
        {
            OnVisit = visitor =>
            {
                if (!hasDeleted && visitor.Visited.Count > 1)
                {
                    hasDeleted = true;
                    _store.DeleteAsync(all[31], null, default).AsTask().GetAwaiter().GetResult();
                }
            },
        };
        using var stopping = new CancellationTokenSource();

        // The clock stands still, so there is one sweep.
        var sweeper = new UploadSweeper(_store, new FakeTimeProvider(), NullLogger.Instance);
        sweeper.Add(visitor);
        Task running = sweeper.RunAsync(stopping.Token);
        await Eventually.TrueAsync(() => sweeper.Status.LastSucceeded is not null, "the sweep ends");
        await stopping.CancelAsync();
        await running;
        Assert.Equal(isNextDeleted ? null : Count - 1, sweeper.Status.Held?.Receiving.Uploads);
    }

    [Theory]
    [InlineData("")]
    [InlineData("owner/id")]
    [InlineData("owner\n")]
    [InlineData("../id\n")]
    [InlineData("owner/i/d\n")]
    [InlineData("owner/id\nowner/id\n")]
    public async Task Malformed_checkpoint_is_ignored(string text)
    {
        List<UploadKey> all = await CreateUploadsAsync();
        await File.WriteAllTextAsync(Path.Combine(_directory, "store", "sweep-place"), text);
        Assert.Null(await _store.GetSweepCheckpointAsync(default));
        await _store.PutSweepCheckpointAsync(all[3], default);
        Assert.Equal(all[3], await _store.GetSweepCheckpointAsync(default));
        await _store.PutSweepCheckpointAsync(new UploadKey("o", "i"), default);
        Assert.Equal(new UploadKey("o", "i"), await _store.GetSweepCheckpointAsync(default));
    }

    [Fact]
    public async Task Visitor_that_throws_does_not_stop_the_sweep()
    {
        List<UploadKey> all = await CreateUploadsAsync();
        var failing = new RecordingVisitor { OnVisit = static _ => throw new UploadStoreException(StoreFailure.Unavailable, "unavailable") };
        var other = new RecordingVisitor();
        UploadSweeper sweeper = CreateSweeper(failing);
        sweeper.Add(other);
        await sweeper.SweepAsync(default);
        Assert.Equal(all, failing.Visited);
        Assert.Equal(all, other.Visited);
        Assert.Equal((1, 1), (failing.CompletedSweeps, other.CompletedSweeps));
    }

    private UploadSweeper CreateSweeper(RecordingVisitor visitor)
    {
        var sweeper = new UploadSweeper(_store, _time, NullLogger.Instance);
        sweeper.Add(visitor);
        return sweeper;
    }

    private Task SweepAsync(RecordingVisitor visitor) => CreateSweeper(visitor).SweepAsync(default);

    private async Task<List<UploadKey>> CreateUploadsAsync()
    {
        List<UploadKey> keys = [.. Enumerable.Range(0, Count).Select(static i =>
            new UploadKey(i < Count / 2 ? "a" : "b", i.ToString("D2", CultureInfo.InvariantCulture) + "-upload"))];
        foreach (UploadKey key in keys)
        {
            Assert.Equal(CreateStatus.Created, (await _store.CreateAsync(key, new UploadRecord(), default)).Status);
        }

        return keys;
    }

    /// <summary>Throws instead of returning one upload of a listing.</summary>
    private sealed class CrashingListing(IUploadStore innerStore, int number) : DelegatingUploadStore(innerStore)
    {
        public override IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, CancellationToken cancellationToken) =>
            base.ListAsync(query, cancellationToken).Select((info, i) => i + 1 == number ? throw new InvalidOperationException("crash") : info);
    }

    private sealed class RecordingVisitor : ISweepVisitor
    {
        public TimeSpan Interval => TimeSpan.FromMinutes(5);

        public TimeSpan EarlyVisitInterval => Interval;

        public UploadKey[] TakeDueVisits() => [];

        public List<UploadKey> Visited { get; } = [];

        public int CompletedSweeps { get; private set; }

        public Action<RecordingVisitor>? OnVisit { get; init; }

        public ValueTask VisitAsync(UploadInfo info, CancellationToken cancellationToken)
        {
            Visited.Add(info.Key);
            OnVisit?.Invoke(this);
            return ValueTask.CompletedTask;
        }

        public void OnSweepCompleted() => CompletedSweeps++;
    }
}
