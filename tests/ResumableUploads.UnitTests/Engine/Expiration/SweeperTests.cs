using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Stores.FileSystem;

namespace ResumableUploads.UnitTests.Engine.Expiration;

/// <summary>How a store is walked over.</summary>
public sealed class SweeperTests : IDisposable
{
    private const int Count = 60;
    private readonly InstantTime _time = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("ru-sweep-").FullName;
    private readonly FileSystemUploadStore _store;

    public SweeperTests() => _store = new FileSystemUploadStore(
        new FileSystemUploadStoreOptions { Directory = Path.Combine(_directory, "store"), Durability = Durability.ProcessCrash }, _time);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_walk_takes_a_quarter_of_the_time()
    {
        await CreateAsync();
        var visitor = new Visitor { Visit = _ => _time.Pass(TimeSpan.FromMilliseconds(4)) };
        await SweepAsync(visitor);
        Assert.Equal(Count, visitor.Seen.Count);

        // Up to seven visits may not have been made up for yet.
        Assert.InRange(_time.Waited.TotalMilliseconds, 3 * 4 * (Count - 7), 3 * 4 * Count);
    }

    [Fact]
    public async Task A_visit_that_takes_long_is_not_made_up_for()
    {
        await CreateAsync();
        var visitor = new Visitor { Visit = _ => _time.Pass(TimeSpan.FromMinutes(1)) };
        await SweepAsync(visitor);
        Assert.InRange(_time.Waited.TotalMilliseconds, 1, Count * 100);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(Count)]
    public async Task A_walk_that_a_crash_ended_is_gone_on_with_and_sees_everything(int visits)
    {
        List<UploadKey> all = await CreateAsync();
        UploadKey? place = null;
        var dead = new Visitor
        {
            // The place is kept after ten seconds, and no look at the token follows.
            Visit = visitor =>
            {
                _time.Pass(TimeSpan.FromSeconds(11));
                if (visitor.Seen.Count == visits)
                {
                    throw new InvalidOperationException("dead");
                }

                place = visitor.Seen[^1];
            },
        };
        await Assert.ThrowsAsync<InvalidOperationException>(() => SweepAsync(dead));
        Assert.Equal(place, await _store.GetSweepCheckpointAsync(default));

        var next = new Visitor();
        await SweepAsync(next);
        Assert.Equal([.. all[(visits - 1)..], .. all[..(visits - 1)]], next.Seen);
        Assert.Null(await _store.GetSweepCheckpointAsync(default));

        var again = new Visitor();
        await SweepAsync(again);
        Assert.Equal(all, again.Seen);
    }

    [Fact]
    public async Task A_server_that_stops_in_a_long_walk_keeps_how_far_it_came()
    {
        List<UploadKey> all = await CreateAsync();
        using var stopping = new CancellationTokenSource();
        var stopped = new Visitor
        {
            Visit = visitor =>
            {
                _time.Pass(TimeSpan.FromSeconds(visitor.Seen.Count == 1 ? 11 : 0));
                if (visitor.Seen.Count == 20)
                {
                    stopping.Cancel();
                }
            },
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => NewSweeper(stopped).SweepAsync(stopping.Token));
        Assert.Equal(all[19], await _store.GetSweepCheckpointAsync(default));
    }

    [Fact]
    public async Task A_short_walk_keeps_nothing()
    {
        await CreateAsync();
        string place = Path.Combine(_directory, "store", "sweep-place");
        await SweepAsync(new Visitor { Visit = _ => Assert.False(File.Exists(place)) });
        Assert.False(File.Exists(place));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_upload_that_is_gone_is_a_place_all_the_same(bool isGone)
    {
        List<UploadKey> all = await CreateAsync();
        await _store.PutSweepCheckpointAsync(all[30], default);
        if (isGone)
        {
            await _store.DeleteAsync(all[30], null, default);
            all.RemoveAt(30);
        }

        var visitor = new Visitor();
        await SweepAsync(visitor);
        Assert.Equal(all, visitor.Seen.Distinct().Order(Comparer<UploadKey>.Create(static (a, b) => string.CompareOrdinal(a.ToString(), b.ToString()))));
    }

    [Theory]
    [InlineData("")]
    [InlineData("owner/id")]
    [InlineData("owner\n")]
    [InlineData("../id\n")]
    [InlineData("owner/i/d\n")]
    [InlineData("owner/id\nowner/id\n")]
    public async Task A_place_that_is_torn_is_none(string text)
    {
        List<UploadKey> all = await CreateAsync();
        await File.WriteAllTextAsync(Path.Combine(_directory, "store", "sweep-place"), text);
        Assert.Null(await _store.GetSweepCheckpointAsync(default));
        await _store.PutSweepCheckpointAsync(all[3], default);
        Assert.Equal(all[3], await _store.GetSweepCheckpointAsync(default));
        await _store.PutSweepCheckpointAsync(new UploadKey("o", "i"), default);
        Assert.Equal(new UploadKey("o", "i"), await _store.GetSweepCheckpointAsync(default));
    }

    [Fact]
    public async Task A_visitor_that_the_storage_fails_keeps_nobody_from_the_others()
    {
        List<UploadKey> all = await CreateAsync();
        var failing = new Visitor { Visit = static _ => throw new UploadStoreException(StoreFailure.Unavailable, "no") };
        var other = new Visitor();
        UploadSweeper sweeper = NewSweeper(failing);
        sweeper.Add(other);
        await sweeper.SweepAsync(default);
        Assert.Equal(all, failing.Seen);
        Assert.Equal(all, other.Seen);
        Assert.Equal((1, 1), (failing.Sweeps, other.Sweeps));
    }

    private UploadSweeper NewSweeper(Visitor visitor)
    {
        var sweeper = new UploadSweeper(_store, _time, NullLogger.Instance);
        sweeper.Add(visitor);
        return sweeper;
    }

    private Task SweepAsync(Visitor visitor) => NewSweeper(visitor).SweepAsync(default);

    private async Task<List<UploadKey>> CreateAsync()
    {
        List<UploadKey> keys = [.. Enumerable.Range(0, Count).Select(static i =>
            new UploadKey(i < Count / 2 ? "a" : "b", i.ToString("D2", CultureInfo.InvariantCulture) + "-upload"))];
        foreach (UploadKey key in keys)
        {
            Assert.Equal(CreateStatus.Created, (await _store.CreateAsync(key, new UploadRecord(), default)).Status);
        }

        return keys;
    }

    private sealed class Visitor : ISweepVisitor
    {
        public TimeSpan Interval => TimeSpan.FromMinutes(5);

        public List<UploadKey> Seen { get; } = [];

        public int Sweeps { get; private set; }

        public Action<Visitor>? Visit { get; init; }

        public ValueTask VisitAsync(UploadInfo info, CancellationToken cancellationToken)
        {
            Seen.Add(info.Key);
            Visit?.Invoke(this);
            return ValueTask.CompletedTask;
        }

        public void OnSweepCompleted() => Sweeps++;
    }
}
