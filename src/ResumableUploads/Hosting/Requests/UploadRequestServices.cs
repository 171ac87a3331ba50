using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Endpoints.Execution;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Events;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.Ietf;

namespace ResumableUploads.Hosting.Requests;

/// <summary>What the requests of every protocol need: whose the upload is, the engine, and the app's endpoint or events behind it.</summary>
internal sealed class UploadRequestServices(
    ResumableUploadOptions options, UploadEventHandlers events, UploadEngine engine, IUploadStore store, IServiceProvider services, TimeProvider time, ILogger logger)
{
    private readonly OwnerResolver _ownerResolver = new(options);
    private readonly StoredHeaderFilter _storedHeaderFilter = new(options.Handler.StoredHeaders);

    public ResumableUploadOptions Options => options;

    public UploadEngine Engine => engine;

    /// <summary>Whether the store can hold bytes back until their digest is verified.</summary>
    public bool CanStageAppends { get; } = store.GetCapability<IStagedAppendStore>() is not null;

    /// <summary>Who owns the uploads of a request, or why nobody does.</summary>
    public bool TryResolveOwner(HttpContext context, out string owner, [NotNullWhen(false)] out Problem? stranger) =>
        (stranger = _ownerResolver.Resolve(context, out owner)) is null;

    /// <summary>What ids are unique in, beside their owner.</summary>
    public string GetScope(HttpContext context, UploadUrl url) =>
        options.Scope is { } scope ? scope(context) : context.Request.PathBase + url.CreationPath.Value;

    public TimeProvider Time => time;

    /// <summary>How long a new upload is kept.</summary>
    public TimeSpan Expiration => options.Expiration < options.Timeouts.MaxAge ? options.Expiration : options.Timeouts.MaxAge;

    /// <summary>What an endpoint takes.</summary>
    public IetfLimits GetLimits(EndpointTarget? target) =>
        new(GetMaxUploadSize(target), options.Ietf.MinUploadSize, options.Ietf.MaxAppendSize, options.Ietf.MinAppendSize);

    /// <summary>The most bytes that an upload may have.</summary>
    public long GetMaxUploadSize(EndpointTarget? target) => target?.Route.GetMaxUploadSize(options) ?? options.MaxUploadSize;

    /// <summary>Appends, and runs what is to run when that was all. Null: the answer has left already.</summary>
    public async ValueTask<HttpResponseData?> AppendAsync(HttpContext context, EndpointTarget? target, AppendCommand command, Func<UploadResult, HttpResponseData> answer)
    {
        AppendCommand limited = command with
        {
            MaxUploadSize = target is null ? null : GetMaxUploadSize(target),
            RequestedDigestAlgorithm = DigestHeaders.GetPreferred(context.Request.Headers[DigestHeaders.WantReprDigest]),
        };
        HttpResponseData AnswerFor(UploadResult result) => answer(result).WithHeader(DigestHeaders.ReprDigest, result.ReprDigest);
        (IUploadCallbacks callbacks, EndpointExecutor? run) = CreateCallbacks(context, target, AnswerFor);
        UploadResult outcome = await engine.AppendAsync(limited, callbacks, context.RequestAborted);
        run?.AddUnstoredHeaders(outcome);
        return run is { HasSentResponse: true } ? null : AnswerFor(outcome);
    }

    /// <summary>For an upload that is completed in a request about another: what the endpoint answers is stored, and not said here.</summary>
    public IUploadCallbacks CreateDetachedCallbacks(HttpContext context, EndpointTarget? target) => CreateCallbacks(context, target, answerFor: null).Callbacks;

    /// <summary>How many bytes the body of a request has, or null when its end will tell.</summary>
    public static long? GetBodyLength(HttpContext context) =>
        context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody ?? true ? context.Request.ContentLength : 0;

    /// <summary>Adds to what a protocol says of an upload the digest that its client wanted, once all bytes are there.</summary>
    public static HttpResponseData AddDigest(HttpResponseData response, UploadInfo? info) =>
        response.WithHeader(DigestHeaders.ReprDigest, info is { State: not UploadState.Receiving } ? EngineRecord.From(info).ComputedReprDigest : null);

    /// <summary>Gives the content of a finished upload back; false where there is none.</summary>
    public ValueTask<bool> TryDownloadAsync(HttpContext context, UploadKey key, IEnumerable<KeyValuePair<string, string>> protocolHeaders) =>
        DownloadWriter.TryWriteAsync(context, store, key, protocolHeaders);

    /// <summary>Whether there is an upload. A storage that does not answer says no: the request that is asked for will say why.</summary>
    public async ValueTask<bool> ExistsAsync(UploadKey key, CancellationToken cancellationToken)
    {
        try
        {
            return await store.GetAsync(key, cancellationToken) is not null;
        }
        catch (UploadStoreException e)
        {
            Log.StoreRequestFailed(logger, e);
            return false;
        }
    }

    /// <summary>Runs something that asks the store, and tells its failure as an outcome.</summary>
    public async ValueTask<HttpResponseData?> QueryStoreAsync(Func<ValueTask<HttpResponseData?>> ask, Func<UploadResult, HttpResponseData> answerFor)
    {
        try
        {
            return await ask();
        }
        catch (UploadStoreException e)
        {
            Log.StoreRequestFailed(logger, e);
            return answerFor(UploadResult.FromException(e) with { Offset = null });
        }
    }

    private (IUploadCallbacks Callbacks, EndpointExecutor? Run) CreateCallbacks(
        HttpContext context, EndpointTarget? target, Func<UploadResult, HttpResponseData>? answerFor)
    {
        var callbacks = new EventUploadCallbacks(events, store, services, context);
        if (target is null)
        {
            return (callbacks, null);
        }

        var run = new EndpointExecutor(context, target, options, _storedHeaderFilter, store, time, logger, answerFor);
        return (new EndpointUploadCallbacks(callbacks, run, context, target, () => CreateDetachedCallbacks(context, target)), run);
    }
}
