using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Endpoints.Execution;

/// <summary>
/// Runs an app's endpoint for an upload whose bytes are all there, inside the request that brought the last of them: it sees one request with
/// the whole content, and its answer is held until it is stored.
/// </summary>
/// <param name="context">The request that brought the last bytes, or that asks for the answer.</param>
/// <param name="target">The endpoint.</param>
/// <param name="options">Its options.</param>
/// <param name="storedHeaders">Which headers of the answer are stored.</param>
/// <param name="store">Where the content is.</param>
/// <param name="time">For the endpoint's timeout.</param>
/// <param name="logger">For why an endpoint called a request bad.</param>
/// <param name="answerFor">How the protocol of this request says an outcome; null where the request is about something else.</param>
internal sealed class EndpointExecutor(
    HttpContext context,
    EndpointTarget target,
    ResumableUploadOptions options,
    StoredHeaderFilter storedHeaders,
    IUploadStore store,
    TimeProvider time,
    ILogger logger,
    Func<UploadResult, HttpResponseData>? answerFor)
{
    private readonly IHttpResponseFeature _serverResponse = context.Features.GetRequiredFeature<IHttpResponseFeature>();
    private readonly IHttpResponseBodyFeature _serverResponseBody = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
    private BufferedResponse? _bufferedResponse;
    private ReadOnlyMemory<byte>? _storedResponse;

    /// <summary>Whether the answer has left already, because it was too long to be held.</summary>
    public bool HasSentResponse => answerFor is not null && _bufferedResponse is { IsStreaming: true };

    /// <summary>Runs the endpoint.</summary>
    public async ValueTask<HandlerResult> ExecuteAsync(
        UploadInfo info, EngineRecord record, Func<ReadOnlyMemory<byte>, ValueTask> keep, CancellationToken stopping)
    {
        var swap = new FeatureOverrides(context.Features);
        using var lifetimeFeature = new EndpointLifetimeFeature(context, target, time, stopping);
        Stream content = await store.OpenReadAsync(info.Key, stopping) ?? new MovedContentStream(info.Offset);
        await using (content)
        {
            try
            {
                using var buffered = new BufferedResponse(context, options.Handler.MaxStoredResponseSize, () => StartStreamingAsync(info, record, keep));
                _bufferedResponse = buffered;
                ReplaceRequestFeatures(swap, info, record, content, lifetimeFeature);
                swap.Set<IHttpResponseFeature>(_bufferedResponse);
                swap.Set<IHttpResponseBodyFeature>(_bufferedResponse);
                if (AntiforgeryValidator.IsRequired(target.Route.AppEndpoint) && !await AntiforgeryValidator.ValidateCompletedRequestAsync(context))
                {
                    return new HandlerResult(HandlerResultKind.DeadLetter, AntiforgeryFailedResponse.ToBytes());
                }

                await InvokeEndpointAsync(_bufferedResponse, lifetimeFeature);
                await _bufferedResponse.CompleteAsync();
            }
            catch (Exception) when (HasSentResponse)
            {
                // A part of the answer is on its way: the client must not take it for the whole.
                lifetimeFeature.Abort();
                throw;
            }
            finally
            {
                swap.Restore();
            }
        }

        if (lifetimeFeature.IsAborted)
        {
            throw new IOException("The endpoint has aborted its request.");
        }

        HandlerResultKind verdict = StoredResponse.IsFinal(_bufferedResponse.StatusCode) ? HandlerResultKind.Final : HandlerResultKind.Retry;
        if (!HasSentResponse)
        {
            _storedResponse = new StoredResponse(_bufferedResponse.StatusCode, storedHeaders.SelectStored(_bufferedResponse.Headers), _bufferedResponse.BufferedBody).ToBytes();
        }

        return new HandlerResult(verdict, _storedResponse);
    }

    /// <summary>Gives the response the headers that are not stored: cookies, dates and whatever the app adds. Those go with the first answer alone.</summary>
    public void AddUnstoredHeaders(UploadResult result)
    {
        if (_bufferedResponse is null || _storedResponse is null || !_storedResponse.Equals(result.Response))
        {
            return;
        }

        CopyHeaders(_bufferedResponse, _serverResponse);
    }

    private static StoredResponse AntiforgeryFailedResponse
    {
        get
        {
            var problem = new Problem(400, Problem.CustomType("antiforgery"), "No valid antiforgery token",
                "All bytes are there, and no token that fits the signed-in user or the cookie is among them. Delete the upload and send it again with a new token.");
            return new StoredResponse(problem.Status, Problem.ContentType, problem.ToJson());
        }
    }

    private static void CopyHeaders(BufferedResponse buffered, IHttpResponseFeature response)
    {
        response.Headers.Clear();
        foreach ((string name, StringValues value) in buffered.Headers.Where(static header => !IsSetByProtocolResponse(header.Key)))
        {
            response.Headers[name] = value;
        }
    }

    /// <summary>The length is that of what is sent; and where a protocol says Location by another name, the first answer is like those after it.</summary>
    private static bool IsSetByProtocolResponse(string name) =>
        name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)
        || name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase)
        || name.Equals("Location", StringComparison.OrdinalIgnoreCase);

    private async Task InvokeEndpointAsync(BufferedResponse buffered, EndpointLifetimeFeature lifetimeFeature)
    {
        try
        {
            await target.Next(context);

            // The framework's exception pages say so of a request that was ended, as if by its client. Here the server has ended it, and
            // that is no answer to keep.
            if (buffered.StatusCode == StatusCodes.Status499ClientClosedRequest && lifetimeFeature.IsCancellationRequested)
            {
                throw new OperationCanceledException("The endpoint was ended before it had an answer.");
            }
        }
        catch (OperationCanceledException) when (lifetimeFeature.IsTimedOut && !buffered.HasStarted)
        {
            await lifetimeFeature.WriteTimeoutResponseAsync(context);
        }
        catch (BadHttpRequestException e) when (!buffered.HasStarted)
        {
            // What model binding throws where the app asked for it, and the server would make this answer of. In development, where minimal
            // APIs do, a page in front would have said why; the log does.
            Log.EndpointThrewBadRequest(logger, e, target.Route.AppEndpoint.DisplayName);
            context.Response.Clear();
            context.Response.StatusCode = e.StatusCode;
        }
    }

    private void ReplaceRequestFeatures(FeatureOverrides swap, UploadInfo info, EngineRecord record, Stream content, EndpointLifetimeFeature lifetimeFeature)
    {
        IHttpRequestFeature now = context.Features.GetRequiredFeature<IHttpRequestFeature>();
        StoredRequest first = record.Request ?? CreationRequestRecorder.Capture(context, null);

        // Where another endpoint of the same URL has made the upload, it is this one whose policies were asked.
        string method = target.Route.Methods.Contains(first.Method, StringComparer.OrdinalIgnoreCase) ? first.Method : now.Method;
        swap.Set<IHttpRequestFeature>(new HttpRequestFeature
        {
            Protocol = now.Protocol,
            Scheme = now.Scheme,
            Method = method,
            PathBase = now.PathBase,
            Path = first.Path,
            QueryString = first.Query,
            RawTarget = new PathString(now.PathBase).Add(first.Path) + new QueryString(first.Query),
            Headers = CreationRequestRecorder.CreateEndpointHeaders(now.Headers, first, info.Offset),
            Body = content,
        });
        swap.Set<IRequestBodyPipeFeature>(new RequestBodyPipeFeature(context));
        swap.Set<IHttpRequestBodyDetectionFeature>(new RequestBodyDetectionFeature(info.Offset > 0));
        swap.Set<IHttpMaxRequestBodySizeFeature>(new UnlimitedRequestBodySizeFeature());
        swap.Set<IFormFeature>(new FormFeature(context.Request, FormOptionsFactory.Create(
            target.Route.AppEndpoint,
            context.RequestServices.GetRequiredService<IOptions<FormOptions>>().Value,
            target.Route.GetMaxUploadSize(options))));
        swap.Set<IHttpRequestLifetimeFeature>(lifetimeFeature);
        swap.Set<IHttpRequestTimeoutFeature>(lifetimeFeature.HasTimeout ? lifetimeFeature : null);
        swap.Set<IResumableUploadFeature>(new ResumableUploadFeature(store, info, record, context.RequestServices));
        swap.Set<IRouteValuesFeature>(new RouteValuesFeature { RouteValues = MergeRouteValues(first) });
        context.SetEndpoint(target.Route.AppEndpoint);
    }

    /// <summary>The values of the first request; where this one has the same in another type, that one, as the app may have put it there.</summary>
    private RouteValueDictionary MergeRouteValues(StoredRequest first)
    {
        var values = new RouteValueDictionary(context.Request.RouteValues);
        foreach ((string name, string value) in first.RouteValues)
        {
            if (!string.Equals(Convert.ToString(values[name], System.Globalization.CultureInfo.InvariantCulture), value, StringComparison.Ordinal))
            {
                values[name] = value;
            }
        }

        return values;
    }

    /// <summary>The answer is longer than what is held. Its head is stored, and then it may go, with the body as it is written.</summary>
    private async ValueTask<Stream> StartStreamingAsync(UploadInfo info, EngineRecord record, Func<ReadOnlyMemory<byte>, ValueTask> keep)
    {
        BufferedResponse buffered = _bufferedResponse!;
        ReadOnlyMemory<byte> head = new StoredResponse(buffered.StatusCode, storedHeaders.SelectStored(buffered.Headers), default).ToBytes();
        bool isFinal = StoredResponse.IsFinal(buffered.StatusCode);
        if (isFinal)
        {
            await keep(head);
        }

        if (answerFor is null)
        {
            return Stream.Null;
        }

        CopyHeaders(buffered, _serverResponse);
        ResponseWriter.WriteStatusAndHeaders(_serverResponse, answerFor(new UploadResult(isFinal ? UploadResultKind.Completed : UploadResultKind.HandlerFailed, info.Offset)
        {
            UploadLength = info.Length,
            Response = head,
            IsResponseBodyTruncated = true,
            ReprDigest = record.ComputedReprDigest,
        }));
        _serverResponse.Headers.ContentLength = buffered.Headers.ContentLength;
        return _serverResponseBody.Stream;
    }

    private sealed class RequestBodyDetectionFeature(bool canHaveBody) : IHttpRequestBodyDetectionFeature
    {
        public bool CanHaveBody => canHaveBody;
    }

    /// <summary>The whole is here already, within its limit: what filters set for one request changes nothing any more.</summary>
    private sealed class UnlimitedRequestBodySizeFeature : IHttpMaxRequestBodySizeFeature
    {
        public bool IsReadOnly => false;

        public long? MaxRequestBodySize { get; set; }
    }
}
