using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.Ietf;

namespace ResumableUploads;

/// <summary>What the requests of every protocol need: whose the upload is, the engine, and the app's endpoint or events behind it.</summary>
internal sealed class UploadWork(
    ResumableUploadOptions options, UploadEventHandlers events, UploadEngine engine, IUploadStore store, IServiceProvider services, TimeProvider time, ILogger logger)
{
    private readonly OwnerResolver _owners = new(options);
    private readonly StoredHeaders _storedHeaders = new(options.Handler.StoredHeaders);

    public ResumableUploadOptions Options => options;

    public UploadEngine Engine => engine;

    /// <summary>Whether the store can hold bytes back until their digest is verified.</summary>
    public bool CanStage { get; } = store.GetCapability<IStagesAppends>() is not null;

    /// <summary>Who owns the uploads of a request, or why nobody does.</summary>
    public bool TryOwner(HttpContext context, out string owner, [NotNullWhen(false)] out Problem? stranger) =>
        (stranger = _owners.Resolve(context, out owner)) is null;

    /// <summary>What ids are unique in, beside their owner.</summary>
    public string ScopeOf(HttpContext context, UploadUrl url) =>
        options.Scope is { } scope ? scope(context) : context.Request.PathBase + url.CreationPath.Value;

    public TimeProvider Time => time;

    /// <summary>How long a new upload is kept.</summary>
    public TimeSpan Expiration => options.Expiration < options.Timeouts.MaxAge ? options.Expiration : options.Timeouts.MaxAge;

    /// <summary>What an endpoint takes.</summary>
    public IetfLimits LimitsOf(EndpointTarget? target) =>
        new(MaxUploadSize(target), options.Ietf.MinUploadSize, options.Ietf.MaxAppendSize, options.Ietf.MinAppendSize);

    /// <summary>The most bytes that an upload may have.</summary>
    public long MaxUploadSize(EndpointTarget? target) => target?.Route.MaxUploadSize(options) ?? options.MaxUploadSize;

    /// <summary>Appends, and runs what is to run when that was all. Null: the answer has left already.</summary>
    public async ValueTask<HttpAnswer?> AppendAsync(HttpContext context, EndpointTarget? target, AppendCommand command, Func<UploadOutcome, HttpAnswer> answer)
    {
        AppendCommand limited = command with
        {
            MaxUploadSize = target is null ? null : MaxUploadSize(target),
            WantedDigest = DigestHeader.Wanted(context.Request.Headers[DigestHeader.Want]),
        };
        HttpAnswer AnswerFor(UploadOutcome outcome) => answer(outcome).With(DigestHeader.OfWhole, outcome.ReprDigest);
        (IUploadCallbacks callbacks, EndpointRun? run) = Callbacks(context, target, AnswerFor);
        UploadOutcome outcome;
        try
        {
            outcome = await engine.AppendAsync(limited, callbacks, context.RequestAborted).ConfigureAwait(false);
        }
        finally
        {
            // The engine has done so before a handler may answer; not where it came to nothing before.
            if (command.Watch is { } watch)
            {
                await watch.DrainAsync().ConfigureAwait(false);
            }
        }

        run?.AddWhatIsNotStored(outcome);
        if (outcome.IsWholePart)
        {
            await engine.PartIsWholeAsync(command.Key, () => UnheardCallbacks(context, target), context.RequestAborted).ConfigureAwait(false);
        }

        return run is { HasAnswered: true } ? null : AnswerFor(outcome);
    }

    /// <summary>For an upload that is completed in a request about another: what the endpoint answers is stored, and not said here.</summary>
    public IUploadCallbacks UnheardCallbacks(HttpContext context, EndpointTarget? target) => Callbacks(context, target, answerFor: null).Callbacks;

    /// <summary>How many bytes the body of a request has, or null when its end will tell.</summary>
    public static long? BodyLengthOf(HttpContext context) =>
        context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody ?? true ? context.Request.ContentLength : 0;

    /// <summary>Adds to what a protocol says of an upload the digest that its client wanted, once all bytes are there.</summary>
    public static HttpAnswer WithDigest(HttpAnswer answer, UploadStatus status) =>
        answer.With(DigestHeader.OfWhole, status is { IsComplete: true, Info: { } info } ? UploadData.From(info).FoundDigest : null);

    /// <summary>Gives the content of a finished upload back; false where there is none.</summary>
    public ValueTask<bool> TryDownloadAsync(HttpContext context, UploadKey key, IEnumerable<KeyValuePair<string, string>> protocolHeaders) =>
        Download.TryWriteAsync(context, store, key, protocolHeaders);

    /// <summary>Whether there is an upload. A storage that does not answer says no: the request that is asked for will say why.</summary>
    public async ValueTask<bool> ExistsAsync(UploadKey key, CancellationToken cancellationToken)
    {
        try
        {
            return await store.GetAsync(key, cancellationToken).ConfigureAwait(false) is not null;
        }
        catch (UploadStoreException e)
        {
            Log.StoreFailed(logger, e);
            return false;
        }
    }

    /// <summary>Runs something that asks the store, and tells its failure as an outcome.</summary>
    public async ValueTask<HttpAnswer?> AskAsync(Func<ValueTask<HttpAnswer?>> ask, Func<UploadOutcome, HttpAnswer> answerFor)
    {
        try
        {
            return await ask().ConfigureAwait(false);
        }
        catch (UploadStoreException e)
        {
            Log.StoreFailed(logger, e);
            return answerFor(UploadOutcome.Of(e) with { Offset = null });
        }
    }

    private (IUploadCallbacks Callbacks, EndpointRun? Run) Callbacks(
        HttpContext context, EndpointTarget? target, Func<UploadOutcome, HttpAnswer>? answerFor)
    {
        var callbacks = new UploadCallbacks(events, store, services, context);
        if (target is null)
        {
            return (callbacks, null);
        }

        var run = new EndpointRun(context, target, options, _storedHeaders, store, time, logger, answerFor);
        return (new EndpointCallbacks(callbacks, run, context, target), run);
    }
}
