using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.UnitTests.Engine.Completion;

/// <summary>When the application is notified again of a dead-lettered upload, after its event handler failed.</summary>
public sealed class DeadLetterNotificationTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly TestEngine _engine;
    private int _handlerRuns;
    private int _notifications;
    private bool _fails = true;

    public DeadLetterNotificationTests()
    {
        _engine = new TestEngine(new MemoryUploadStore(timeProvider: _time), _time, TestSettings.Default with { MaxHandlerAttempts = 1 });
        _engine.Callbacks.OnCompleted = (_, _) =>
        {
            _handlerRuns++;
            throw new InvalidOperationException("Injected failure.");
        };
        _engine.Callbacks.OnDeadLettered = (_, _) =>
        {
            _notifications++;
            return _fails ? throw new IOException("Injected failure.") : Task.CompletedTask;
        };
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync() => await _engine.DisposeAsync();

    [Fact]
    public async Task Failed_notification_is_repeated_until_it_succeeds()
    {
        await _engine.AppendAsync(0, [1, 2], 2);
        Assert.Equal(1, _notifications);

        // Neither a sweep nor a request repeats it before the delay has passed.
        await _engine.VisitAsync();
        Assert.Equal(UploadResultKind.DeadLettered, (await _engine.AppendAsync(2, [], 2)).Kind);
        Assert.Equal(1, _notifications);
        await VisitAfterAsync(TimeSpan.FromMinutes(2));
        Assert.Equal(2, _notifications);
        await VisitAfterAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(2, _notifications);
        _fails = false;
        await VisitAfterAsync(TimeSpan.FromMinutes(3));
        Assert.Equal((3, true), (_notifications, (await _engine.GetHandlerAsync())!.IsDeadLetterReported));
        await VisitAfterAsync(TimeSpan.FromDays(1));
        Assert.Equal((3, 1), (_notifications, _handlerRuns));
    }

    [Fact]
    public async Task Notification_that_always_fails_does_not_keep_the_upload_forever()
    {
        await _engine.AppendAsync(0, [1, 2], 2);
        DateTimeOffset start = _time.GetUtcNow();
        while (await _engine.GetAsync() is not null && _time.GetUtcNow() - start < TimeSpan.FromDays(30))
        {
            await VisitAfterAsync(TimeSpan.FromHours(5));
        }

        // One series of attempts after the last run of the handler, and one when the upload expires.
        Assert.InRange((_time.GetUtcNow() - start).TotalDays, 10, 14);
        Assert.Equal(28, _notifications);
        Assert.Equal(1, _handlerRuns);
    }

    private async Task VisitAfterAsync(TimeSpan delay)
    {
        _time.Advance(delay);
        await _engine.VisitAsync();
    }
}
