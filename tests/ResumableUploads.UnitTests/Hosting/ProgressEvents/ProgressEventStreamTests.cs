using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
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
        var stream = new ProgressEventStream(new DefaultHttpContext(), static _ => ValueTask.FromResult<ProgressEvent?>(First), time, NullLogger.Instance);
        Task writing = stream.WriteAsync(First, ending.Token);
        await Eventually.TrueAsync(() => time.Active == 1, "the pause has a timer");

        await ending.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing);
        Assert.Equal(0, time.Active);
    }

    [Fact]
    public async Task Events_have_name_id_and_data()
    {
        string text = await WriteAsync(First with { Offset = 4 }, new(10, null, true, "completed"));

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
            text);
    }

    [Fact]
    public async Task Upload_that_is_missing_for_one_read_is_not_gone()
    {
        string text = await WriteAsync(null, First with { Offset = 4 }, null, First with { Offset = 5 }, new(10, 10, true, "completed"));

        Assert.Equal(["receiving-0", "receiving-4", "receiving-5", "completed-10"], GetIds(text));
    }

    [Fact]
    public async Task Upload_that_is_missing_for_two_reads_is_gone()
    {
        string text = await WriteAsync(First with { Offset = 4 }, null, null);

        Assert.Equal(["receiving-0", "receiving-4", "gone-4"], GetIds(text));
    }

    [Fact]
    public async Task Read_that_fails_does_not_end_the_events()
    {
        int reads = 0;
        string text = await WriteAsync(_ => reads++ < 5
            ? throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure.")
            : ValueTask.FromResult<ProgressEvent?>(new(10, 10, true, "completed")));

        Assert.Equal((6, "receiving-0,completed-10"), (reads, string.Join(',', GetIds(text))));
    }

    [Fact]
    public async Task Upload_that_does_not_change_is_read_less_often()
    {
        int reads = 0;
        var time = new FakeTimeProvider();
        var pauses = new TimerCounter(static _ => true, time);
        using var ending = new CancellationTokenSource();
        var stream = new ProgressEventStream(
            new DefaultHttpContext(),
            _ =>
            {
                reads++;
                return ValueTask.FromResult<ProgressEvent?>(First);
            },
            pauses,
            NullLogger.Instance);
        Task writing = stream.WriteAsync(First, ending.Token);
        int expected = 0;
        foreach (double pause in new[] { 0.25, 0.5, 1, 2, 2 })
        {
            await Eventually.TrueAsync(() => pauses.Active == 1, "the pause has a timer");
            time.Advance(TimeSpan.FromSeconds(pause) - TimeSpan.FromMilliseconds(1));
            Assert.Equal((expected, 1), (reads, pauses.Active));
            time.Advance(TimeSpan.FromMilliseconds(1));
            expected++;
            await Eventually.TrueAsync(() => reads == expected, "the upload is read");
        }

        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing);
    }

    private static Task<string> WriteAsync(params ProgressEvent?[] events)
    {
        int reads = 0;
        return WriteAsync(_ => ValueTask.FromResult(events[reads++]));
    }

    /// <summary>Returns the text of a stream that ends.</summary>
    private static async Task<string> WriteAsync(Func<CancellationToken, ValueTask<ProgressEvent?>> read)
    {
        var time = new FakeTimeProvider();
        var body = new MemoryStream();
        var context = new DefaultHttpContext { Response = { Body = body } };
        Task writing = new ProgressEventStream(context, read, time, NullLogger.Instance).WriteAsync(First, CancellationToken.None);
        await Eventually.TrueAsync(() => writing.IsCompleted, "the events end", () => time.Advance(ProgressEventStream.MinPause));
        await writing;
        return Encoding.UTF8.GetString(body.ToArray());
    }

    private static IEnumerable<string> GetIds(string text) =>
        text.Split('\n').Where(static line => line.StartsWith("id: ", StringComparison.Ordinal)).Select(static line => line["id: ".Length..]);
}
