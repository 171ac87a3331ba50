using System.Buffers;
using System.IO.Pipelines;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Engine.Completion;

/// <summary>A process that takes a lease and is delayed before it starts the handler.</summary>
public sealed class StaleLeaseTests : IAsyncLifetime
{
    private static readonly TimeSpan Lease = TestSettings.Default.HandlerLeaseDuration;
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly MemoryUploadStore _store;
    private readonly TestEngine _engine;
    private readonly TestEngine _other;
    private readonly List<(string Process, int? Renewals)> _runs = [];

    public StaleLeaseTests()
    {
        _store = new MemoryUploadStore(timeProvider: _time);
        _engine = new TestEngine(_store, _time);
        _other = new TestEngine(_store, _time);
        _engine.Callbacks.OnCompleted = (_, _) => RunAsync("this");
        _other.Callbacks.OnCompleted = (_, _) => RunAsync("other");
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Fact]
    public async Task Handler_does_not_run_if_another_process_took_over_its_lease()
    {
        UploadResult result = await AppendAsync(async () =>
        {
            await _other.VisitAsync();
            _time.Advance(2 * Lease);
            await _other.VisitAsync();
        });
        Assert.Equal((UploadResultKind.HandlerRunning, "other"), (result.Kind, Assert.Single(_runs).Process));
        Assert.True(_engine.HasLogged(224));
        Assert.Equal(UploadResultKind.Replayed, (await _engine.AppendAsync(2, [], 2)).Kind);
    }

    [Theory]
    [InlineData(0.6)]
    [InlineData(2)]
    public async Task Lease_that_has_nearly_run_out_is_renewed_before_the_handler_starts(double leases)
    {
        UploadResult result = await AppendAsync(() =>
        {
            _time.Advance(leases * Lease);
            return Task.CompletedTask;
        });
        Assert.Equal(UploadResultKind.Completed, result.Kind);
        Assert.Equal(("this", 2), Assert.Single(_runs));
    }

    [Fact]
    public async Task Lease_that_ran_out_during_the_handler_is_renewed_before_its_response_is_stored()
    {
        var busy = new BusyStore(_store);
        var store = new HookedStore(busy) { BeforeComplete = _ => _other.VisitAsync() };
        await using var engine = new TestEngine(store, _time);
        engine.Callbacks.OnCompleted = async (_, _) =>
        {
            busy.Fault = StoreFault.Busy;
            await _other.VisitAsync();
            _time.Advance(2 * Lease);
            await Eventually.TrueAsync(() => busy.Updates > 0, "the renewal fails");
            busy.Fault = null;
            return await RunAsync("this");
        };
        Assert.Equal(UploadResultKind.Completed, (await engine.AppendAsync(0, [1, 2], 2)).Kind);
        Assert.Equal("this", Assert.Single(_runs).Process);
    }

    private async Task<HandlerResult> RunAsync(string process)
    {
        _runs.Add((process, (await _engine.GetHandlerAsync())!.Renewals));
        return new HandlerResult(HandlerResultKind.Final, "{}"u8.ToArray());
    }

    /// <summary>Completes the upload with an append that is delayed after it has taken the lease.</summary>
    private Task<UploadResult> AppendAsync(Func<Task> delay) => _engine.Engine.AppendAsync(
        new AppendCommand
        {
            Key = TestEngine.Key,
            Offset = 0,
            Body = PipeReader.Create(new ReadOnlySequence<byte>(new byte[2])),
            BodyLength = 2,
            UploadLength = 2,
            CompletionRule = CompletionRule.AtLength,
            CreateIfMissing = new CreateCommand("test", "name", null),
            Observer = new DelayingObserver(delay),
        },
        _engine.Callbacks,
        default).AsTask();

    private sealed class DelayingObserver(Func<Task> delay) : IAppendObserver
    {
        public ValueTask OnCreatedAsync(UploadInfo info) => ValueTask.CompletedTask;

        public void OnDurable(long durableOffset)
        {
        }

        public async ValueTask FlushAsync() => await delay();
    }
}
