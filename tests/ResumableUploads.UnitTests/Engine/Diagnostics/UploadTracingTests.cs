using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Diagnostics;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.UnitTests.Engine.Diagnostics;

/// <summary>The activities of the requests of one upload.</summary>
public sealed class UploadTracingTests : IDisposable
{
    private readonly List<Activity> _stopped = [];
    private readonly ActivityListener _listener;
    private readonly ActivitySource _requests = new("test-" + Guid.NewGuid().ToString("n"));

    public UploadTracingTests()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source == _requests || source.Name == ResumableUploadsDiagnostics.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> options) =>
                options.Source == _requests || Activity.Current?.Source == _requests ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
            ActivityStopped = activity =>
            {
                lock (_stopped)
                {
                    _stopped.Add(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public void Dispose()
    {
        _listener.Dispose();
        _requests.Dispose();
    }

    [Fact]
    public async Task Appends_over_two_connections_have_parent_and_link_to_creation()
    {
        await using var engine = new TestEngine(new MemoryUploadStore(), new FakeTimeProvider());
        engine.Callbacks.OnCompleted = static (_, _) => Task.FromResult(new HandlerResult(HandlerResultKind.Final, null));
        Activity first = await AppendAsync(engine, 0, 4);
        Activity second = await AppendAsync(engine, 4, 6);
        Assert.NotEqual(first.TraceId, second.TraceId);
        Assert.Empty(first.Links);
        Assert.Equal(first.Context.SpanId, Assert.Single(second.Links).Context.SpanId);
        Assert.Equal(first.TraceId, Assert.Single(second.Links).Context.TraceId);
        Assert.Equal(("appended", "completed"), (first.GetTagItem("resumable_uploads.outcome"), second.GetTagItem("resumable_uploads.outcome")));
        Assert.Equal(
            [
                UploadTracing.SyncEvent, UploadTracing.ReceivedEvent, UploadTracing.HandlerStartedEvent, UploadTracing.HandlerEndedEvent, UploadTracing.CompletedEvent,
            ],
            second.Events.Select(static one => one.Name).Distinct());
        Assert.Equal((ActivityStatusCode.Unset, ActivityStatusCode.Unset), (first.Status, second.Status));
    }

    [Fact]
    public async Task Failed_handler_sets_status_and_its_retry_in_background_has_link()
    {
        var time = new FakeTimeProvider();
        await using var engine = new TestEngine(new MemoryUploadStore(), time);
        engine.Callbacks.OnCompleted = static (_, _) => throw new InvalidOperationException("fails");
        Activity failed = await AppendAsync(engine, 0, 10);
        Assert.Equal((ActivityStatusCode.Error, "handler_failed"), (failed.Status, failed.GetTagItem("error.type")));
        Assert.Equal("failed", failed.Events.Single(static one => one.Name == UploadTracing.HandlerEndedEvent).Tags.Single().Value);

        time.Advance(TimeSpan.FromHours(1));
        using (Activity background = _requests.StartActivity("sweep")!)
        {
            await engine.VisitAsync();
            Activity retry = Take(UploadTracing.HandlerActivity);
            Assert.Equal((background.SpanId, failed.SpanId), (retry.ParentSpanId, Assert.Single(retry.Links).Context.SpanId));
            Assert.Equal(2, retry.Events.Single(static one => one.Name == UploadTracing.HandlerStartedEvent).Tags.Single().Value);
        }
    }

    [Fact]
    public async Task Record_of_untraced_upload_has_no_trace()
    {
        await using var engine = new TestEngine(new MemoryUploadStore(), new FakeTimeProvider());
        await engine.AppendAsync(0, new byte[4], 10);
        Assert.DoesNotContain("trace", System.Text.Encoding.UTF8.GetString((await engine.GetAsync())!.Record.Data.Span), StringComparison.Ordinal);
        Activity second = await AppendAsync(engine, 4, 2);
        Assert.Empty(second.Links);
    }

    [Theory]
    [InlineData("")]
    [InlineData("00-zz")]
    public async Task Damaged_trace_in_record_is_ignored(string trace)
    {
        await using var engine = new TestEngine(new MemoryUploadStore(), new FakeTimeProvider());
        await engine.AppendAsync(0, new byte[4], 10);
        await engine.ChangeAsync(info => info.Record with { Data = (EngineRecord.From(info) with { TraceParent = trace }).ToBytes() });
        Assert.Empty((await AppendAsync(engine, 4, 2)).Links);
    }

    private async Task<Activity> AppendAsync(TestEngine engine, long offset, int count)
    {
        Activity.Current = null;
        using Activity request = _requests.StartActivity("request")!;
        await engine.AppendAsync(offset, new byte[count], 10);
        Activity append = Take(UploadTracing.AppendActivity);
        Assert.Equal(request.SpanId, append.ParentSpanId);
        return append;
    }

    /// <summary>Returns the last activity of the current trace with a name.</summary>
    private Activity Take(string name)
    {
        lock (_stopped)
        {
            return _stopped.Last(activity => activity.OperationName == name && activity.TraceId == Activity.Current?.TraceId);
        }
    }
}
