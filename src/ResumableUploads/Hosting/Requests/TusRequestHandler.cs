using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Hosting.Endpoints.Execution;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.Hosting.Requests;

/// <summary>Takes requests of tus 1.0.0 to the engine and back.</summary>
internal sealed class TusRequestHandler(UploadRequestServices services)
{
    private const string Protocol = "tus";

    /// <summary>What the server says of itself.</summary>
    public TusCapabilities GetSupport(EndpointTarget? target) => new(services.GetMaxUploadSize(target), services.CanStageAppends, services.Options.AllowDownload);

    /// <summary>The answer, or null where it has left already.</summary>
    public async ValueTask<HttpResponseData?> HandleAsync(HttpContext context, UploadUrl url, EndpointTarget? target)
    {
        HttpRequest request = context.Request;
        TusCapabilities capabilities = GetSupport(target);
        long? bodyLength = UploadRequestServices.GetBodyLength(context);
        if (TusParser.Parse(new RequestHead(request.Method, request.Headers, url.IsUpload, bodyLength), capabilities, out TusRequest parsed) is { } bad)
        {
            return TusResponses.For(bad, capabilities, url.IsUpload);
        }

        if (parsed.Operation == TusOperation.Discover)
        {
            return TusResponses.ForDiscovery(capabilities, url.IsUpload);
        }

        if (!services.TryResolveOwner(context, out string owner, out Problem? stranger))
        {
            return TusResponses.For(stranger, capabilities, url.IsUpload);
        }

        if (url.Id is { } given && !UploadUrl.IsId(given))
        {
            return TusResponses.For(new UploadResult(UploadResultKind.NotFound));
        }

        string id = url.Id ?? UploadUrl.NewId();
        UploadKey key = UploadKeyFactory.FromTusId(owner, services.GetScope(context, url), id);
        return parsed.Operation switch
        {
            TusOperation.Status => await services.QueryStoreAsync(() => GetStatusAsync(context, target, key), TusResponses.For),
            TusOperation.Download => await services.QueryStoreAsync(
                async () => await services.TryDownloadAsync(context, key, TusResponses.DownloadHeaders) ? null : TusResponses.For(new UploadResult(UploadResultKind.NotFound)),
                TusResponses.For),
            TusOperation.Terminate => TusResponses.For(await services.Engine.CancelAsync(key, context.RequestAborted)),
            TusOperation.Create => await CreateAsync(context, url, target, parsed, CreateCommand(context, key, parsed, bodyLength), id),
            _ => await services.AppendAsync(context, target, CreateCommand(context, key, parsed, bodyLength), TusResponses.For),
        };
    }

    /// <summary>Whether an upload of this URL was made by tus.</summary>
    public async ValueTask<bool> HasUploadAsync(HttpContext context, UploadUrl url) =>
        url.Id is { } id && UploadUrl.IsId(id) && services.TryResolveOwner(context, out string owner, out _)
        && await services.ExistsAsync(UploadKeyFactory.FromTusId(owner, services.GetScope(context, url), id), context.RequestAborted);

    private async ValueTask<HttpResponseData?> GetStatusAsync(HttpContext context, EndpointTarget? target, UploadKey key)
    {
        UploadStatus status = await services.Engine.GetStatusAsync(key, isNamedByClient: false, context.RequestAborted);

        if (status.Info is { State: UploadState.Receiving } info && EngineRecord.From(info) is { Concatenation.IsPart: false })
        {
            // Who asks for a final upload after a crash gets it going again.
            await services.Engine.TryConcatenateAsync(key, services.CreateDetachedCallbacks(context, target), context.RequestAborted);
            status = await services.Engine.GetStatusAsync(key, isNamedByClient: false, context.RequestAborted);
        }

        return UploadRequestServices.AddDigest(TusResponses.ForStatus(status), status);
    }

    private ValueTask<HttpResponseData?> CreateAsync(
        HttpContext context, UploadUrl url, EndpointTarget? target, TusRequest parsed, AppendCommand command, string id)
    {
        ConcatenationInfo? concatenation = null;
        if (parsed.Concat is { } concat)
        {
            List<string>? parts = concat.PartUrls?.Select(part => ResolvePartId(context, url, command.Key.Owner, part)).ToList();
            if (parts?.Contains("") is true)
            {
                return new ValueTask<HttpResponseData?>(TusResponses.For(new UploadResult(UploadResultKind.PartNotFound)));
            }

            concatenation = new ConcatenationInfo(concat.HeaderValue, parts);
        }

        return services.AppendAsync(
            context,
            target,
            command with { CreateIfMissing = CreateDetails(context, parsed, target) with { Concatenation = concatenation }, IsServerGeneratedKey = url.Id is null },
            result => TusResponses.ForCreation(result, url.GetLocation(id, context.Request)));
    }

    /// <summary>
    /// The store's id of an upload that a client names by its URL, or an empty text where that is none of an upload here. Only the server's
    /// own id is taken out of it: it is looked up under the same owner and the same URL, and nothing is ever fetched (T-65).
    /// </summary>
    private string ResolvePartId(HttpContext context, UploadUrl url, string owner, string part) =>
        UploadUrl.ParseId(part, url.IsQueryParameter) is { } id ? UploadKeyFactory.FromTusId(owner, services.GetScope(context, url), id).Id : "";

    private static AppendCommand CreateCommand(HttpContext context, UploadKey key, TusRequest parsed, long? bodyLength) => new()
    {
        Key = key,
        Offset = parsed.Offset,
        Body = parsed.HasContent ? context.Request.BodyReader : PipeReader.Create(ReadOnlySequence<byte>.Empty),
        BodyLength = parsed.HasContent ? bodyLength : 0,
        UploadLength = parsed.UploadLength,
        CompletionRule = CompletionRule.AtLength,
        ContentDigest = parsed.HasChecksumTrailer
            ? new BodyDigest(null, () => ReadTrailerDigest(context.Request))
            : BodyDigest.From(parsed.Checksum),
        ReprDigest = parsed.ReprDigest,
    };

    private static CreateCommand CreateDetails(HttpContext context, TusRequest parsed, EndpointTarget? target) => new(
        Protocol,
        parsed.Metadata?.FileName,
        parsed.Metadata?.ContentType,
        target is null ? null : CreationRequestRecorder.CaptureFromChunk(context, AntiforgeryValidator.GetHeaderName(context), parsed.Metadata?.ContentType),
        parsed.Metadata?.HeaderValue);

    /// <summary>The digest from the trailer, once the body has ended; null where it was promised and did not come.</summary>
    private static Digest? ReadTrailerDigest(HttpRequest request) =>
        request.CheckTrailersAvailable() && request.GetTrailer(TusHeaders.Checksum) is { Count: 1 } values
            ? TusChecksum.TryParse(values.ToString())
            : null;
}
