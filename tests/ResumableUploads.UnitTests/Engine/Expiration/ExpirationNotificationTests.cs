using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Engine.Expiration;

/// <summary>How the application is notified of a received upload that expires before its handler has succeeded.</summary>
public sealed class ExpirationNotificationTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HookedStore _store;
    private readonly TestEngine _engine;
    private readonly TestEngine _second;
    private readonly TestEngine _other;
    private int _notifications;
    private int _expirations;
    private bool _fails = true;

    public ExpirationNotificationTests()
    {
        _store = new HookedStore(new MemoryUploadStore(timeProvider: _time));
        _engine = new TestEngine(_store, _time);
        _second = new TestEngine(_store, _time);
        _other = new TestEngine(_store, _time, TestSettings.Default with { GetEngineNames = static () => ["other"] });
        foreach (TestCallbacks callbacks in new[] { _engine.Callbacks, _second.Callbacks, _other.Callbacks })
        {
            callbacks.OnCompleted = static (_, _) => throw new InvalidOperationException("Injected failure.");
            callbacks.OnDeadLettered = (_, _) =>
            {
                _notifications++;
                return _fails ? throw new TaskCanceledException("A request timed out.") : Task.CompletedTask;
            };
            callbacks.OnExpired = (_, _) => Task.FromResult(++_expirations);
        }
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _release.TrySetResult();
        await _engine.DisposeAsync();
        await _second.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Theory]
    [InlineData(7)]
    [InlineData(40)]
    public async Task Failed_notification_is_repeated_with_increasing_delays(int days)
    {
        await ReceiveAsync(days);
        await _engine.VisitAsync();
        await _engine.VisitAsync();
        Assert.Equal(UploadResultKind.StorageFailed, (await _engine.AppendAsync(0, [1, 2], 2)).Kind);
        Assert.Equal(1, _notifications);
        await VisitAfterAsync(TimeSpan.FromMinutes(1.3));
        Assert.Equal(2, _notifications);
        await VisitAfterAsync(TimeSpan.FromMinutes(1.3));
        Assert.Equal(2, _notifications);
        _fails = false;
        await VisitAfterAsync(TimeSpan.FromMinutes(1.3));
        Assert.Equal((3, 1), (_notifications, _expirations));
        Assert.Null(await _engine.GetAsync());
    }

    [Theory]
    [InlineData(7)]
    [InlineData(40)]
    public async Task Notification_that_always_fails_ends_about_a_day_after_its_first_attempt(int days)
    {
        await ReceiveAsync(days);
        DateTimeOffset start = _time.GetUtcNow();
        while (await _engine.GetAsync() is not null && _time.GetUtcNow() - start < TimeSpan.FromDays(5))
        {
            await VisitAfterAsync(TimeSpan.FromMinutes(5));
        }

        Assert.InRange((_time.GetUtcNow() - start).TotalHours, 18, 32);
        Assert.Equal((14, 1), (_notifications, _expirations));
    }

    [Fact]
    public async Task Expired_upload_is_removed_although_the_disk_is_full()
    {
        await ReceiveAsync(7);
        _store.BeforeUpdate = static _ => throw new UploadStoreException(StoreFailure.Full, "Injected failure.");
        await _engine.VisitAsync();
        Assert.NotNull(await _engine.GetAsync());
        _fails = false;
        await _engine.VisitAsync();
        Assert.Equal((2, 1), (_notifications, _expirations));
        Assert.Null(await _engine.GetAsync());
    }

    [Fact]
    public async Task Notification_is_not_run_by_two_processes_at_once()
    {
        await ReceiveAsync(7);
        HoldNotification();
        Task visit = _engine.VisitAsync();
        await Eventually.WithinAsync(_entered.Task);
        await _second.VisitAsync();
        Assert.Equal(UploadResultKind.StorageFailed, (await _second.AppendAsync(0, [1, 2], 2)).Kind);
        Assert.Equal(0, _notifications);
        Assert.NotNull(await _engine.GetAsync());
        _release.SetResult();
        await Eventually.WithinAsync(visit);
        Assert.Equal((0, 1), (_notifications, _expirations));
        Assert.Null(await _engine.GetAsync());
    }

    [Fact]
    public async Task Notification_that_takes_long_keeps_its_lease_and_the_upload_expired()
    {
        await ReceiveAsync(7);
        HoldNotification();
        Task visit = _engine.VisitAsync();
        await Eventually.WithinAsync(_entered.Task);
        string version = (await _engine.GetAsync())!.Version;
        for (int i = 0; i < 3; i++)
        {
            await Eventually.TrueAsync(
                async () => (await _engine.GetAsync())!.Version != version, "the lease is renewed", () => _time.Advance(TimeSpan.FromSeconds(1)));
            version = (await _engine.GetAsync())!.Version;
            await _second.VisitAsync();
        }

        Assert.Equal(0, _notifications);
        Assert.Null(await _second.Engine.GetStatusAsync(TestEngine.Key, false, null, default));
        Assert.False(await _second.Engine.RetryHandlerAsync(TestEngine.Key, null, default));
        _release.SetResult();
        await Eventually.TrueAsync(async () => await _engine.GetAsync() is null, "the upload is removed");
        await visit;
    }

    [Fact]
    public async Task Notification_is_repeated_after_the_process_that_ran_it_has_crashed()
    {
        _fails = false;
        await ReceiveAsync(7);
        await ClaimForCrashedProcessAsync();
        await _engine.VisitAsync();
        Assert.Equal(0, _notifications);
        await VisitAfterAsync(TimeSpan.FromSeconds(61));
        Assert.Equal((1, 1), (_notifications, _expirations));
        Assert.Null(await _engine.GetAsync());
    }

    [Fact]
    public async Task Upload_that_changed_after_it_was_listed_is_not_reported_as_expired()
    {
        await ReceiveAsync(7);
        UploadInfo listed = (await _engine.GetAsync())!;
        await _second.ChangeAsync(static info => info.Record);
        await _engine.VisitAsync(listed);
        Assert.Equal(0, _notifications);
        Assert.NotNull(await _engine.GetAsync());
    }

    [Fact]
    public async Task Upload_that_changes_before_it_is_claimed_is_not_reported_as_expired()
    {
        await ReceiveAsync(7);
        _store.BeforeUpdate = async _ =>
        {
            _store.BeforeUpdate = null;
            await _second.ChangeAsync(static info => info.Record);
        };
        await _engine.VisitAsync();
        Assert.Equal(0, _notifications);
        Assert.NotNull(await _engine.GetAsync());
    }

    [Fact]
    public async Task Other_engine_leaves_the_notification_to_the_engine_of_the_upload()
    {
        await ReceiveAsync(40);
        await _other.VisitAsync();
        await _engine.VisitAsync();
        Assert.Equal(1, _notifications);
        _other.EndSweep();
        await _other.VisitAsync();
        Assert.NotNull(await _engine.GetAsync());

        // The engine of the upload is gone.
        _time.Advance(TimeSpan.FromDays(1));
        await _other.VisitAsync();
        Assert.Equal((1, 0), (_notifications, _expirations));
        Assert.Null(await _engine.GetAsync());
    }

    [Fact]
    public async Task Request_at_another_endpoint_leaves_the_notification_to_the_engine_of_the_upload()
    {
        _fails = false;
        await ReceiveAsync(7);
        Assert.Equal(UploadResultKind.StorageFailed, (await _other.AppendAsync(0, [1, 2], 2)).Kind);
        Assert.NotNull(await _engine.GetAsync());
        await _engine.VisitAsync();
        Assert.Equal((1, 1), (_notifications, _expirations));
        Assert.Null(await _engine.GetAsync());
    }

    /// <summary>Receives an upload of an endpoint of the app that fails, and lets time pass. It expires after seven days.</summary>
    private async Task ReceiveAsync(int days)
    {
        _engine.IsEndpoint = true;
        Assert.Equal(UploadResultKind.HandlerFailed, (await _engine.AppendAsync(0, [1, 2], 2)).Kind);
        _time.Advance(TimeSpan.FromDays(days));
    }

    private void HoldNotification() => _engine.Callbacks.OnDeadLettered = async (_, _) =>
    {
        _entered.TrySetResult();
        await _release.Task;
    };

    /// <summary>Writes the record of a process that has claimed the notification.</summary>
    private Task ClaimForCrashedProcessAsync() => _engine.ChangeAsync(info =>
    {
        EngineRecord record = EngineRecord.From(info);
        HandlerState state = record.Handler! with { IsDeadLettered = true, LeasedBy = "crashed" };
        return info.Record with { Data = (record with { Handler = state }).ToBytes(), SlidingExpiration = null, AbsoluteExpiration = info.Expires };
    });

    private async Task VisitAfterAsync(TimeSpan delay)
    {
        _time.Advance(delay);
        await _engine.VisitAsync();
    }
}
