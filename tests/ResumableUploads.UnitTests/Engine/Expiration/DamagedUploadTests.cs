using System.Text;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.UnitTests.Engine.Expiration;

/// <summary>Expired uploads whose engine data cannot be read.</summary>
public sealed class DamagedUploadTests : IAsyncLifetime
{
    private const int Removed = 281;
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly TestEngine _engine;
    private int _events;

    public DamagedUploadTests()
    {
        _engine = new TestEngine(new MemoryUploadStore(timeProvider: _time), _time, TestSettings.Default with { HandlerRetryDelay = TimeSpan.Zero });
        _engine.Callbacks.OnCompleted = static (_, _) => throw new InvalidOperationException("Injected failure.");
        _engine.Callbacks.OnDeadLettered = (_, _) => Task.FromResult(++_events);
        _engine.Callbacks.OnExpired = (_, _) => Task.FromResult(++_events);
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync() => await _engine.DisposeAsync();

    [Theory]
    [InlineData(UploadState.Receiving)]
    [InlineData(UploadState.Received)]
    [InlineData(UploadState.Completed)]
    public async Task Damaged_upload_is_removed_a_day_after_it_expired(UploadState state)
    {
        await CreateAsync(state, "{");
        _time.Advance(TimeSpan.FromDays(8) - TimeSpan.FromTicks(1));
        _engine.EndSweep();
        await Assert.ThrowsAsync<UploadStoreException>(_engine.VisitAsync);
        Assert.NotNull(await _engine.GetAsync());
        _time.Advance(TimeSpan.FromTicks(1));
        await _engine.VisitAsync();
        Assert.Null(await _engine.GetAsync());
        Assert.True(_engine.HasLogged(Removed));
        Assert.Equal(0, _events);
    }

    [Theory]
    [InlineData(UploadState.Receiving)]
    [InlineData(UploadState.Received)]
    public async Task Upload_of_a_newer_version_is_left_unchanged(UploadState state)
    {
        await CreateAsync(state, """{"format":99}""");
        _time.Advance(TimeSpan.FromDays(30));
        _engine.EndSweep();
        await Assert.ThrowsAsync<UploadStoreException>(_engine.VisitAsync);
        Assert.NotNull(await _engine.GetAsync());
        Assert.False(_engine.HasLogged(Removed));
    }

    private async Task CreateAsync(UploadState state, string data)
    {
        await _engine.AppendAsync(0, [1, 2], state == UploadState.Receiving ? 10 : 2);
        await _engine.ChangeAsync(info => info.Record with { State = state, Data = Encoding.UTF8.GetBytes(data) });
    }
}
