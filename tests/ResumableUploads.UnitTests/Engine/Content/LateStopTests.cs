using System.IO.Pipelines;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Engine.Content;

namespace ResumableUploads.UnitTests.Engine.Content;

/// <summary>A stop that is requested when the body no longer needs it. The server may use its reader for the next request of the connection then.</summary>
public class LateStopTests
{
    private readonly FakeTimeProvider _time = new();
    private int _stops;

    [Fact]
    public void Stop_after_disposal_does_not_cancel_a_read()
    {
        var inner = new CountingReader(new Pipe().Reader);
        RequestBodyReader reader = CreateReader(inner);
        reader.Dispose();
        reader.RequestStop(BodyEndReason.Preempted);
        Assert.Equal((0, 0), (inner.Cancellations, _stops));
    }

    [Fact]
    public async Task Stop_after_the_end_does_not_cancel_a_read()
    {
        var body = new Pipe();
        await body.Writer.CompleteAsync();
        var inner = new CountingReader(body.Reader);
        using RequestBodyReader reader = CreateReader(inner);
        reader.AdvanceTo((await reader.ReadAsync(TestContext.Current.CancellationToken)).Buffer.End);
        reader.RequestStop(BodyEndReason.Preempted);
        Assert.Equal((BodyEndReason.EndOfBody, 0, 0), (reader.EndReason, inner.Cancellations, _stops));
    }

    [Fact]
    public void Stop_before_the_end_starts_the_grace_period_once()
    {
        var inner = new CountingReader(new Pipe().Reader);
        using RequestBodyReader reader = CreateReader(inner);
        reader.RequestStop(BodyEndReason.Preempted);
        reader.RequestStop(BodyEndReason.Shutdown);
        Assert.Equal((1, 1), (inner.Cancellations, _stops));
        Assert.True(reader.TryRead(out ReadResult result) && result.IsCompleted);
        Assert.Equal((BodyEndReason.Preempted, 1), (reader.EndReason, _stops));
    }

    private RequestBodyReader CreateReader(PipeReader inner) => new(inner, 100, null, _time, TestSettings.Default, () => _stops++);

    private sealed class CountingReader(PipeReader inner) : PipeReader
    {
        public int Cancellations { get; private set; }

        public override void AdvanceTo(SequencePosition consumed) => inner.AdvanceTo(consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => inner.AdvanceTo(consumed, examined);

        public override void CancelPendingRead()
        {
            Cancellations++;
            inner.CancelPendingRead();
        }

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) => inner.ReadAsync(cancellationToken);

        public override bool TryRead(out ReadResult result) => inner.TryRead(out result);
    }
}
