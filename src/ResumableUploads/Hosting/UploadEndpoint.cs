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
    ResumableUploadOptions options, UploadEngine engine, IUploadStore store, IServiceProvider services, ILogger logger, CancellationToken stopping)
{
    private readonly OwnerResolver _owners = new(options);

    /// <summary>What the browser asks for a page of another site; CORS answers it.</summary>
    public static bool IsPreflight(HttpRequest request) =>
        HttpMethods.IsOptions(request.Method) && request.Headers.ContainsKey(HeaderNames.AccessControlRequestMethod);

    public static bool IsOurs(HttpRequest request) => request.Headers.ContainsKey(FileIdHeaders.FileId) && !IsPreflight(request);

    public async Task HandleAsync(HttpContext context, bool onStatusPath)
    {
        // Before anything is refused: with the server's limits a large body could not be drained, and nobody would read the refusal.
        LiftServerLimits(context);
        AwaitedBody.Watch(context);
        HttpAnswer answer = await AnswerAsync(context, onStatusPath).ConfigureAwait(false);
        await AnswerWriter.WriteAsync(context, answer, stopping).ConfigureAwait(false);
    }

    private async ValueTask<HttpAnswer> AnswerAsync(HttpContext context, bool onStatusPath)
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

        UploadKey key = UploadKeys.FromFileId(owner, Scope(context), parsed.FileId.Span);
        try
        {
            return parsed.Operation switch
            {
                FileIdOperation.Status => FileIdAnswers.Status(await engine.StatusAsync(key, context.RequestAborted).ConfigureAwait(false)),
                FileIdOperation.Cancel => FileIdAnswers.For(await engine.CancelAsync(key, context.RequestAborted).ConfigureAwait(false)),
                _ => FileIdAnswers.For(await AppendAsync(context, key, parsed).ConfigureAwait(false)),
            };
        }
        catch (UploadStoreException e)
        {
            Log.StoreFailed(logger, e);
            return FileIdAnswers.For(new UploadOutcome(e.Failure == StoreFailure.Full ? OutcomeKind.StorageFull : OutcomeKind.StorageFailed));
        }
    }

    private ValueTask<UploadOutcome> AppendAsync(HttpContext context, UploadKey key, FileIdRequest parsed)
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
            Creation = new UploadDetails("file-id", parsed.FileName, parsed.ContentType),
            RestartsAtZero = options.RestartOnZero,
            ContentDigest = parsed.ContentDigest,
            ReprDigest = parsed.ReprDigest,
        };
        return engine.AppendAsync(command, new UploadCallbacks(options, store, services, context), context.RequestAborted);
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

    private string Scope(HttpContext context)
    {
        if (options.Scope is { } scope)
        {
            return scope(context);
        }

        // An endpoint's pattern may have parameters, so its path tells; the middleware has one path, which status shares.
        string path = context.GetEndpoint()?.Metadata.GetMetadata<ResumableUploadMetadata>() is not null
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
