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
using ResumableUploads.Protocols;

namespace ResumableUploads;

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
internal sealed class EndpointRun(
    HttpContext context,
    EndpointTarget target,
    ResumableUploadOptions options,
    StoredHeaders storedHeaders,
    IUploadStore store,
    TimeProvider time,
    ILogger logger,
    Func<UploadOutcome, HttpAnswer>? answerFor)
{
    private readonly IHttpResponseFeature _response = context.Features.GetRequiredFeature<IHttpResponseFeature>();
    private readonly IHttpResponseBodyFeature _body = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
    private HeldResponse? _held;
    private ReadOnlyMemory<byte>? _answer;

    /// <summary>Whether the answer has left already, because it was too long to be held.</summary>
    public bool HasAnswered => answerFor is not null && _held is { IsReleased: true };

    /// <summary>Runs the endpoint.</summary>
    public async ValueTask<HandlerResult> RunAsync(
        UploadInfo info, UploadData data, Func<ReadOnlyMemory<byte>, ValueTask> keep, CancellationToken stopping)
    {
        var swap = new FeatureSwap(context.Features);
        using var life = new HandlerTime(context, target, time, stopping);
        Stream content = await store.OpenReadAsync(info.Key, stopping).ConfigureAwait(false) ?? new MovedContent(info.Offset);
        await using (content.ConfigureAwait(false))
        {
            try
            {
                using var held = new HeldResponse(context, options.Handler.MaxStoredResponseSize, () => LetGoAsync(info, data, keep));
                _held = held;
                SwapRequest(swap, info, data, content, life);
                swap.Set<IHttpResponseFeature>(_held);
                swap.Set<IHttpResponseBodyFeature>(_held);
                if (AntiforgeryGuard.IsRequired(target.Route.Original) && !await AntiforgeryGuard.IsValidAsync(context).ConfigureAwait(false))
                {
                    return new HandlerResult(HandlerVerdict.Park, NoToken.ToBytes());
                }

                await CallAsync(_held, life).ConfigureAwait(false);
                await _held.CompleteAsync().ConfigureAwait(false);
            }
            catch (Exception) when (HasAnswered)
            {
                // A part of the answer is on its way: the client must not take it for the whole.
                life.Abort();
                throw;
            }
            finally
            {
                swap.Undo();
            }
        }

        if (life.IsAborted)
        {
            throw new IOException("The endpoint has aborted its request.");
        }

        HandlerVerdict verdict = StoredAnswer.IsFinal(_held.StatusCode) ? HandlerVerdict.Final : HandlerVerdict.TryAgain;
        if (!HasAnswered)
        {
            _answer = new StoredAnswer(_held.StatusCode, storedHeaders.Of(_held.Headers), _held.Held).ToBytes();
        }

        return new HandlerResult(verdict, _answer);
    }

    /// <summary>Gives the response the headers that are not stored: cookies, dates and whatever the app adds. Those go with the first answer alone.</summary>
    public void AddWhatIsNotStored(UploadOutcome outcome)
    {
        if (_held is null || _answer is null || !_answer.Equals(outcome.Answer))
        {
            return;
        }

        CopyHeaders(_held, _response);
    }

    private static StoredAnswer NoToken
    {
        get
        {
            var problem = new Problem(400, Problem.Own("antiforgery"), "No valid antiforgery token",
                "All bytes are there, and no token that fits the signed-in user or the cookie is among them. Delete the upload and send it again with a new token.");
            return new StoredAnswer(problem.Status, Problem.ContentType, problem.ToJson());
        }
    }

    private static void CopyHeaders(HeldResponse held, IHttpResponseFeature response)
    {
        response.Headers.Clear();
        foreach ((string name, StringValues value) in held.Headers.Where(static header => !ComesWithTheAnswer(header.Key)))
        {
            response.Headers[name] = value;
        }
    }

    /// <summary>The length is that of what is sent; and where a protocol says Location by another name, the first answer is like those after it.</summary>
    private static bool ComesWithTheAnswer(string name) =>
        name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)
        || name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase)
        || name.Equals("Location", StringComparison.OrdinalIgnoreCase);

    private async Task CallAsync(HeldResponse held, HandlerTime life)
    {
        try
        {
            await target.Next(context).ConfigureAwait(false);

            // The framework's exception pages say so of a request that was ended, as if by its client. Here the server has ended it, and
            // that is no answer to keep.
            if (held.StatusCode == StatusCodes.Status499ClientClosedRequest && life.IsEnded)
            {
                throw new OperationCanceledException("The endpoint was ended before it had an answer.");
            }
        }
        catch (OperationCanceledException) when (life.IsOver && !held.HasStarted)
        {
            await life.AnswerAsync(context).ConfigureAwait(false);
        }
        catch (BadHttpRequestException e) when (!held.HasStarted)
        {
            // What model binding throws where the app asked for it, and the server would make this answer of. In development, where minimal
            // APIs do, a page in front would have said why; the log does.
            Log.BadRequest(logger, e, target.Route.Original.DisplayName);
            context.Response.Clear();
            context.Response.StatusCode = e.StatusCode;
        }
    }

    private void SwapRequest(FeatureSwap swap, UploadInfo info, UploadData data, Stream content, HandlerTime life)
    {
        IHttpRequestFeature now = context.Features.GetRequiredFeature<IHttpRequestFeature>();
        RequestDetails first = data.Request ?? FirstRequest.Of(context, null);

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
            Headers = FirstRequest.HeadersOfWhole(now.Headers, first, info.Offset),
            Body = content,
        });
        swap.Set<IRequestBodyPipeFeature>(new RequestBodyPipeFeature(context));
        swap.Set<IHttpRequestBodyDetectionFeature>(new Detected(info.Offset > 0));
        swap.Set<IHttpMaxRequestBodySizeFeature>(new AnySize());
        swap.Set<IFormFeature>(new FormFeature(context.Request, FormLimits.For(
            target.Route.Original,
            context.RequestServices.GetRequiredService<IOptions<FormOptions>>().Value,
            target.Route.MaxUploadSize(options))));
        swap.Set<IHttpRequestLifetimeFeature>(life);
        swap.Set<IHttpRequestTimeoutFeature>(life.HasTimeout ? life : null);
        swap.Set<IResumableUploadFeature>(new EndpointUpload(store, info, data, context.RequestServices));
        swap.Set<IRouteValuesFeature>(new RouteValuesFeature { RouteValues = RouteValues(first) });
        context.SetEndpoint(target.Route.Original);
    }

    /// <summary>The values of the first request; where this one has the same in another type, that one, as the app may have put it there.</summary>
    private RouteValueDictionary RouteValues(RequestDetails first)
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
    private async ValueTask<Stream> LetGoAsync(UploadInfo info, UploadData data, Func<ReadOnlyMemory<byte>, ValueTask> keep)
    {
        HeldResponse held = _held!;
        ReadOnlyMemory<byte> head = new StoredAnswer(held.StatusCode, storedHeaders.Of(held.Headers), default).ToBytes();
        bool isFinal = StoredAnswer.IsFinal(held.StatusCode);
        if (isFinal)
        {
            await keep(head).ConfigureAwait(false);
        }

        if (answerFor is null)
        {
            return Stream.Null;
        }

        CopyHeaders(held, _response);
        AnswerWriter.WriteHead(_response, answerFor(new UploadOutcome(isFinal ? OutcomeKind.Completed : OutcomeKind.HandlerFailed, info.Offset)
        {
            UploadLength = info.Length,
            Answer = head,
            IsAnswerLonger = true,
            ReprDigest = data.FoundDigest,
        }));
        _response.Headers.ContentLength = held.Headers.ContentLength;
        return _body.Stream;
    }

    private sealed class Detected(bool canHaveBody) : IHttpRequestBodyDetectionFeature
    {
        public bool CanHaveBody => canHaveBody;
    }

    /// <summary>The whole is here already, within its limit: what filters set for one request changes nothing any more.</summary>
    private sealed class AnySize : IHttpMaxRequestBodySizeFeature
    {
        public bool IsReadOnly => false;

        public long? MaxRequestBodySize { get; set; }
    }
}
