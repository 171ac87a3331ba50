using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Hosting.Dashboard;

/// <summary>
/// The live updates of open pages, as <see href="https://html.spec.whatwg.org/multipage/server-sent-events.html">server-sent events</see>. A connection ends when
/// its client disconnects, when the server stops, and after some minutes: the browser then opens another one, which is authorized again.
/// </summary>
internal sealed class DashboardEvents(IUploadManager manager, ResumableUploadsDashboardOptions options, TimeProvider time, CancellationToken stopping)
{
    /// <summary>The duration of a connection.</summary>
    public static readonly TimeSpan MaxDuration = TimeSpan.FromMinutes(10);

    /// <summary>The minimum pause between two updates, in durations of the query for the first one.</summary>
    private const int PausePerQuery = 4;

    private int _connections;

    /// <summary>Sends updates until the connection ends. Responds with 503 if there are too many connections.</summary>
    public async Task WriteAsync(HttpContext context)
    {
        DashboardHeaders.Set(context.Response);
        try
        {
            if (Interlocked.Increment(ref _connections) > options.MaxLiveConnections)
            {
                context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                return;
            }

            using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
            try
            {
                await SendAsync(context, ending.Token);
            }
            catch (Exception) when (ending.IsCancellationRequested)
            {
                // The client has disconnected, or the server is stopping.
            }
        }
        finally
        {
            Interlocked.Decrement(ref _connections);
        }
    }

    private async Task SendAsync(HttpContext context, CancellationToken cancellationToken)
    {
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        DashboardView view = DashboardView.From(context.Request);
        long start = time.GetTimestamp();
        for (TimeSpan pause; time.GetElapsedTime(start) < MaxDuration; await Task.Delay(pause, time, cancellationToken))
        {
            long queryStart = time.GetTimestamp();
            byte[] json = JsonSerializer.SerializeToUtf8Bytes(await CreateUpdateAsync(view, cancellationToken), DashboardUpdateJsonContext.Default.DashboardUpdate);

            // A slow store is not read all the time.
            TimeSpan slowPause = time.GetElapsedTime(queryStart) * PausePerQuery;
            pause = slowPause > options.UpdateInterval ? slowPause : options.UpdateInterval;
            await context.Response.Body.WriteAsync((byte[])[.. "data: "u8, .. json, .. "\n\n"u8], cancellationToken);
            await context.Response.Body.FlushAsync(cancellationToken);
        }
    }

    private async Task<DashboardUpdate> CreateUpdateAsync(DashboardView view, CancellationToken cancellationToken)
    {
        UploadStatistics statistics = await manager.GetStatisticsAsync(cancellationToken);
        UploadPage? page = null;
        try
        {
            // A search by id may read thousands of records, and is not repeated while the page is open.
            page = view.Id is null ? await manager.ListAsync(view.ToQuery(options.PageSize), cancellationToken) : null;
        }
        catch (Exception e) when (e is UploadStoreException or ArgumentException)
        {
            // The page says that the rows are not current.
        }

        return new DashboardUpdate(
            DashboardNumbers.From(statistics, time.GetUtcNow()), statistics.RecentRefusals, page?.Uploads.Select(DashboardRow.From).ToList(), view.Id is null);
    }
}
