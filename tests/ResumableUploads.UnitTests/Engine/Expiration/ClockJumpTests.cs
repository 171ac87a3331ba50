using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Infrastructure;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.UnitTests.Engine.Expiration;

/// <summary>A jump of the system time forwards does not delete uploads at once, and does not keep them for ever.</summary>
public sealed class ClockJumpTests : IAsyncDisposable
{
    private static readonly TimeSpan Jump = TimeSpan.FromDays(365);
    private readonly JumpingTimeProvider _time = new();
    private readonly TestEngine _engine;
    private readonly ExpirationClock _clock;
    private readonly List<TimeSpan> _jumps = [];
    private readonly DateTimeOffset _start;

    public ClockJumpTests()
    {
        _engine = new TestEngine(new MemoryUploadStore(timeProvider: _time), _time);
        _clock = new ExpirationClock(_time, _jumps.Add);
        _start = _time.GetUtcNow();
    }

    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    [Fact]
    public void Time_after_a_jump_applies_once_it_is_confirmed()
    {
        _time.Error = Jump;
        Assert.Equal(_start, _clock.GetUtcNow());
        _time.Advance(ExpirationClock.ConfirmationTime - TimeSpan.FromTicks(1));
        Assert.Equal(_start + ExpirationClock.ConfirmationTime - TimeSpan.FromTicks(1), _clock.GetUtcNow());
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(_time.GetUtcNow(), _clock.GetUtcNow());
        Assert.Equal([Jump], _jumps);
        _time.Advance(Jump);
        Assert.Equal(_time.GetUtcNow(), _clock.GetUtcNow());
        Assert.Single(_jumps);
    }

    [Fact]
    public void Jump_that_is_corrected_has_no_effect()
    {
        _time.Error = Jump;
        Assert.Equal(_start, _clock.GetUtcNow());
        _time.Advance(TimeSpan.FromHours(1));
        _time.Error = TimeSpan.Zero;
        Assert.Equal(_time.GetUtcNow(), _clock.GetUtcNow());

        // The next jump is not confirmed by the first one.
        _time.Advance(ExpirationClock.ConfirmationTime);
        _time.Error = Jump;
        Assert.Equal(_start + ExpirationClock.ConfirmationTime + TimeSpan.FromHours(1), _clock.GetUtcNow());
        Assert.Equal([Jump, Jump], _jumps);
    }

    [Fact]
    public void Second_jump_begins_the_confirmation_again()
    {
        _time.Error = Jump;
        Assert.Equal(_start, _clock.GetUtcNow());
        _time.Advance(ExpirationClock.ConfirmationTime);
        _time.Error = Jump * 2;
        Assert.Equal(_start + ExpirationClock.ConfirmationTime, _clock.GetUtcNow());
        _time.Advance(ExpirationClock.ConfirmationTime);
        Assert.Equal(_time.GetUtcNow(), _clock.GetUtcNow());
        Assert.Equal([Jump, Jump * 2], _jumps);
    }

    [Fact]
    public void Slow_changes_jumps_backwards_and_long_pauses_apply_at_once()
    {
        for (int i = 0; i < 10; i++)
        {
            _time.Advance(TimeSpan.FromHours(1));
            _time.Error += ExpirationClock.MaxDrift;
            Assert.Equal(_time.GetUtcNow(), _clock.GetUtcNow());
        }

        _time.Error = -Jump;
        Assert.Equal(_time.GetUtcNow(), _clock.GetUtcNow());
        _time.Advance(TimeSpan.FromDays(1000));
        Assert.Equal(_time.GetUtcNow(), _clock.GetUtcNow());
        Assert.Empty(_jumps);
    }

    [Fact]
    public async Task Sweep_and_requests_keep_the_upload_until_the_jump_is_confirmed()
    {
        await _engine.AppendAsync(0, [1], 2);
        _time.Error = Jump;
        await _engine.VisitAsync();
        Assert.NotNull(await _engine.GetAsync());
        Assert.NotNull(await _engine.Engine.GetStatusAsync(TestEngine.Key, isClientGeneratedKey: true, null, default));
        Assert.True(_engine.HasLogged(284));
        _time.Advance(ExpirationClock.ConfirmationTime);
        Assert.Null(await _engine.Engine.GetStatusAsync(TestEngine.Key, isClientGeneratedKey: true, null, default));
        await _engine.VisitAsync();
        Assert.Null(await _engine.GetAsync());
    }

    [Fact]
    public async Task Append_continues_the_upload_after_a_jump()
    {
        await _engine.AppendAsync(0, [1], 2);
        _time.Error = Jump;
        Assert.Equal((UploadResultKind.Completed, 2), await GetResultAsync(1, [2]));

        async Task<(UploadResultKind, long?)> GetResultAsync(long offset, byte[] bytes)
        {
            UploadResult result = await _engine.AppendAsync(offset, bytes, 2);
            return (result.Kind, result.Offset);
        }
    }

    [Fact]
    public async Task Upload_that_is_replacing_another_one_is_kept()
    {
        var key = new UploadKey("owner", "replacement-1");
        await _engine.Store.CreateAsync(key, new UploadRecord { Data = new EngineRecord().ToBytes() }, default);
        _time.Error = Jump;
        await _engine.VisitAsync(key.Id);
        Assert.NotNull(await _engine.Store.GetAsync(key, default));
        _time.Advance(ExpirationClock.ConfirmationTime);
        await _engine.VisitAsync(key.Id);
        Assert.Null(await _engine.Store.GetAsync(key, default));
    }
}
