using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Reliability;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Engine.Clocks;

public class StoreClockTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly FakeStore _store = new();
    private readonly LogLines _log = new();
    private readonly StoreClock _clock;

    public StoreClockTests() => _clock = new StoreClock(_store, _time, _log.CreateLogger("ResumableUploads"));

    [Fact]
    public async Task Clock_is_that_of_the_machine_until_the_storage_was_read()
    {
        _store.Failure = new UploadStoreException(StoreFailure.Unavailable, "Injected failure.");
        await _clock.SynchronizeAsync(default);
        await _clock.SynchronizeAsync(default);
        Assert.Equal(_time.GetUtcNow(), _clock.GetUtcNow());
        Assert.Single(_log.Lines, static line => line.Contains("[232]", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Clock_advances_and_keeps_the_last_reading_after_a_failure()
    {
        _store.UtcNow = _time.GetUtcNow().AddHours(1);
        await _clock.SynchronizeAsync(default);
        _time.Advance(TimeSpan.FromSeconds(10));
        _store.Failure = new UploadStoreException(StoreFailure.Unavailable, "Injected failure.");
        await _clock.SynchronizeAsync(default);
        Assert.Equal(_store.UtcNow.AddSeconds(10), _clock.GetUtcNow());
        Assert.Contains(_log.Lines, static line => line.Contains("[233]", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Clock_of_a_storage_that_hangs_is_given_up()
    {
        _store.Pending = new TaskCompletionSource<DateTimeOffset>();
        Task synchronize = _clock.SynchronizeAsync(default);
        _time.Advance(TimeSpan.FromSeconds(10));
        await Eventually.WithinAsync(synchronize);
        Assert.Equal(_time.GetUtcNow(), _clock.GetUtcNow());
    }

    [Fact]
    public async Task Clock_is_read_every_minute()
    {
        using var stopping = new CancellationTokenSource();
        _store.UtcNow = _time.GetUtcNow();
        Task run = _clock.RunAsync(stopping.Token);
        _store.UtcNow = _store.UtcNow.AddHours(2);
        _time.Advance(TimeSpan.FromMinutes(1));
        await Eventually.TrueAsync(() => _clock.GetUtcNow() == _store.UtcNow, "the clock is read");
        await stopping.CancelAsync();
        await Eventually.WithinAsync(run);
    }

    private sealed class FakeStore : IStoreClock
    {
        public DateTimeOffset UtcNow { get; set; }

        public Exception? Failure { get; set; }

        public TaskCompletionSource<DateTimeOffset>? Pending { get; set; }

        public ValueTask<DateTimeOffset> GetUtcNowAsync(CancellationToken cancellationToken) =>
            Failure is { } failure ? throw failure : Pending is { } pending ? new ValueTask<DateTimeOffset>(pending.Task) : ValueTask.FromResult(UtcNow);
    }
}
