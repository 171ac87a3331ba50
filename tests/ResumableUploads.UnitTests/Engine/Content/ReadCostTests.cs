using System.Buffers;
using System.IO.Pipelines;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Content;

namespace ResumableUploads.UnitTests.Engine.Content;

/// <summary>What a read of a request body costs, and leaves behind.</summary>
public class ReadCostTests
{
    private const int Reads = 2000;
    private const int MaxBytesPerRead = 512;

    [Fact]
    public async Task Read_allocates_less_than_a_coarse_bound()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
        using var reader = new RequestBodyReader(pipe.Reader, long.MaxValue, null, TimeProvider.System, TestSettings.Default, static () => { });
        long allocated = 0;
        for (int i = 0; i < Reads; i++)
        {
            await pipe.Writer.WriteAsync(new byte[100]);
            long before = GC.GetAllocatedBytesForCurrentThread();
            ReadResult result = await reader.ReadAsync();
            reader.AdvanceTo(result.Buffer.End);
            allocated += GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.InRange(allocated / Reads, 0, MaxBytesPerRead);
    }

    /// <param name="startsBeforeDispose">Whether a read waits before the reader is disposed, or only after it.</param>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Dispose_stops_the_timer_of_the_data_rate(bool startsBeforeDispose)
    {
        var time = new TimerCountingProvider();
        var pipe = new Pipe();
        var reader = new RequestBodyReader(pipe.Reader, long.MaxValue, null, time, TestSettings.Default, static () => { });
        ValueTask<ReadResult> read = default;
        if (startsBeforeDispose)
        {
            read = reader.ReadAsync();
            Assert.Equal(1, time.ActiveTimers);
        }

        reader.Dispose();
        Assert.Equal(0, time.ActiveTimers);
        await pipe.Writer.CompleteAsync();
        await read;
        Assert.Equal(0, time.ActiveTimers);
    }

    private sealed class TimerCountingProvider : TimeProvider
    {
        private int _activeTimers;

        public int ActiveTimers => _activeTimers;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Interlocked.Increment(ref _activeTimers);
            return new CountedTimer(this, base.CreateTimer(callback, state, dueTime, period));
        }

        private sealed class CountedTimer(TimerCountingProvider owner, ITimer timer) : ITimer
        {
            private int _isDisposed;

            public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(dueTime, period);

            public void Dispose()
            {
                if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
                {
                    Interlocked.Decrement(ref owner._activeTimers);
                }

                timer.Dispose();
            }

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }
}
