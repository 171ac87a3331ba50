using Microsoft.AspNetCore.Http;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Hosting.Endpoints.Execution;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Interim;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.Ietf;

namespace ResumableUploads.Hosting.Requests;

/// <summary>Takes requests of the IETF draft to the engine and back.</summary>
internal sealed class IetfRequestHandler(UploadRequestServices services)
{
    private const string Protocol = "ietf";

    /// <summary>What the server says of itself.</summary>
    public IEnumerable<KeyValuePair<string, string>> GetSupportHeaders(HttpContext context, EndpointTarget? target) => CreateResponses(context, target, out _).OptionsHeaders;

    /// <summary>The answer, or null where it has left already.</summary>
    public async ValueTask<HttpResponseData?> HandleAsync(HttpContext context, UploadUrl url, EndpointTarget? target)
    {
        HttpRequest request = context.Request;
        IetfResponses answers = CreateResponses(context, target, out IetfVersion version);
        long? bodyLength = UploadRequestServices.GetBodyLength(context);
        if (IetfParser.Parse(new RequestHead(request.Method, request.Headers, url.IsUpload, bodyLength), version, services.GetLimits(target), out IetfRequest parsed) is { } bad)
        {
            return answers.For(bad, url.IsUpload);
        }

        if (!services.TryResolveOwner(context, out string owner, out Problem? stranger))
        {
            return answers.For(stranger, url.IsUpload);
        }

        string id = url.Id ?? UploadUrl.NewId();
        string location = url.GetLocation(id, request);
        HttpResponseData Ended(UploadResult result) => answers.ForFinalResult(result, location);
        if (!UploadUrl.IsId(id))
        {
            return Ended(new UploadResult(UploadResultKind.NotFound));
        }

        UploadKey key = UploadKeyFactory.FromIetfId(owner, services.GetScope(context, url), id);
        switch (parsed.Operation)
        {
            case IetfOperation.Status:
                return await services.QueryStoreAsync(() => GetStatusAsync(context, key, answers), Ended);
            case IetfOperation.Cancel:
                return answers.ForCancellation(await services.Engine.CancelAsync(key, context.RequestAborted));
        }

        bool isCreation = parsed.Operation == IetfOperation.Create;
        AppendCommand command = CreateCommand(context, key, parsed, version, bodyLength) with
        {
            CreateIfMissing = isCreation ? CreateDetails(context, parsed, target) : null,
            IsServerGeneratedKey = isCreation && url.Id is null,
            MaxBodyLength = version.SupportsLimits && (!isCreation || version.AppliesAppendLimitsToCreation) ? services.Options.Ietf.MaxAppendSize : null,
            Observer = ShouldSendInterimResponses(parsed, bodyLength) ? InterimResponseReporter.TryCreate(context, answers, isCreation ? location : null, services.Options, services.Time) : null,
        };
        return await services.AppendAsync(
            context, target, command, outcome => isCreation ? answers.ForCreation(outcome, location) : answers.ForAppend(outcome, location));
    }

    private IetfResponses CreateResponses(HttpContext context, EndpointTarget? target, out IetfVersion version)
    {
        version = IetfVersion.FromRequest(context.Request.Headers, out bool isAnnounced);
        return new IetfResponses(version, isAnnounced, services.GetLimits(target), services.Expiration, services.Time);
    }

    /// <summary>Whether a client is told that it can resume: not for what is too small to be worth it, or too small for all that is known .</summary>
    private bool ShouldSendInterimResponses(IetfRequest parsed, long? bodyLength) =>
        parsed.Operation == IetfOperation.Append || services.Options.Ietf.MinUploadSize <= (parsed.UploadLength ?? (parsed.IsLast ? bodyLength : null) ?? 0);

    private async ValueTask<HttpResponseData?> GetStatusAsync(HttpContext context, UploadKey key, IetfResponses answers)
    {
        UploadStatus status = await services.Engine.GetStatusAsync(key, isNamedByClient: false, context.RequestAborted);
        HttpResponseData response = UploadRequestServices.AddDigest(answers.ForStatus(status), status);
        return services.Options.AllowDownload && HttpMethods.IsGet(context.Request.Method) && status.IsComplete
            && await services.TryDownloadAsync(context, key, response.Headers)
            ? null
            : response;
    }

    private static AppendCommand CreateCommand(HttpContext context, UploadKey key, IetfRequest parsed, IetfVersion version, long? bodyLength) => new()
    {
        Key = key,
        Offset = parsed.Offset,
        Body = context.Request.BodyReader,
        BodyLength = bodyLength,
        UploadLength = parsed.UploadLength,
        CompletionRule = parsed.IsLast ? CompletionRule.AtFullBody : CompletionRule.Never,
        DeleteOnLengthExceeded = version.ExcessInvalidatesUpload,
        ContentDigest = BodyDigest.From(parsed.ContentDigest),
        ReprDigest = parsed.ReprDigest,
    };

    private static CreateCommand CreateDetails(HttpContext context, IetfRequest parsed, EndpointTarget? target) => new(
        Protocol,
        parsed.FileName,
        parsed.ContentType,
        target is null ? null : CreationRequestRecorder.CaptureFromChunk(context, AntiforgeryValidator.GetHeaderName(context), parsed.ContentType));
}
