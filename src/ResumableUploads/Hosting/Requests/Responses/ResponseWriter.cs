using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResumableUploads.Hosting.Requests.Bodies;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Requests.Responses;

/// <summary>
/// Writes a response so that a client that is still sending its body can read it. The response is sent first, and then the rest of the body is drained
/// for a bounded time: a connection that is closed while the client sends is reset, and the client loses the response.
/// </summary>
internal static class ResponseWriter
{
    private const long MaxDrainedBytes = 256L << 20;

    /// <summary>
    /// The rate, in bytes per second, at which the body of a preempted request is drained while another request appends to the upload. Browsers send the whole
    /// body before they read the response, and share the client's line with the other request.
    /// </summary>
    private const double ContinuedDrainRate = 512 * 1024;

    private static readonly TimeSpan MaxDrainTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MaxDrainTimeOnShutdown = TimeSpan.FromSeconds(1);

    /// <summary>Writes a response.</summary>
    /// <param name="context">The request.</param>
    /// <param name="data">The response.</param>
    /// <param name="stopping">The token that is canceled when the server stops.</param>
    /// <param name="isContinuedByAnother">Returns whether a request that has preempted this one appends to its upload.</param>
    /// <param name="drains">Whether to drain the body. Otherwise the server does that, within its own limits.</param>
    public static async Task WriteAsync(
        HttpContext context, HttpResponseData data, CancellationToken stopping, Func<bool>? isContinuedByAnother = null, bool drains = true)
    {
        HttpResponse response = context.Response;
        WriteStatusAndHeaders(context.Features.GetRequiredFeature<IHttpResponseFeature>(), data);

        // A client that did not get "100 Continue" may send the body anyway: the next bytes on the connection could be the body or another request.
        if (data.StatusCode == StatusCodes.Status408RequestTimeout || ExpectContinueBodyReader.IsAwaitingContinue(context))
        {
            response.Headers.Connection = "close";
        }

        if (data.Body.IsEmpty)
        {
            // The response is not completed, because middleware such as UseStatusCodePages() adds a body to an empty error. The body was read completely.
            return;
        }

        bool hasBody = CanHaveBody(data.StatusCode);
        if (hasBody)
        {
            response.ContentLength = data.Body.Length;
        }

        try
        {
            if (hasBody && !HttpMethods.IsHead(context.Request.Method))
            {
                await response.BodyWriter.WriteAsync(data.Body, context.RequestAborted);
            }

            await response.CompleteAsync();
            if (drains && data.StatusCode >= StatusCodes.Status400BadRequest)
            {
                bool ended = await DrainAsync(context, isContinuedByAnother, stopping);
                if (!ended && (stopping.IsCancellationRequested || isContinuedByAnother?.Invoke() == true))
                {
                    // Otherwise Kestrel drains the rest of the body, which delays the shutdown of the host or slows down the other request.
                    context.Abort();
                }
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The client has disconnected. It gets the same information from its next status request.
        }
    }

    /// <summary>Returns whether the server sends a body with a status code.</summary>
    public static bool CanHaveBody(int statusCode) =>
        statusCode is not (StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent or StatusCodes.Status304NotModified);

    /// <summary>Sets the status and the headers. A header replaces all values of its name.</summary>
    public static void WriteStatusAndHeaders(IHttpResponseFeature response, HttpResponseData data)
    {
        response.StatusCode = data.StatusCode;
        for (int i = 0; i < data.Headers.Count; i++)
        {
            response.Headers.Remove(data.Headers[i].Key);
        }

        for (int i = 0; i < data.Headers.Count; i++)
        {
            response.Headers.Append(data.Headers[i].Key, data.Headers[i].Value);
        }

        if (data.ContentType is not null)
        {
            response.Headers.ContentType = data.ContentType;
        }
    }

    /// <summary>Drains the body. Returns whether it has ended, or does not have to be drained.</summary>
    private static async Task<bool> DrainAsync(HttpContext context, Func<bool>? isContinuedByAnother, CancellationToken stopping)
    {
        // HTTP/2 and HTTP/3 send the response independently of the body. A read would make a client that waits for "100 Continue" send its body. A decoder
        // would decompress the body, or throw: Kestrel drains the original body by itself.
        string protocol = context.Request.Protocol;
        if (HttpProtocol.IsHttp2(protocol) || HttpProtocol.IsHttp3(protocol) || ExpectContinueBodyReader.IsAwaitingContinue(context)
            || DecodedBodyCheck.IsDecoder(context.Request.Body))
        {
            return true;
        }

        PipeReader body = context.Request.BodyReader;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        end.CancelAfter(MaxDrainTime);
        using CancellationTokenRegistration stoppingRegistration = stopping.UnsafeRegister(
            static end => ((CancellationTokenSource)end!).CancelAfter(MaxDrainTimeOnShutdown), end);
        using CancellationTokenRegistration endRegistration = end.Token.UnsafeRegister(static body => TryCancelPendingRead((PipeReader)body!), body);
        try
        {
            for (long drained = 0; drained < MaxDrainedBytes && !end.IsCancellationRequested;)
            {
                ReadResult result = await body.ReadAsync(CancellationToken.None);
                long length = result.Buffer.Length;
                drained += length;
                body.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                {
                    return true;
                }

                if (isContinuedByAnother?.Invoke() == true)
                {
                    await Task.Delay(TimeSpan.FromSeconds(length / ContinuedDrainRate), TimeProvider.System, end.Token);
                }
            }
        }
        catch (Exception e) when (e is ConnectionResetException or InvalidOperationException)
        {
            // The connection was reset during this read or an earlier one. Kestrel treats such a read as still pending, and would log an error when it
            // drains the body itself.
            context.Abort();
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The rest of the body is malformed, or the client has disconnected. The server closes the connection.
        }

        return false;
    }

    /// <summary>Ends a pending read. Unlike a canceled token, it leaves the reader usable for the server's own draining.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "A server may throw any exception if the request has already ended.")]
    private static void TryCancelPendingRead(PipeReader body)
    {
        try
        {
            body.CancelPendingRead();
        }
        catch (Exception)
        {
            // No read is pending.
        }
    }
}
