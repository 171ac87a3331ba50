using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.FileId;

namespace ResumableUploads;

/// <summary>Takes one request from HTTP to the engine and back: parse, owner, command, answer.</summary>
internal sealed class UploadEndpoint(
    ResumableUploadOptions options, UploadEngine engine, IUploadStore store, IServiceProvider services, TimeProvider time, ILogger logger, CancellationToken stopping)
{
    private readonly OwnerResolver _owners = new(options);
    private readonly StoredHeaders _storedHeaders = new(options.StoredHeaders);

    /// <summary>What the browser asks for a page of another site; CORS answers it.</summary>
    public static bool IsPreflight(HttpRequest request) =>
        HttpMethods.IsOptions(request.Method) && request.Headers.ContainsKey(HeaderNames.AccessControlRequestMethod);

    /// <summary>The same, for a request with our headers: its method is not the one that the endpoint's policies are kept under.</summary>
    public static bool IsOurPreflight(HttpRequest request) =>
        IsPreflight(request)
        && request.Headers.AccessControlRequestHeaders.ToString().Contains(FileIdHeaders.FileId, StringComparison.OrdinalIgnoreCase);

    public static bool IsOurs(HttpRequest request) => request.Headers.ContainsKey(FileIdHeaders.FileId) && !IsPreflight(request);

    /// <summary>Takes a request to a ready-made endpoint.</summary>
    public Task HandleAsync(HttpContext context, bool onStatusPath) => HandleAsync(context, onStatusPath, target: null);

    /// <summary>Takes a piece for an endpoint of the app.</summary>
    public Task HandleAsync(HttpContext context, EndpointTarget target) => HandleAsync(context, onStatusPath: false, target);

    private async Task HandleAsync(HttpContext context, bool onStatusPath, EndpointTarget? target)
    {
        // Before anything is refused: with the server's limits a large body could not be drained, and nobody would read the refusal.
        LiftServerLimits(context);
        AwaitedBody.Watch(context);
        if (await AnswerAsync(context, onStatusPath, target).ConfigureAwait(false) is { } answer)
        {
            await AnswerWriter.WriteAsync(context, answer, stopping).ConfigureAwait(false);
        }
    }

    /// <summary>The answer, or null where it has left already.</summary>
    private async ValueTask<HttpAnswer?> AnswerAsync(HttpContext context, bool onStatusPath, EndpointTarget? target)
    {
        HttpRequest request = context.Request;
        if (HttpMethods.IsOptions(request.Method))
        {
            return new HttpAnswer(204) { Headers = [new("Allow", FileIdParser.Allow(onStatusPath)), new("Cache-Control", "no-store")] };
        }

        // Only Kestrel has this feature, and there raw headers are read byte by byte (RawHeaderEncoding).
        bool isLatin1 = context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is not null;
        if (FileIdParser.Parse(request.Method, request.Headers, onStatusPath, isLatin1, out FileIdRequest parsed) is { } bad)
        {
            return bad.Status == 405 ? bad.ToAnswer(new KeyValuePair<string, string>("Allow", FileIdParser.Allow(onStatusPath))) : bad.ToAnswer();
        }

        if (_owners.Resolve(context, out string owner) is { } stranger)
        {
            return stranger.ToAnswer();
        }

        UploadKey key = UploadKeys.FromFileId(owner, Scope(context, target), parsed.FileId.Span);
        try
        {
            return parsed.Operation switch
            {
                FileIdOperation.Status => FileIdAnswers.Status(await engine.StatusAsync(key, context.RequestAborted).ConfigureAwait(false)),
                FileIdOperation.Cancel => FileIdAnswers.For(await engine.CancelAsync(key, context.RequestAborted).ConfigureAwait(false)),
                _ => await AppendAsync(context, key, parsed, target).ConfigureAwait(false),
            };
        }
        catch (UploadStoreException e)
        {
            Log.StoreFailed(logger, e);
            return FileIdAnswers.For(new UploadOutcome(e.Failure == StoreFailure.Full ? OutcomeKind.StorageFull : OutcomeKind.StorageFailed));
        }
    }

    private async ValueTask<HttpAnswer?> AppendAsync(HttpContext context, UploadKey key, FileIdRequest parsed, EndpointTarget? target)
    {
        bool hasBody = context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody ?? true;
        var command = new AppendCommand
        {
            Key = key,
            Offset = parsed.StartByte,
            Body = context.Request.BodyReader,
            BodyLength = hasBody ? context.Request.ContentLength : 0,
            UploadLength = parsed.FileSize,
            Completion = options.WholeBodyCompletes ? CompletionRule.AtLengthOrWholeBody : CompletionRule.AtLength,
            MaxUploadSize = target?.Route.MaxUploadSize(options),
            Creation = new UploadDetails(
                "file-id",
                parsed.FileName,
                parsed.ContentType,
                target is not null && parsed.StartByte == 0 ? FirstRequest.Of(context, AntiforgeryGuard.HeaderName(context)) : null),
            RestartsAtZero = options.RestartOnZero,
            ContentDigest = parsed.ContentDigest,
            ReprDigest = parsed.ReprDigest,
        };
        var events = new UploadCallbacks(options, store, services, context);
        if (target is null)
        {
            return FileIdAnswers.For(await engine.AppendAsync(command, events, context.RequestAborted).ConfigureAwait(false));
        }

        var run = new EndpointRun(context, target, options, _storedHeaders, store, time, logger, FileIdAnswers.For);
        UploadOutcome outcome = await engine
            .AppendAsync(command, new EndpointCallbacks(events, run, context, target), context.RequestAborted).ConfigureAwait(false);
        run.AddWhatIsNotStored(outcome);
        return run.HasAnswered ? null : FileIdAnswers.For(outcome);
    }

    /// <summary>
    /// The engine's own limits take the place of Kestrel's: what an upload may still take instead of 30 MB a request, and the idle timeout and
    /// lowest rate instead of 240 bytes a second. (On HTTP/2 null is the only rate that Kestrel lets one set.)
    /// </summary>
    private static void LiftServerLimits(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }
    }

    private string Scope(HttpContext context, EndpointTarget? target)
    {
        if (options.Scope is { } scope)
        {
            return scope(context);
        }

        // An endpoint's pattern may have parameters, so its path tells; the middleware has one path, which status shares.
        string path = target is not null || context.GetEndpoint()?.Metadata.GetMetadata<ResumableUploadMetadata>() is not null
            ? context.Request.Path.ToString()
            : options.UploadPath;
        return context.Request.PathBase + path.TrimEnd('/');
    }
}

/// <summary>Marks endpoints that <c>MapResumableUploads</c> has made.</summary>
internal sealed class ResumableUploadMetadata
{
    public static readonly ResumableUploadMetadata Instance = new();
}
