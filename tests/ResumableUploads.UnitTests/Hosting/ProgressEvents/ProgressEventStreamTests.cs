using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Hosting.ProgressEvents;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Hosting.ProgressEvents;

public class ProgressEventStreamTests
{
    private static readonly ProgressEvent First = new(0, 10, false, "receiving");

    [Fact]
    public async Task Stream_that_is_canceled_in_a_pause_leaves_no_timer()
    {
        var time = new TimerCounter(static _ => true);
        using var ending = new CancellationTokenSource();
        var stream = new ProgressEventStream(new DefaultHttpContext(), static _ => ValueTask.FromResult<ProgressEvent?>(First), time);
        Task writing = stream.WriteAsync(First, ending.Token);
        await Eventually.TrueAsync(() => time.Active == 1, "the pause has a timer");

        await ending.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing);
        Assert.Equal(0, time.Active);
    }

    [Fact]
    public async Task Events_have_name_id_and_data()
    {
        ProgressEvent[] events = [First with { Offset = 4 }, new(10, null, true, "completed")];
        int reads = 0;
        var time = new FakeTimeProvider();
        var body = new MemoryStream();
        var context = new DefaultHttpContext { Response = { Body = body } };
        Task writing = new ProgressEventStream(context, _ => ValueTask.FromResult<ProgressEvent?>(events[reads++]), time).WriteAsync(First, CancellationToken.None);
        await Eventually.TrueAsync(() => writing.IsCompleted, "the events end", () => time.Advance(ProgressEventStream.MinPause));
        await writing;

        Assert.Equal(
            """
            retry: 2000
            event: progress
            id: receiving-0
            data: {"offset":0,"length":10,"complete":false,"state":"receiving"}

            event: progress
            id: receiving-4
            data: {"offset":4,"length":10,"complete":false,"state":"receiving"}

            event: completed
            id: completed-10
            data: {"offset":10,"complete":true,"state":"completed"}


            """.ReplaceLineEndings("\n"),
            Encoding.UTF8.GetString(body.ToArray()));
    }

    [Fact]
    public async Task Upload_that_does_not_change_is_read_less_often()
    {
        int reads = 0;
        var time = new FakeTimeProvider();
        using var ending = new CancellationTokenSource();
        var stream = new ProgressEventStream(
            new DefaultHttpContext(),
            _ =>
            {
                reads++;
                return ValueTask.FromResult<ProgressEvent?>(First);
            },
            time);
        Task writing = stream.WriteAsync(First, ending.Token);
        foreach (double pause in new[] { 0.25, 0.5, 1, 2, 2 })
        {
            int before = reads;
            time.Advance(TimeSpan.FromSeconds(pause) - TimeSpan.FromMilliseconds(1));
            Assert.Equal(before, reads);
            time.Advance(TimeSpan.FromMilliseconds(1));
            await Eventually.TrueAsync(() => reads == before + 1, "the upload is read");
        }

        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing);
    }
}
