using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Requests;

/// <summary>
/// Writes an answer so that the client reads it, also while it is still sending: the answer goes out first, and what follows of the body is
/// thrown away for a while, because closing the connection under a sender destroys the answer on its way.
/// </summary>
internal static class ResponseWriter
{
    private const long MaxDrainedBytes = 256L << 20;
    private static readonly TimeSpan MaxDrainTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MaxDrainTimeOnShutdown = TimeSpan.FromSeconds(1);

    public static async Task WriteAsync(HttpContext context, HttpResponseData answer, CancellationToken stopping)
    {
        HttpResponse response = context.Response;
        WriteStatusAndHeaders(context.Features.GetRequiredFeature<IHttpResponseFeature>(), answer);

        // A client that was not asked for its body may send it all the same, so what follows on this connection could be either.
        if (answer.StatusCode == StatusCodes.Status408RequestTimeout || ExpectContinueBodyReader.IsAwaitingContinue(context))
        {
            response.Headers.Connection = "close";
        }

        if (answer.Body.IsEmpty)
        {
            // The response is left open for those in front who give an empty error a body. Of this request nothing is on its way any more.
            return;
        }

        bool hasBody = answer.StatusCode is not (StatusCodes.Status204NoContent or StatusCodes.Status304NotModified);
        if (hasBody)
        {
            response.ContentLength = answer.Body.Length;
        }

        try
        {
            if (hasBody && !HttpMethods.IsHead(context.Request.Method))
            {
                await response.BodyWriter.WriteAsync(answer.Body, context.RequestAborted);
            }

            await response.CompleteAsync();
            if (answer.StatusCode >= StatusCodes.Status400BadRequest)
            {
                bool ended = await DrainAsync(context, stopping);
                if (!ended && stopping.IsCancellationRequested)
                {
                    // Kestrel would wait for the rest of the body as long as the host lets it, and the whole stop with it.
                    context.Abort();
                }
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The client is gone; what the answer says is true all the same, and the next status says it again.
        }
    }

    /// <summary>Sets the status and the headers, each in place of what was there under its name.</summary>
    public static void WriteStatusAndHeaders(IHttpResponseFeature response, HttpResponseData answer)
    {
        response.StatusCode = answer.StatusCode;
        for (int i = 0; i < answer.Headers.Count; i++)
        {
            response.Headers.Remove(answer.Headers[i].Key);
        }

        for (int i = 0; i < answer.Headers.Count; i++)
        {
            response.Headers.Append(answer.Headers[i].Key, answer.Headers[i].Value);
        }

        if (answer.ContentType is not null)
        {
            response.Headers.ContentType = answer.ContentType;
        }
    }

    /// <summary>Whether the body ended, or nobody will wait for it.</summary>
    private static async Task<bool> DrainAsync(HttpContext context, CancellationToken stopping)
    {
        // From HTTP/2 on the answer travels beside the body. A read would ask for a body that is held back, and that nobody wants.
        string protocol = context.Request.Protocol;
        if (HttpProtocol.IsHttp2(protocol) || HttpProtocol.IsHttp3(protocol) || ExpectContinueBodyReader.IsAwaitingContinue(context))
        {
            return true;
        }

        PipeReader body = context.Request.BodyReader;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        end.CancelAfter(MaxDrainTime);
        using CancellationTokenRegistration hurry = stopping.UnsafeRegister(
            static end => ((CancellationTokenSource)end!).CancelAfter(MaxDrainTimeOnShutdown), end);
        using CancellationTokenRegistration waking = end.Token.UnsafeRegister(static body => TryCancelPendingRead((PipeReader)body!), body);
        try
        {
            for (long drained = 0; drained < MaxDrainedBytes && !end.IsCancellationRequested;)
            {
                ReadResult result = await body.ReadAsync(CancellationToken.None);
                drained += result.Buffer.Length;
                body.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                {
                    return true;
                }
            }
        }
        catch (Exception e) when (e is ConnectionResetException or InvalidOperationException)
        {
            // The connection was reset under a read, now or before. Kestrel takes that for a read that still goes on, and would log an
            // error for each when it drains the body by itself.
            context.Abort();
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The rest of the body makes no sense, or its client has left; the server closes by itself.
        }

        return false;
    }

    /// <summary>Ends a read that waits, and leaves the reader fit for the server's own draining, as a token in the read would not.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever a server throws from a request that is over says only that it is over.")]
    private static void TryCancelPendingRead(PipeReader body)
    {
        try
        {
            body.CancelPendingRead();
        }
        catch (Exception)
        {
            // Nothing waits any more.
        }
    }
}
