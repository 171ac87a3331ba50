using Microsoft.AspNetCore.Http;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Content;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.Ietf;

namespace ResumableUploads;

/// <summary>Takes requests of the IETF draft to the engine and back.</summary>
internal sealed class IetfRequests(UploadWork work)
{
    private const string Protocol = "ietf";

    /// <summary>What the server says of itself.</summary>
    public IEnumerable<KeyValuePair<string, string>> Support(HttpContext context, EndpointTarget? target) => AnswersTo(context, target, out _).Support;

    /// <summary>The answer, or null where it has left already.</summary>
    public async ValueTask<HttpAnswer?> AnswerAsync(HttpContext context, UploadUrl url, EndpointTarget? target)
    {
        HttpRequest request = context.Request;
        IetfAnswers answers = AnswersTo(context, target, out IetfVersion version);
        long? bodyLength = UploadWork.BodyLengthOf(context);
        if (IetfParser.Parse(request.Method, request.Headers, url.IsUpload, bodyLength, version, work.LimitsOf(target), out IetfRequest parsed) is { } bad)
        {
            return answers.For(bad, url.IsUpload);
        }

        if (!work.TryOwner(context, out string owner, out Problem? stranger))
        {
            return answers.For(stranger, url.IsUpload);
        }

        string id = url.Id ?? UploadUrl.NewId();
        string location = url.LocationOf(id, request);
        HttpAnswer Ended(UploadOutcome outcome) => answers.Ended(outcome, location);
        if (!UploadUrl.IsId(id))
        {
            return Ended(new UploadOutcome(OutcomeKind.NotFound));
        }

        UploadKey key = UploadKeys.FromIetfId(owner, work.ScopeOf(context, url), id);
        switch (parsed.Operation)
        {
            case IetfOperation.Status:
                return await work.AskAsync(() => StatusAsync(context, key, answers), Ended).ConfigureAwait(false);
            case IetfOperation.Cancel:
                return answers.Cancelled(await work.Engine.CancelAsync(key, context.RequestAborted).ConfigureAwait(false));
        }

        bool isCreation = parsed.Operation == IetfOperation.Create;
        AppendCommand command = Command(context, key, parsed, version, bodyLength) with
        {
            Creation = isCreation ? Details(context, parsed, target) : null,
            IsNewName = isCreation && url.Id is null,
            MaxBodyLength = version.HasLimits && (!isCreation || version.LimitsCreation) ? work.Options.Ietf.MaxAppendSize : null,
            Watch = IsOffered(parsed, bodyLength) ? InterimFeed.For(context, answers, isCreation ? location : null, work.Options, work.Time) : null,
        };
        return await work.AppendAsync(
            context, target, command, outcome => isCreation ? answers.Created(outcome, location) : answers.Appended(outcome, location)).ConfigureAwait(false);
    }

    private IetfAnswers AnswersTo(HttpContext context, EndpointTarget? target, out IetfVersion version)
    {
        version = IetfVersion.Of(context.Request.Headers, out bool isAnnounced);
        return new IetfAnswers(version, isAnnounced, work.LimitsOf(target), work.Expiration, work.Time);
    }

    /// <summary>Whether a client is told that it can resume: not for what is too small to be worth it, or too small for all that is known .</summary>
    private bool IsOffered(IetfRequest parsed, long? bodyLength) =>
        parsed.Operation == IetfOperation.Append || work.Options.Ietf.MinUploadSize <= (parsed.UploadLength ?? (parsed.IsLast ? bodyLength : null) ?? 0);

    private async ValueTask<HttpAnswer?> StatusAsync(HttpContext context, UploadKey key, IetfAnswers answers)
    {
        UploadStatus status = await work.Engine.StatusAsync(key, isNamedByClient: false, context.RequestAborted).ConfigureAwait(false);
        HttpAnswer answer = UploadWork.WithDigest(answers.Status(status), status);
        return work.Options.AllowDownload && HttpMethods.IsGet(context.Request.Method) && status.IsComplete
            && await work.TryDownloadAsync(context, key, answer.Headers).ConfigureAwait(false)
            ? null
            : answer;
    }

    private static AppendCommand Command(HttpContext context, UploadKey key, IetfRequest parsed, IetfVersion version, long? bodyLength) => new()
    {
        Key = key,
        Offset = parsed.Offset,
        Body = context.Request.BodyReader,
        BodyLength = bodyLength,
        UploadLength = parsed.UploadLength,
        Completion = parsed.IsLast ? CompletionRule.AtWholeBody : CompletionRule.Never,
        OvershootInvalidates = version.OvershootInvalidates,
        ContentDigest = BodyDigest.From(parsed.ContentDigest),
        ReprDigest = parsed.ReprDigest,
    };

    private static UploadDetails Details(HttpContext context, IetfRequest parsed, EndpointTarget? target) => new(
        Protocol,
        parsed.FileName,
        parsed.ContentType,
        target is null ? null : FirstRequest.OfPiece(context, AntiforgeryGuard.HeaderName(context), parsed.ContentType));
}
