using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Endpoints.Execution.Responses;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Endpoints.Execution;

/// <summary>
/// Runs an endpoint of the app for a completely received upload, within the request that sent the last bytes or that requests the response. The endpoint
/// receives one request with the complete content. Its response is buffered until it is stored, unless it exceeds the buffer limit.
/// </summary>
/// <param name="context">The request that sent the last bytes, or that requests the response.</param>
/// <param name="target">The endpoint.</param>
/// <param name="services">The services that all runs share.</param>
/// <param name="createResponse">
/// Converts a result to a response in the protocol of this request, or <see langword="null"/> if the endpoint runs for an upload other than that of the
/// request, so that its response is stored but not sent.
/// </param>
internal sealed class EndpointExecutor(
    HttpContext context, EndpointTarget target, EndpointExecutionServices services, Func<UploadResult, HttpResponseData>? createResponse)
{
    private readonly IHttpResponseFeature _serverResponse = context.Features.GetRequiredFeature<IHttpResponseFeature>();
    private readonly IHttpResponseBodyFeature _serverResponseBody = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
    private BufferedResponse? _bufferedResponse;
    private ReadOnlyMemory<byte>? _storedResponse;

    /// <summary>Gets whether the status and headers were already sent, because the body exceeded the buffer limit.</summary>
    public bool HasSentResponse => createResponse is not null && _bufferedResponse is { IsStreaming: true };

    /// <summary>Runs the endpoint.</summary>
    public async ValueTask<HandlerResult> ExecuteAsync(UploadInfo info, EngineRecord record, CancellationToken stopping)
    {
        var overrides = new FeatureOverrides(context.Features);
        using var lifetimeFeature = new EndpointLifetimeFeature(context, target, services.Time, stopping);
        var content = new EndpointContentStream(
            await services.Store.OpenReadAsync(info.Key, stopping) ?? new MovedContentStream(info.Offset), info.Offset);
        await using (content)
        {
            try
            {
                using var buffered = new BufferedResponse(context, services.Options.Handler.MaxStoredResponseSize, () => StartStreaming(info, record));
                _bufferedResponse = buffered;
                ReplaceRequestFeatures(overrides, info, record, content, lifetimeFeature);
                overrides.Set<IHttpResponseFeature>(_bufferedResponse);
                overrides.Set<IHttpResponseBodyFeature>(_bufferedResponse);

                // The feature keeps the headers of the response for which it was created.
                overrides.Set<IResponseCookiesFeature>(null);
                if (AntiforgeryValidator.IsRequired(target.Route.AppEndpoint) && !await AntiforgeryValidator.ValidateCompletedRequestAsync(context))
                {
                    content.ThrowIfReadFailed();
                    return new HandlerResult(HandlerResultKind.DeadLetter, AntiforgeryFailedResponse.ToBytes());
                }

                await InvokeEndpointAsync(_bufferedResponse, lifetimeFeature);
                await _bufferedResponse.CompleteAsync();
                content.ThrowIfReadFailed();
            }
            catch (Exception) when (HasSentResponse)
            {
                // Part of the response was sent. Abort the connection, so that the client does not treat the response as complete.
                lifetimeFeature.Abort();
                throw;
            }
            finally
            {
                overrides.Restore();
            }
        }

        if (lifetimeFeature.IsAborted)
        {
            throw new IOException("The endpoint aborted its request.");
        }

        HandlerResultKind kind = StoredResponse.IsFinal(_bufferedResponse.StatusCode) ? HandlerResultKind.Final : HandlerResultKind.Retry;
        _storedResponse = ToStoredResponse(_bufferedResponse, _bufferedResponse.IsStreaming ? default : _bufferedResponse.BufferedBody);
        return new HandlerResult(kind, _storedResponse);
    }

    /// <summary>
    /// Copies the headers of the endpoint's response, including those that are not stored, such as cookies, to the response of the server. Does nothing if
    /// <paramref name="result"/> does not contain the response of this run, so a replayed response has only the stored headers.
    /// </summary>
    public void AddUnstoredHeaders(UploadResult result)
    {
        if (HasSentResponse || _bufferedResponse is null || _storedResponse is null || !_storedResponse.Equals(result.Response))
        {
            return;
        }

        CopyHeaders(_bufferedResponse, _serverResponse);
    }

    /// <summary>
    /// Aborts the connection if the client received a successful response, but the upload was not completed because the response could not be stored.
    /// Otherwise, the client would not retry.
    /// </summary>
    public void AbortIfNotCompleted(UploadResult result)
    {
        if (HasSentResponse && StoredResponse.IsFinal(_bufferedResponse!.StatusCode) && result.Kind is not (UploadResultKind.Completed or UploadResultKind.Replayed))
        {
            context.Abort();
        }
    }

    private static StoredResponse AntiforgeryFailedResponse
    {
        get
        {
            var problem = new Problem(400, Problem.CustomType("antiforgery"), "The antiforgery token is missing or invalid",
                "The upload is complete, but contains no token that is valid for the user and the cookie. Delete the upload and send it again with a new token.");
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

    /// <summary>
    /// Returns whether the response of the protocol sets a header. Location is included because some protocols send it under another name, and the first
    /// response must equal later ones.
    /// </summary>
    private static bool IsSetByProtocolResponse(string name) =>
        name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)
        || name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase)
        || name.Equals("Location", StringComparison.OrdinalIgnoreCase);

    private async Task InvokeEndpointAsync(BufferedResponse buffered, EndpointLifetimeFeature lifetimeFeature)
    {
        try
        {
            await services.Exceptions.InvokeAsync(context, target.Next);

            // Endpoints and the framework treat a canceled request as one whose client has disconnected, and end without a useful response. Here the server
            // canceled it, and the response must not be stored.
            if (lifetimeFeature.IsCancellationRequested && StoredResponse.IsFinal(buffered.StatusCode))
            {
                throw new OperationCanceledException("The endpoint was canceled before it ended.");
            }
        }
        catch (OperationCanceledException) when (lifetimeFeature.IsTimedOut && !buffered.HasStarted)
        {
            await lifetimeFeature.WriteTimeoutResponseAsync(context);
        }
        catch (BadHttpRequestException e) when (!buffered.HasStarted)
        {
            // Model binding throws this in some configurations (minimal APIs in development), and the server turns it into a response with this status. The
            // developer exception page cannot show the reason here, so it is logged.
            Log.EndpointThrewBadRequest(services.Logger, e, target.Route.AppEndpoint.DisplayName);
            context.Response.Clear();
            context.Response.StatusCode = e.StatusCode;
        }
    }

    private void ReplaceRequestFeatures(FeatureOverrides overrides, UploadInfo info, EngineRecord record, Stream content, EndpointLifetimeFeature lifetimeFeature)
    {
        IHttpRequestFeature current = context.Features.GetRequiredFeature<IHttpRequestFeature>();
        StoredRequest first = record.Request ?? CreationRequestRecorder.Capture(context, null);
        string query = services.CreationRequests.GetEndpointQuery(context.Request, first);
        overrides.Set<IHttpRequestFeature>(new HttpRequestFeature
        {
            Protocol = current.Protocol,
            Scheme = current.Scheme,
            Method = first.Method,
            PathBase = current.PathBase,
            Path = first.Path,
            QueryString = query,
            RawTarget = new PathString(current.PathBase).Add(first.Path) + new QueryString(query),
            Headers = CreationRequestRecorder.CreateEndpointHeaders(current.Headers, first, info.Offset),
            Body = content,
        });
        overrides.Set<IRequestBodyPipeFeature>(new RequestBodyPipeFeature(context));
        overrides.Set<IHttpRequestBodyDetectionFeature>(new RequestBodyDetectionFeature(info.Offset > 0));
        overrides.Set<IHttpMaxRequestBodySizeFeature>(new UnlimitedRequestBodySizeFeature());
        overrides.Set<IFormFeature>(new FormFeature(context.Request, FormOptionsFactory.Create(
            target.Route.AppEndpoint,
            context.RequestServices.GetRequiredService<IOptions<FormOptions>>().Value,
            target.Route.GetMaxUploadSize(services.Options))));
        overrides.Set<IHttpRequestLifetimeFeature>(lifetimeFeature);
        overrides.Set<IHttpRequestTimeoutFeature>(lifetimeFeature.HasTimeout ? lifetimeFeature : null);
        overrides.Set<IResumableUploadFeature>(new ResumableUploadFeature(services.Store, info, record, context.RequestServices));
        overrides.Set<IRouteValuesFeature>(new RouteValuesFeature { RouteValues = MergeRouteValues(first) });
        context.SetEndpoint(target.Route.AppEndpoint);
    }

    /// <summary>
    /// Merges the route values of the first request into those of this one. A value that is equal as text is kept, because the app may have replaced it
    /// by an object of another type.
    /// </summary>
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

    private ReadOnlyMemory<byte> ToStoredResponse(BufferedResponse buffered, ReadOnlyMemory<byte> body) =>
        new StoredResponse(buffered.StatusCode, services.StoredHeaders.SelectStored(buffered.Headers), body).ToBytes();

    /// <summary>
    /// Prepares the status and headers of a response that exceeds the buffer, and returns the stream for the body. They are stored after the endpoint has
    /// ended: until then, the endpoint may still fail. Returns <see cref="Stream.Null"/> if the response is only stored.
    /// </summary>
    private Stream StartStreaming(UploadInfo info, EngineRecord record)
    {
        if (createResponse is null)
        {
            return Stream.Null;
        }

        BufferedResponse buffered = _bufferedResponse!;
        CopyHeaders(buffered, _serverResponse);
        UploadResultKind kind = StoredResponse.IsFinal(buffered.StatusCode) ? UploadResultKind.Completed : UploadResultKind.HandlerFailed;
        ResponseWriter.WriteStatusAndHeaders(_serverResponse, createResponse(new UploadResult(kind, info.Offset)
        {
            UploadLength = info.Length,
            Response = ToStoredResponse(buffered, default),
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

    /// <summary>Ignores request size limits that filters set: the complete content was received within the limits of uploads.</summary>
    private sealed class UnlimitedRequestBodySizeFeature : IHttpMaxRequestBodySizeFeature
    {
        public bool IsReadOnly => false;

        public long? MaxRequestBodySize { get; set; }
    }
}
