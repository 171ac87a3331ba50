using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;

namespace ResumableUploads.Hosting.Interim;

/// <summary>
/// Writes interim responses to the transport of an HTTP/1.1 connection. Kestrel writes nothing there between <c>100 Continue</c>, which it sends on
/// the first read of the body, and the final response.
/// </summary>
internal sealed class Http1InterimResponseSender(HttpContext context, PipeWriter output) : InterimResponseSender(context)
{
    protected override async Task WriteAsync(InterimResponse response)
    {
        if ((await output.WriteAsync(response.ToHttp1Bytes(), CancellationToken.None)).IsCanceled)
        {
            // The cancellation was intended for a flush of the server.
            output.CancelPendingFlush();
        }
    }

    /// <summary>Waits for the pending flush, which completes only when the client reads, because the final response follows on the same transport.</summary>
    protected override async ValueTask DrainCoreAsync(Task pendingSend) => await pendingSend;
}
