using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Content;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.FileId;

namespace ResumableUploads;

/// <summary>Takes requests of the file-id protocol to the engine and back.</summary>
internal sealed class FileIdRequests(UploadWork work)
{
    /// <summary>The answer, or null where it has left already.</summary>
    public async ValueTask<HttpAnswer?> AnswerAsync(HttpContext context, UploadUrl url, bool onStatusPath, EndpointTarget? target)
    {
        HttpRequest request = context.Request;

        // Only Kestrel has this feature, and there raw headers are read byte by byte (RawHeaderEncoding).
        bool isLatin1 = context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is not null;
        if (FileIdParser.Parse(request.Method, request.Headers, onStatusPath, isLatin1, out FileIdRequest parsed) is { } bad)
        {
            return bad.Status == 405 ? bad.ToAnswer(new KeyValuePair<string, string>("Allow", FileIdParser.Allow(onStatusPath))) : bad.ToAnswer();
        }

        if (!work.TryOwner(context, out string owner, out Problem? stranger))
        {
            return stranger.ToAnswer();
        }

        UploadKey key = UploadKeys.FromFileId(owner, work.ScopeOf(context, url), parsed.FileId.Span);
        return parsed.Operation switch
        {
            FileIdOperation.Status => await StatusAsync(context, key).ConfigureAwait(false),
            FileIdOperation.Cancel => FileIdAnswers.For(await work.Engine.CancelAsync(key, context.RequestAborted).ConfigureAwait(false)),
            _ => await work.AppendAsync(context, target, Command(context, key, parsed, target), FileIdAnswers.For).ConfigureAwait(false),
        };
    }

    private ValueTask<HttpAnswer?> StatusAsync(HttpContext context, UploadKey key) => work.AskAsync(
        async () =>
        {
            UploadStatus status = await work.Engine.StatusAsync(key, isNamedByClient: true, context.RequestAborted).ConfigureAwait(false);
            return UploadWork.WithDigest(FileIdAnswers.Status(status), status);
        },
        FileIdAnswers.For);

    private AppendCommand Command(HttpContext context, UploadKey key, FileIdRequest parsed, EndpointTarget? target)
    {
        return new AppendCommand
        {
            Key = key,
            Offset = parsed.StartByte,
            Body = context.Request.BodyReader,
            BodyLength = UploadWork.BodyLengthOf(context),
            UploadLength = parsed.FileSize,
            Completion = work.Options.FileId.CompleteOnFullBody ? CompletionRule.AtLengthOrWholeBody : CompletionRule.AtLength,
            Creation = new UploadDetails(
                "file-id",
                parsed.FileName,
                parsed.ContentType,
                target is not null && parsed.StartByte == 0 ? FirstRequest.Of(context, AntiforgeryGuard.HeaderName(context)) : null),
            RestartsAtZero = work.Options.FileId.RestartOnZero,
            ContentDigest = BodyDigest.From(parsed.ContentDigest),
            ReprDigest = parsed.ReprDigest,
            StagesReprDigest = true,
        };
    }
}
