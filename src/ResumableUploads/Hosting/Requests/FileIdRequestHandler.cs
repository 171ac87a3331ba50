using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Hosting.Endpoints.Execution;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.FileId;

namespace ResumableUploads.Hosting.Requests;

/// <summary>Takes requests of the file-id protocol to the engine and back.</summary>
internal sealed class FileIdRequestHandler(UploadRequestServices services)
{
    /// <summary>The answer, or null where it has left already.</summary>
    public async ValueTask<HttpResponseData?> HandleAsync(HttpContext context, UploadUrl url, bool onStatusPath, EndpointTarget? target)
    {
        HttpRequest request = context.Request;

        // Only Kestrel has this feature, and there raw headers are read byte by byte (RawHeaderEncoding).
        bool isLatin1 = context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is not null;
        if (FileIdParser.Parse(request.Method, request.Headers, onStatusPath, isLatin1, out FileIdRequest parsed) is { } bad)
        {
            return bad.Status == 405 ? bad.ToResponse(new KeyValuePair<string, string>("Allow", FileIdParser.GetAllowHeader(onStatusPath))) : bad.ToResponse();
        }

        if (!services.TryResolveOwner(context, out string owner, out Problem? stranger))
        {
            return stranger.ToResponse();
        }

        UploadKey key = UploadKeyFactory.FromFileId(owner, services.GetScope(context, url), parsed.FileId.Span);
        return parsed.Operation switch
        {
            FileIdOperation.Status => await GetStatusAsync(context, key),
            FileIdOperation.Cancel => FileIdResponses.For(await services.Engine.CancelAsync(key, context.RequestAborted)),
            _ => await services.AppendAsync(context, target, CreateCommand(context, key, parsed, target), FileIdResponses.For),
        };
    }

    private ValueTask<HttpResponseData?> GetStatusAsync(HttpContext context, UploadKey key) => services.QueryStoreAsync(
        async () =>
        {
            UploadInfo? info = await services.Engine.GetStatusAsync(key, isClientGeneratedKey: true, context.RequestAborted);
            return UploadRequestServices.AddDigest(FileIdResponses.ForStatus(info), info);
        },
        FileIdResponses.For);

    private AppendCommand CreateCommand(HttpContext context, UploadKey key, FileIdRequest parsed, EndpointTarget? target)
    {
        return new AppendCommand
        {
            Key = key,
            Offset = parsed.StartByte,
            Body = context.Request.BodyReader,
            BodyLength = UploadRequestServices.GetBodyLength(context),
            UploadLength = parsed.FileSize,
            CompletionRule = services.Options.FileId.CompleteOnFullBody ? CompletionRule.AtLengthOrFullBody : CompletionRule.AtLength,
            CreateIfMissing = new CreateCommand(
                "file-id",
                parsed.FileName,
                parsed.ContentType,
                target is not null && parsed.StartByte == 0 ? CreationRequestRecorder.Capture(context, AntiforgeryValidator.GetHeaderName(context)) : null),
            RestartAtOffsetZero = services.Options.FileId.RestartOnZero,
            ContentDigest = BodyDigest.From(parsed.ContentDigest),
            ReprDigest = parsed.ReprDigest,
            VerifyReprDigestBeforeCommit = true,
        };
    }
}
