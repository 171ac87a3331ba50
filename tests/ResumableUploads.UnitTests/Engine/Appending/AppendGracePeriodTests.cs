using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.UnitTests.Engine.Appending;

/// <summary>How long a call of the store may continue after the client has disconnected.</summary>
public class AppendGracePeriodTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Margin = TimeSpan.FromMilliseconds(100);

    [Fact]
    public async Task Store_call_is_canceled_a_grace_period_after_the_disconnect()
    {
        var time = new FakeTimeProvider();
        using var memory = new MemoryUploadStore(timeProvider: time);
        var store = new HangingStore(memory);
        await using var engine = new TestEngine(store, time, TestSettings.Default with { AppendGracePeriod = Grace, PreemptionTimeout = TimeSpan.FromSeconds(3), IdleTimeout = TimeSpan.FromSeconds(50) });
        using var client = new CancellationTokenSource();
        Task<UploadResult> append = engine.AppendAsync(0, new byte[1], 10, client.Token);
        CancellationToken token = await store.Called.Task.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, TestContext.Current.CancellationToken);

        // While the client is connected, the store has as much time as it needs.
        time.Advance(Grace * 5);
        Assert.False(token.IsCancellationRequested);
        await client.CancelAsync();
        time.Advance(Grace - Margin);
        Assert.False(token.IsCancellationRequested);
        time.Advance(Margin * 2);
        Assert.True(token.IsCancellationRequested);
        await Record.ExceptionAsync(() => append.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, TestContext.Current.CancellationToken));
        Assert.True(append.IsCompleted);
    }

    private sealed class HangingStore(IUploadStore store) : DelegatingUploadStore(store)
    {
        public TaskCompletionSource<CancellationToken> Called { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override async ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken)
        {
            Called.TrySetResult(cancellationToken);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            return null;
        }
    }
}
