using System.Text;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Hosting.Endpoints.Execution;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Interim;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Hosting.Requests.Bodies;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.Ietf;

namespace ResumableUploads.Hosting.Requests;

/// <summary>Handles requests of the IETF draft.</summary>
internal sealed class IetfRequestHandler(UploadRequestServices services)
{
    private const string Protocol = "ietf";

    /// <summary>Gets the headers that announce support for the draft in the response to OPTIONS.</summary>
    public IEnumerable<KeyValuePair<string, string>> GetSupportHeaders(UploadRequest request) => CreateResponses(request, out _).OptionsHeaders;

    /// <summary>Creates the response to a request that is refused before it is parsed.</summary>
    public HttpResponseData CreateResponse(UploadRequest request, Problem problem)
    {
        request.Origin = request.Origin with { Protocol = Protocol };
        return CreateResponses(request, out _).For(problem, request.Url.IsUpload);
    }

    /// <summary>Handles a request. Returns <see langword="null"/> if the response was already sent.</summary>
    public async ValueTask<HttpResponseData?> HandleAsync(UploadRequest request)
    {
        (HttpContext context, UploadUrl url) = (request.Context, request.Url);
        request.Origin = request.Origin with { Protocol = Protocol };
        IetfResponses responses = CreateResponses(request, out IetfVersion version);
        IetfLimits limits = services.Limits.GetIetfLimits(request);
        if (IetfParser.Parse(
            new RequestHead(context.Request.Method, context.Request.Headers, url.IsUpload, context.GetBodyLength()), version, limits, out IetfRequest parsed) is { } problem)
        {
            return responses.For(problem, url.IsUpload);
        }

        if (!services.Identities.TryGetOwner(request, UploadIdSource.Server, out string owner, out Problem? ownerProblem))
        {
            return responses.For(ownerProblem, url.IsUpload);
        }

        string id = url.Id ?? request.Ticket?.Id ?? UploadUrl.NewId();
        string location = url.GetLocation(id, context.Request);
        if (!UploadUrl.IsId(id))
        {
            return responses.ForFinalResult(new UploadResult(UploadResultKind.NotFound), location);
        }

        UploadKey key = GetKey(request, owner, id);
        request.Key = key;
        if (request.Ticket is not null)
        {
            services.Identities.SetPermit(request, Protocol, parsed.Operation == IetfOperation.Create ? Describe(parsed) : default);
        }

        (UploadResult? refusal, UploadInfo? info) = await services.TicketUse.CheckAsync(request, key, parsed.Operation == IetfOperation.Cancel);
        if (refusal is not null)
        {
            return responses.ForFinalResult(refusal, location);
        }

        if (parsed.Operation == IetfOperation.Create && info is { State: not UploadState.Receiving } or { Offset: > 0 })
        {
            // The client does not know that its first creation has succeeded. It can continue at the URL of the upload, but not send another file.
            return responses.ForCreation(
                info.State == UploadState.Receiving
                    ? new UploadResult(UploadResultKind.OffsetMismatch, info.Offset) { ProvidedOffset = 0, IsCreated = true }
                    : new UploadResult(UploadResultKind.PermitUsed),
                location);
        }

        switch (parsed.Operation)
        {
            case IetfOperation.Status when services.ProgressEvents.IsRequested(request):
                return await FollowAsync(request, key, responses, location);
            case IetfOperation.Status:
                return await QueryStatusAsync(request, key, responses, location);
            case IetfOperation.Cancel:
                return responses.ForCancellation(await services.Engine.CancelAsync(key, new CancelCondition(services.Appends.GetCreationMatcher(request)), context.RequestAborted));
        }

        if ((services.DecodedBodies.Check(request) ?? FormCheck.Check(request, parsed.ContentType)) is { } unsupported)
        {
            return responses.For(unsupported, url.IsUpload);
        }

        AppendCommand command = CreateCommand(request, key, parsed, version);
        bool isAnnounced = parsed.Operation != IetfOperation.Create || IsLargeEnough(parsed, command.BodyLength);
        InterimResponseReporter? reporter = isAnnounced ? CreateReporter(context, responses, parsed.Operation == IetfOperation.Create ? location : null) : null;
        command.Observer = reporter;
        var final = new FinalResponse(responses, location, parsed.Operation);
        HttpResponseData? response = await services.Appends.AppendAsync(request, command, final.Create);
        if (!final.IsShuttingDown || reporter is not { HasSent: true })
        {
            return response;
        }

        // Clients resume an announced upload after a lost connection, while a final response such as 503 ends the transfer, for example that of an iOS app in the
        // background.
        context.Abort();
        return null;
    }

    /// <summary>Gets the upload at a URL, or <see langword="null"/> if it was not created by a client of the draft at the endpoint of the request.</summary>
    /// <exception cref="UploadStoreException">The store failed.</exception>
    public async ValueTask<UploadInfo?> FindUploadAsync(UploadRequest request) =>
        request.Url.Id is { } id && UploadUrl.IsId(id) && services.Identities.TryGetOwner(request, UploadIdSource.Server, out string owner, out _)
            && await services.Store.FindAsync(GetKey(request, owner, id), request.Aborted) is { } info
            && (request.Ticket is null || EngineRecord.From(info).Protocol == Protocol)
            ? info
            : null;

    private UploadKey GetKey(UploadRequest request, string owner, string id) =>
        UploadIdentityResolver.GetTicketKey(request, owner) ?? UploadKeyFactory.FromIetfId(owner, services.Identities.GetScope(request), id);

    /// <summary>Returns what identifies the file of a creation for the client.</summary>
    private static byte[] Describe(IetfRequest parsed) => Encoding.UTF8.GetBytes($"{parsed.UploadLength}\0{parsed.ContentType}\0{parsed.FileName}");

    private IetfResponses CreateResponses(UploadRequest request, out IetfVersion version)
    {
        version = IetfVersion.FromRequest(request.Context.Request.Headers, out bool isAnnounced);
        return new IetfResponses(version, isAnnounced, services.Limits.GetIetfLimits(request), services.Limits.Expiration, services.Time);
    }

    private InterimResponseReporter? CreateReporter(HttpContext context, IetfResponses responses, string? location) =>
        InterimResponseReporter.TryCreate(context, responses, location, services.Options, services.Time);

    /// <summary>
    /// Returns whether an upload is announced as resumable: not if it is smaller than <c>MinUploadSize</c>, or if its size is unknown and a minimum is
    /// set (draft-ietf-httpbis-resumable-upload-12 section 4.1.4).
    /// </summary>
    private bool IsLargeEnough(IetfRequest parsed, long? bodyLength) =>
        services.Options.Ietf.MinUploadSize <= (parsed.UploadLength ?? (parsed.IsLast ? bodyLength : null) ?? 0);

    private ValueTask<HttpResponseData?> FollowAsync(UploadRequest request, UploadKey key, IetfResponses responses, string location)
    {
        HttpResponseData notFound = responses.ForFinalResult(new UploadResult(UploadResultKind.NotFound), location);
        return services.Store.QueryAsync(
            () => services.ProgressEvents.FollowAsync(request, key, services.Appends.GetCreationMatcher(request), notFound), result => responses.ForFinalResult(result, location));
    }

    private ValueTask<HttpResponseData?> QueryStatusAsync(UploadRequest request, UploadKey key, IetfResponses responses, string location) =>
        services.Store.QueryAsync(() => GetStatusAsync(request, key, responses), result => responses.ForFinalResult(result, location));

    private async ValueTask<HttpResponseData?> GetStatusAsync(UploadRequest request, UploadKey key, IetfResponses responses)
    {
        UploadInfo? info = await services.Engine.GetStatusAsync(key, isClientGeneratedKey: false, services.Appends.GetCreationMatcher(request), request.Aborted);
        HttpResponseData response = responses.ForStatus(info).WithDigest(info);
        return services.Options.AllowDownload && request.Ticket is null && HttpMethods.IsGet(request.Context.Request.Method) && info is { State: UploadState.Completed }
            && await services.Store.TryDownloadAsync(request.Context, info, response.Headers)
            ? null
            : response;
    }

    private AppendCommand CreateCommand(UploadRequest request, UploadKey key, IetfRequest parsed, IetfVersion version)
    {
        bool isCreation = parsed.Operation == IetfOperation.Create;
        HttpContext context = request.Context;
        return new AppendCommand
        {
            Key = key,
            IsServerGeneratedKey = isCreation && request.Url.Id is null,
            CreateIfMissing = isCreation ? CreateDetails(request, parsed) : null,
            Offset = parsed.Offset,
            Body = context.Request.BodyReader,
            BodyLength = context.GetBodyLength(),
            UploadLength = parsed.UploadLength,
            CompletionRule = parsed.IsLast ? CompletionRule.AtFullBody : CompletionRule.Never,
            MaxBodyLength = version.SupportsLimits && (!isCreation || version.AppliesAppendLimitsToCreation) ? services.Options.Limits.MaxAppendSize : null,
            DeleteOnLengthExceeded = version.ExcessInvalidatesUpload,

            // Only the creation describes the content, so that an append needs no header.
            ContentCoding = context.Request.Headers.ContentEncoding.Count > 0 ? ContentCoding.Get(context.Request.Headers) ?? ContentCoding.Identity : null,
            ContentDigest = BodyDigest.From(parsed.ContentDigest),
            ReprDigest = parsed.ReprDigest,
        };
    }

    private static CreateCommand CreateDetails(UploadRequest request, IetfRequest parsed) => new(
        Protocol,
        parsed.FileName,
        parsed.ContentType,
        request.Target is null
            ? null
            : CreationRequestRecorder.CaptureFromChunk(request.Context, AntiforgeryValidator.GetHeaderName(request.Context), parsed.ContentType))
    {
        ContentCoding = ContentCoding.Get(request.Context.Request.Headers),
    };

    /// <summary>The final response to a request with content.</summary>
    private sealed class FinalResponse(IetfResponses responses, string location, IetfOperation operation)
    {
        public bool IsShuttingDown { get; private set; }

        public HttpResponseData Create(UploadResult result)
        {
            IsShuttingDown = result.Kind == UploadResultKind.ShuttingDown;
            return operation == IetfOperation.Create ? responses.ForCreation(result, location) : responses.ForAppend(result, location);
        }
    }
}
