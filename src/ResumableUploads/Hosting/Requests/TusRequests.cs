using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Content;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads;

/// <summary>Takes requests of tus 1.0.0 to the engine and back.</summary>
internal sealed class TusRequests(UploadWork work)
{
    private const string Protocol = "tus";

    /// <summary>What the server says of itself.</summary>
    public TusSupport Support(EndpointTarget? target) => new(work.MaxUploadSize(target), work.CanStage, work.Options.AllowDownload);

    /// <summary>The answer, or null where it has left already.</summary>
    public async ValueTask<HttpAnswer?> AnswerAsync(HttpContext context, UploadUrl url, EndpointTarget? target)
    {
        HttpRequest request = context.Request;
        TusSupport support = Support(target);
        long? bodyLength = UploadWork.BodyLengthOf(context);
        if (TusParser.Parse(request.Method, request.Headers, url.IsUpload, bodyLength, support, out TusRequest parsed) is { } bad)
        {
            return TusAnswers.For(bad, support, url.IsUpload);
        }

        if (parsed.Operation == TusOperation.Discover)
        {
            return TusAnswers.Discovery(support, url.IsUpload);
        }

        if (!work.TryOwner(context, out string owner, out Problem? stranger))
        {
            return TusAnswers.For(stranger, support, url.IsUpload);
        }

        if (url.Id is { } given && !UploadUrl.IsId(given))
        {
            return TusAnswers.For(new UploadOutcome(OutcomeKind.NotFound));
        }

        string id = url.Id ?? UploadUrl.NewId();
        UploadKey key = UploadKeys.FromServerId(owner, work.ScopeOf(context, url), id);
        return parsed.Operation switch
        {
            TusOperation.Status => await work.AskAsync(() => StatusAsync(context, target, key), TusAnswers.For).ConfigureAwait(false),
            TusOperation.Download => await work.AskAsync(
                async () => await work.TryDownloadAsync(context, key, TusAnswers.OfDownload).ConfigureAwait(false) ? null : TusAnswers.For(new UploadOutcome(OutcomeKind.NotFound)),
                TusAnswers.For).ConfigureAwait(false),
            TusOperation.Terminate => TusAnswers.For(await work.Engine.CancelAsync(key, context.RequestAborted).ConfigureAwait(false)),
            TusOperation.Create => await CreateAsync(context, url, target, parsed, Command(context, key, parsed, bodyLength), id).ConfigureAwait(false),
            _ => await work.AppendAsync(context, target, Command(context, key, parsed, bodyLength), TusAnswers.For).ConfigureAwait(false),
        };
    }

    /// <summary>Whether an upload of this URL was made by tus.</summary>
    public async ValueTask<bool> HasMadeAsync(HttpContext context, UploadUrl url) =>
        url.Id is { } id && UploadUrl.IsId(id) && work.TryOwner(context, out string owner, out _)
        && await work.ExistsAsync(UploadKeys.FromServerId(owner, work.ScopeOf(context, url), id), context.RequestAborted).ConfigureAwait(false);

    private async ValueTask<HttpAnswer?> StatusAsync(HttpContext context, EndpointTarget? target, UploadKey key)
    {
        UploadStatus status = await work.Engine.StatusAsync(key, isNamedByClient: false, context.RequestAborted).ConfigureAwait(false);

        if (status.Info is { State: UploadState.Receiving } info && UploadData.From(info) is { Join.IsPart: false })
        {
            // Who asks for a final upload after a crash gets it going again.
            await work.Engine.TryJoinAsync(key, work.UnheardCallbacks(context, target), context.RequestAborted).ConfigureAwait(false);
            status = await work.Engine.StatusAsync(key, isNamedByClient: false, context.RequestAborted).ConfigureAwait(false);
        }

        return UploadWork.WithDigest(TusAnswers.Status(status), status);
    }

    private ValueTask<HttpAnswer?> CreateAsync(
        HttpContext context, UploadUrl url, EndpointTarget? target, TusRequest parsed, AppendCommand command, string id)
    {
        JoinDetails? join = null;
        if (parsed.Concat is { } concat)
        {
            List<string>? parts = concat.Parts?.Select(part => PartOf(context, url, command.Key.Owner, part)).ToList();
            if (parts?.Contains("") is true)
            {
                return new ValueTask<HttpAnswer?>(TusAnswers.For(new UploadOutcome(OutcomeKind.PartMissing)));
            }

            join = new JoinDetails(concat.Raw, parts);
        }

        return work.AppendAsync(
            context,
            target,
            command with { Creation = Details(context, parsed, target) with { Join = join }, IsNewName = url.Id is null },
            outcome => TusAnswers.Created(outcome, url.LocationOf(id, context.Request)));
    }

    /// <summary>
    /// The store's id of an upload that a client names by its URL, or an empty text where that is none of an upload here. Only the server's
    /// own id is taken out of it: it is looked up under the same owner and the same URL, and nothing is ever fetched (T-65).
    /// </summary>
    private string PartOf(HttpContext context, UploadUrl url, string owner, string part) =>
        UploadUrl.IdOf(part, url.IsParameter) is { } id ? UploadKeys.FromServerId(owner, work.ScopeOf(context, url), id).Id : "";

    private static AppendCommand Command(HttpContext context, UploadKey key, TusRequest parsed, long? bodyLength) => new()
    {
        Key = key,
        Offset = parsed.Offset,
        Body = parsed.HasPiece ? context.Request.BodyReader : PipeReader.Create(ReadOnlySequence<byte>.Empty),
        BodyLength = parsed.HasPiece ? bodyLength : 0,
        UploadLength = parsed.UploadLength,
        Completion = CompletionRule.AtLength,
        ContentDigest = parsed.HasChecksumTrailer
            ? new BodyDigest(null, () => Behind(context.Request))
            : BodyDigest.From(parsed.Checksum),
        ReprDigest = parsed.ReprDigest,
    };

    private static UploadDetails Details(HttpContext context, TusRequest parsed, EndpointTarget? target) => new(
        Protocol,
        parsed.Metadata?.FileName,
        parsed.Metadata?.ContentType,
        target is null ? null : FirstRequest.OfPiece(context, AntiforgeryGuard.HeaderName(context), parsed.Metadata?.ContentType),
        parsed.Metadata?.Raw);

    /// <summary>The digest from the trailer, once the body has ended; null where it was promised and did not come.</summary>
    private static Digest? Behind(HttpRequest request) =>
        request.CheckTrailersAvailable() && request.GetTrailer(TusHeaders.Checksum) is { Count: 1 } values
            ? TusChecksum.TryParse(values.ToString())
            : null;
}
