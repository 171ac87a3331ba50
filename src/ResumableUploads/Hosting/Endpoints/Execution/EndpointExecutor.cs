using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Content;
using ResumableUploads.Hosting.Endpoints.Execution.Forms;
using ResumableUploads.Hosting.Endpoints.Execution.Responses;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Hosting.Requests.Responses;
using ResumableUploads.Hosting.Tickets.Routing;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.Headers;

namespace ResumableUploads.Hosting.Endpoints.Execution;

/// <summary>
/// Runs an endpoint of the app for a completely received upload, within the request that sent the last bytes or that requests the response. The endpoint
/// receives one request with the complete content. Its response is buffered until it is stored, unless it exceeds the buffer limit.
/// </summary>
/// <param name="request">The request that sent the last bytes, or that requests the response.</param>
/// <param name="target">The endpoint.</param>
/// <param name="services">The services that all runs share.</param>
/// <param name="createResponse">
/// Converts a result to a response in the protocol of this request, or <see langword="null"/> if the endpoint runs for an upload other than that of the
/// request, so that its response is stored but not sent.
/// </param>
internal sealed class EndpointExecutor(
    UploadRequest request, EndpointTarget target, EndpointExecutionServices services, Func<UploadResult, HttpResponseData>? createResponse)
{
    private readonly HttpContext _context = request.Context;
    private readonly UploadLimits _limits = new(services.Options);
    private readonly IHttpResponseFeature _serverResponse = request.Context.Features.GetRequiredFeature<IHttpResponseFeature>();
    private readonly IHttpResponseBodyFeature _serverResponseBody = request.Context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
    private BufferedResponse? _bufferedResponse;
    private ReadOnlyMemory<byte>? _storedResponse;

    /// <summary>Gets whether the status and headers were already sent, because the body exceeded the buffer limit.</summary>
    public bool HasSentResponse { get; private set; }

    /// <summary>Runs the endpoint.</summary>
    public async ValueTask<HandlerResult> ExecuteAsync(UploadInfo info, EngineRecord record, CancellationToken stopping)
    {
        var overrides = new FeatureOverrides(_context.Features);
        using var lifetimeFeature = new EndpointLifetimeFeature(_context, target, services.Time, stopping) { IsDetached = createResponse is null };
        var content = new EndpointContentStream(
            await services.Store.OpenReadAsync(info.Key, record, stopping) ?? new MovedContentStream(info.Offset), info.Offset);
        await using (content)
        {
            try
            {
                using var buffered = new BufferedResponse(_context, services.Options.Handler.MaxStoredResponseSize, () => StartStreaming(info, record));
                _bufferedResponse = buffered;
                ReplaceRequestFeatures(overrides, info, record, content, lifetimeFeature);
                overrides.Set<IHttpResponseFeature>(_bufferedResponse);
                overrides.Set<IHttpResponseBodyFeature>(_bufferedResponse);
                PolicyResponseCookies.Override(overrides, _context.Features, _serverResponse);
                if (await AntiforgeryValidator.ValidateCompletedRequestAsync(_context, target.Route.AppEndpoint, record.Request, overrides) == AntiforgeryResult.Invalid)
                {
                    content.ThrowIfReadFailed();
                    return new HandlerResult(HandlerResultKind.DeadLetter, AntiforgeryFailedResponse.ToBytes()) { IsClientFault = true };
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
    /// <param name="result">The result of the request.</param>
    /// <param name="response">The response in the protocol of the request.</param>
    public void AddUnstoredHeaders(UploadResult result, HttpResponseData response)
    {
        if (_bufferedResponse is null || _storedResponse is null || !_storedResponse.Equals(result.Response))
        {
            return;
        }

        CopyHeaders(_bufferedResponse, _serverResponse, response.OmitsBody);
    }

    /// <summary>
    /// Aborts the connection if the client received a successful response, but the upload was not completed because the response could not be stored.
    /// Otherwise, the client would not retry.
    /// </summary>
    public void AbortIfNotCompleted(UploadResult result)
    {
        if (HasSentResponse && StoredResponse.IsFinal(_bufferedResponse!.StatusCode) && result.Kind is not (UploadResultKind.Completed or UploadResultKind.Replayed))
        {
            _context.Abort();
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

    private static void CopyHeaders(BufferedResponse buffered, IHttpResponseFeature response, bool omitsBody)
    {
        response.Headers.Clear();
        foreach ((string name, StringValues value) in buffered.Headers
            .Where(header => !IsSetByProtocolResponse(header.Key) && !(omitsBody && ContentHeaders.Contains(header.Key))))
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
            await services.Exceptions.InvokeAsync(_context, target.Next);

            // Endpoints and the framework treat a canceled request as one whose client has disconnected, and end without a useful response. Here the server
            // canceled it, and the response must not be stored.
            if (lifetimeFeature.IsCancellationRequested && StoredResponse.IsFinal(buffered.StatusCode))
            {
                throw new OperationCanceledException("The endpoint was canceled before it ended.");
            }
        }
        catch (OperationCanceledException) when (lifetimeFeature.IsTimedOut && !buffered.HasStarted)
        {
            await lifetimeFeature.WriteTimeoutResponseAsync(_context);
        }
        catch (BadHttpRequestException e) when (!buffered.HasStarted)
        {
            // Model binding throws this in some configurations (minimal APIs in development), and the server turns it into a response with this status. The
            // developer exception page cannot show the reason here, so it is logged.
            Log.EndpointThrewBadRequest(services.Logger, e, target.Route.AppEndpoint.DisplayName);
            _context.Response.Clear();
            _context.Response.StatusCode = e.StatusCode;
        }
    }

    private void ReplaceRequestFeatures(FeatureOverrides overrides, UploadInfo info, EngineRecord record, EndpointContentStream content, EndpointLifetimeFeature lifetimeFeature)
    {
        IHttpRequestFeature current = _context.Features.GetRequiredFeature<IHttpRequestFeature>();
        StoredRequest first = record.Request ?? CreationRequestRecorder.Capture(_context, null);
        string query = services.CreationRequests.GetEndpointQuery(_context.Request, first);
        IHeaderDictionary headers = CreationRequestRecorder.CreateEndpointHeaders(current.Headers, first, info.Offset);
        long maxUploadSize = _limits.GetMaxUploadSize(target);
        overrides.Set<IHttpRequestFeature>(new HttpRequestFeature
        {
            Protocol = current.Protocol,
            Scheme = current.Scheme,
            Method = first.Method,
            PathBase = current.PathBase,
            Path = first.Path,
            QueryString = query,
            RawTarget = new PathString(current.PathBase).Add(first.Path) + new QueryString(query),
            Headers = headers,
            Body = content,
        });
        overrides.Set<IRequestBodyPipeFeature>(new RequestBodyPipeFeature(_context));
        overrides.Set<IHttpRequestBodyDetectionFeature>(new RequestBodyDetectionFeature(info.Offset > 0));
        overrides.Set<IHttpMaxRequestBodySizeFeature>(new RequestBodySizeFeature
        {
            MaxRequestBodySize = Math.Min(maxUploadSize, _limits.GetBufferedContentLimit(request, headers.ContentType) ?? long.MaxValue),
        });
        overrides.Set<IFormFeature>(new EndpointFormFeature(
            _context.Request,
            FormOptionsFactory.Create(target.Route.AppEndpoint, _context.RequestServices.GetRequiredService<IOptions<FormOptions>>().Value, maxUploadSize),
            UploadLimits.GetFormValuesLimit(request) ?? long.MaxValue));
        overrides.Set<IHttpRequestLifetimeFeature>(lifetimeFeature);
        overrides.Set<IHttpResetFeature>(lifetimeFeature.SupportsReset ? lifetimeFeature : null);
        if (createResponse is null)
        {
            overrides.Set<IHttpResponseTrailersFeature>(null);
        }

        overrides.Set<IHttpRequestTimeoutFeature>(lifetimeFeature.HasTimeout ? lifetimeFeature : null);
        overrides.Set<IResumableUploadFeature>(new ResumableUploadFeature(services.Store, info, record, _context.RequestServices));
        overrides.Set<IRouteValuesFeature>(new RouteValuesFeature { RouteValues = MergeRouteValues(first) });

        // Content that an earlier run has moved away cannot be read.
        Endpoint endpoint = content.IsMoved ? target.Route.AppEndpoint : target.Route.FormReadingEndpoint;
        overrides.Set<IEndpointFeature>(new EndpointFeature { Endpoint = request.Ticket is null ? endpoint : TicketEndpoints.GetForHandler(endpoint) });
    }

    /// <summary>
    /// Merges the route values of the first request into those of this one. A value that is equal as text is kept, because the app may have replaced it
    /// by an object of another type.
    /// </summary>
    private RouteValueDictionary MergeRouteValues(StoredRequest first)
    {
        var values = new RouteValueDictionary(_context.Request.RouteValues);
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
    /// ended: until then, the endpoint may still fail. Returns <see cref="Stream.Null"/> if the response is only stored, or is sent without its body after
    /// the endpoint has ended.
    /// </summary>
    private Stream StartStreaming(UploadInfo info, EngineRecord record)
    {
        if (createResponse is null)
        {
            return Stream.Null;
        }

        BufferedResponse buffered = _bufferedResponse!;
        UploadResultKind kind = StoredResponse.IsFinal(buffered.StatusCode) ? UploadResultKind.Completed : UploadResultKind.HandlerFailed;
        HttpResponseData response = createResponse(new UploadResult(kind, info.Offset)
        {
            UploadLength = info.Length,
            Response = ToStoredResponse(buffered, default),
            IsResponseBodyTruncated = true,
            ReprDigest = record.ComputedReprDigest,
        });
        if (response.OmitsBody || !ResponseWriter.CanHaveBody(response.StatusCode))
        {
            return Stream.Null;
        }

        HasSentResponse = true;
        CopyHeaders(buffered, _serverResponse, omitsBody: false);
        request.AbandonedEvents.CloseConnectionAfterResponse(_context.Request.Protocol, _serverResponse);
        ResponseWriter.WriteStatusAndHeaders(_serverResponse, response);

        // Without a length, so that the client has the whole response only after the upload is completed. Until then, a failure aborts the connection.
        _serverResponse.Headers.ContentLength = null;
        return _serverResponseBody.Stream;
    }

    private sealed class RequestBodyDetectionFeature(bool canHaveBody) : IHttpRequestBodyDetectionFeature
    {
        public bool CanHaveBody => canHaveBody;
    }

    private sealed class EndpointFeature : IEndpointFeature
    {
        public Endpoint? Endpoint { get; set; }
    }

    /// <summary>
    /// Limits what middleware decodes, as the server limits the body of a plain request. The content itself was received within the limits of uploads, so
    /// a limit that a filter sets does not apply to it.
    /// </summary>
    private sealed class RequestBodySizeFeature : IHttpMaxRequestBodySizeFeature
    {
        public bool IsReadOnly => false;

        public long? MaxRequestBodySize { get; set; }
    }
}
