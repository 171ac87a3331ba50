using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;

namespace ResumableUploads.Hosting.Interim;

/// <summary>
/// Writes interim responses to the transport of an HTTP/1.1 connection. This is safe because Kestrel writes only <c>100 Continue</c>, on the first read
/// of the body, before the final response.
/// </summary>
internal sealed class Http1InterimResponseSender(HttpContext context, PipeWriter output) : InterimResponseSender(context)
{
    protected override async Task WriteAsync(InterimResponse response)
    {
        if ((await output.WriteAsync(response.ToHttp1Bytes(), CancellationToken.None)).IsCanceled)
        {
            // Kestrel canceled its own flush, but this write observed the cancellation. Cancel again, so that the next flush of Kestrel observes it.
            output.CancelPendingFlush();
        }
    }

    /// <summary>
    /// Waits for the pending flush, because the final response is written to the same transport. The flush may not complete until the client reads.
    /// </summary>
    protected override async ValueTask DrainCoreAsync(Task pendingSend) => await pendingSend;
}
