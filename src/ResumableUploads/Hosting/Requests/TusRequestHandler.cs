using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Hosting.Endpoints.Execution;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Hosting.Requests.Bodies;
using ResumableUploads.Hosting.Tickets;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.Hosting.Requests;

/// <summary>Handles requests of tus 1.0.0.</summary>
internal sealed class TusRequestHandler(UploadRequestServices services)
{
    private const string Protocol = "tus";

    /// <summary>Gets the extensions and limits that the server announces.</summary>
    public TusCapabilities GetCapabilities(EndpointTarget? target) =>
        new(services.Limits.GetMaxUploadSize(target), services.Store.CanStageAppends, services.Options.AllowDownload);

    /// <summary>Creates the response to a request that is refused before it is parsed.</summary>
    public HttpResponseData CreateResponse(UploadRequest request, Problem problem)
    {
        request.Origin = request.Origin with { Protocol = Protocol };
        return TusResponses.For(problem, GetCapabilities(request.Target), request.Url.IsUpload);
    }

    /// <summary>Handles a request. Returns <see langword="null"/> if the response was already sent.</summary>
    public async ValueTask<HttpResponseData?> HandleAsync(UploadRequest request)
    {
        (HttpContext context, UploadUrl url) = (request.Context, request.Url);
        request.Origin = request.Origin with { Protocol = Protocol };
        TusCapabilities capabilities = GetCapabilities(request.Target);
        long? bodyLength = context.GetBodyLength();

        // Like a download, it needs no Tus-Resumable, which browsers do not send here.
        bool isFollowed = services.ProgressEvents.IsRequested(request);
        if (TusParser.Parse(
            new RequestHead(request.Method, context.Request.Headers, url.IsUpload, bodyLength),
            isFollowed ? capabilities with { SupportsDownload = true } : capabilities,
            out TusRequest parsed) is { } problem)
        {
            return TusResponses.For(problem, capabilities, url.IsUpload);
        }

        if (parsed.Operation == TusOperation.Discover)
        {
            return TusResponses.ForDiscovery(capabilities, url.IsUpload);
        }

        if (!services.Identities.TryGetOwner(request, UploadIdSource.Server, out string owner, out Problem? ownerProblem))
        {
            return TusResponses.For(ownerProblem, capabilities, url.IsUpload);
        }

        if (request.Ticket is not null && parsed.Concat is not null)
        {
            return TusResponses.For(TicketProblems.Concatenation, capabilities, url.IsUpload);
        }

        string id = url.Id ?? request.Ticket?.Id ?? UploadUrl.NewId();
        if (!UploadUrl.IsId(id))
        {
            return TusResponses.For(new UploadResult(UploadResultKind.NotFound));
        }

        UploadKey key = GetKey(request, owner, id);
        request.Key = key;
        if (request.Ticket is not null)
        {
            services.Identities.SetPermit(request, Protocol, parsed.Operation == TusOperation.Create ? Describe(parsed) : default);
        }

        if (await CheckTicketAsync(request, key, parsed) is { } ticketResponse)
        {
            return ticketResponse;
        }

        switch (parsed.Operation)
        {
            case TusOperation.Status or TusOperation.Download when isFollowed:
                return await FollowAsync(request, key);
            case TusOperation.Status:
                return await QueryStatusAsync(request, key);
            case TusOperation.Download:
                return await QueryContentAsync(request, key);
            case TusOperation.Terminate:
                return TusResponses.For(await services.Engine.CancelAsync(key, new CancelCondition(services.Appends.GetCreationMatcher(request)), request.Aborted));
        }

        if ((services.DecodedBodies.Check(request) ?? FormCheck.Check(request, parsed.Metadata?.ContentType)) is { } unsupported)
        {
            return TusResponses.For(unsupported, capabilities, url.IsUpload);
        }

        var body = TusResponseBody.Select(context.Request.Headers, services.Options.Tus.SendResponseBody);
        AppendCommand command = CreateCommand(request, key, parsed, bodyLength);
        if (parsed.Operation != TusOperation.Create)
        {
            return await services.Appends.AppendAsync(request, command, GetAppendResponse(body));
        }

        ConcatenationInfo? concatenation = null;
        if (parsed.Concat is { } concat && !TryResolveParts(request, owner, concat, out concatenation))
        {
            return TusResponses.For(new UploadResult(UploadResultKind.PartNotFound));
        }

        command.CreateIfMissing = CreateDetails(request, parsed, concatenation);
        return await services.Appends.AppendAsync(request, command, GetCreationResponse(request, id, body));
    }

    /// <summary>Gets the upload at a URL, or <see langword="null"/> if it was not created by a tus client at the endpoint of the request.</summary>
    /// <exception cref="UploadStoreException">The store failed.</exception>
    public async ValueTask<UploadInfo?> FindUploadAsync(UploadRequest request) =>
        request.Url.Id is { } id && UploadUrl.IsId(id) && services.Identities.TryGetOwner(request, UploadIdSource.Server, out string owner, out _)
            && await services.Store.FindAsync(GetKey(request, owner, id), request.Aborted) is { } info
            && (request.Ticket is null || EngineRecord.From(info).Protocol == Protocol)
            ? info
            : null;

    private UploadKey GetKey(UploadRequest request, string owner, string id) =>
        UploadIdentityResolver.GetTicketKey(request, owner) ?? UploadKeyFactory.FromTusId(owner, services.Identities.GetScope(request), id);

    /// <summary>Returns what identifies the file of a creation for the client.</summary>
    private static byte[] Describe(TusRequest parsed) => Encoding.UTF8.GetBytes($"{parsed.UploadLength}\0{parsed.Metadata?.HeaderValue}");

    /// <summary>
    /// Checks a request with a ticket. A repeated creation of an unfinished upload gets the URL of the upload again, because the response to the first one may have
    /// been lost.
    /// </summary>
    /// <returns>The response, or <see langword="null"/> if the request is to be handled.</returns>
    private async ValueTask<HttpResponseData?> CheckTicketAsync(UploadRequest request, UploadKey key, TusRequest parsed)
    {
        (UploadResult? refusal, UploadInfo? info) = await services.TicketUse.CheckAsync(request, key, parsed.Operation == TusOperation.Terminate);
        bool isRepeatedCreation = parsed.Operation == TusOperation.Create && info is not null;
        return refusal is not null ? (parsed.Operation == TusOperation.Status ? TusResponses.ForFailedStatus(refusal) : TusResponses.For(refusal))
            : !isRepeatedCreation ? null
            : info is not { State: UploadState.Receiving } ? TusResponses.For(new UploadResult(UploadResultKind.PermitUsed))
            : info.Offset > 0
                ? TusResponses.ForCreation(new UploadResult(UploadResultKind.Appended, info.Offset) { Expires = info.Expires }, request.Url.GetLocation(request.Ticket!.Id, request.Context.Request))
            : null;
    }

    private ValueTask<HttpResponseData?> FollowAsync(UploadRequest request, UploadKey key)
    {
        request.Context.Response.Headers[TusHeaders.Resumable] = TusHeaders.ProtocolVersion;
        HttpResponseData notFound = TusResponses.For(new UploadResult(UploadResultKind.NotFound));
        return services.Store.QueryAsync(
            () => services.ProgressEvents.FollowAsync(request, key, services.Appends.GetCreationMatcher(request), notFound), static result => TusResponses.For(result));
    }

    private ValueTask<HttpResponseData?> QueryStatusAsync(UploadRequest request, UploadKey key) =>
        services.Store.QueryAsync(() => GetStatusAsync(request, key), TusResponses.ForFailedStatus);

    private ValueTask<HttpResponseData?> QueryContentAsync(UploadRequest request, UploadKey key) =>
        services.Store.QueryAsync(() => DownloadAsync(request, key), static result => TusResponses.For(result));

    private static Func<UploadResult, HttpResponseData> GetCreationResponse(UploadRequest request, string id, TusResponseBody body) =>
        result => TusResponses.ForCreation(result, request.Url.GetLocation(id, request.Context.Request), body);

    private static Func<UploadResult, HttpResponseData> GetAppendResponse(TusResponseBody body) => result => TusResponses.For(result, body);

    private async ValueTask<HttpResponseData?> GetStatusAsync(UploadRequest request, UploadKey key)
    {
        UploadInfo? info = await services.Engine.GetStatusAsync(key, isClientGeneratedKey: false, services.Appends.GetCreationMatcher(request), request.Aborted);
        if (info is { State: not UploadState.Completed } && await services.Appends.TryCompleteAsync(request, info) is { } result)
        {
            // A client that sees the full offset sends no more requests, so it gets that offset only after the handler has succeeded.
            info = await services.Engine.GetStatusAsync(key, isClientGeneratedKey: false, services.Appends.GetCreationMatcher(request), request.Aborted);
            if (info is { State: not UploadState.Completed })
            {
                return TusResponses.ForFailedStatus(result);
            }
        }

        HttpResponseData response = TusResponses.ForStatus(info).WithDigest(info);
        return services.Options.AllowDownload && request.Ticket is null && HttpMethods.IsGet(request.Context.Request.Method) && info is { State: UploadState.Completed }
            && await services.Store.TryDownloadAsync(request.Context, info, response.Headers)
            ? null
            : response;
    }

    private async ValueTask<HttpResponseData?> DownloadAsync(UploadRequest request, UploadKey key) =>
        request.Ticket is null
        && await services.Engine.GetCompletedAsync(key, services.Appends.GetCreationMatcher(request), request.Aborted) is { } info
        && await services.Store.TryDownloadAsync(request.Context, info, TusResponses.GetDownloadHeaders(TusResponses.ForStatus(info).WithDigest(info)))
            ? null
            : TusResponses.For(new UploadResult(UploadResultKind.NotFound));

    /// <summary>Gets the role of a new upload in a concatenation. Returns false if a part does not exist.</summary>
    private bool TryResolveParts(UploadRequest request, string owner, TusConcat concat, [NotNullWhen(true)] out ConcatenationInfo? concatenation)
    {
        concatenation = null;
        List<string>? parts = concat.PartUrls is null ? null : [];
        foreach (string url in concat.PartUrls ?? [])
        {
            if (ResolvePartId(request, owner, url) is not { } part)
            {
                return false;
            }

            parts!.Add(part);
        }

        concatenation = new ConcatenationInfo(concat.HeaderValue, parts);
        return true;
    }

    /// <summary>
    /// Returns the id in the store of a part that a client names by its URL, or null if the URL is not that of an upload at the same endpoint. The URL is
    /// never fetched: only its id is used, for the same owner and the same scope.
    /// </summary>
    private string? ResolvePartId(UploadRequest request, string owner, string partUrl) =>
        request.Url.FindId(partUrl, request.Context.Request) is { } id
            ? UploadKeyFactory.FromTusId(owner, services.Identities.GetScope(request), id).Id
            : null;

    private AppendCommand CreateCommand(UploadRequest request, UploadKey key, TusRequest parsed, long? bodyLength) => new()
    {
        Key = key,
        IsServerGeneratedKey = parsed.Operation == TusOperation.Create && request.Url.Id is null,
        Offset = parsed.Offset,
        Body = parsed.HasContent ? request.Context.Request.BodyReader : PipeReader.Create(ReadOnlySequence<byte>.Empty),
        BodyLength = parsed.HasContent ? bodyLength : 0,
        UploadLength = parsed.UploadLength,
        MaxBodyLength = services.Options.Limits.MaxAppendSize,
        CompletionRule = CompletionRule.AtLength,
        ContentDigest = parsed.HasChecksumTrailer ? CreateTrailerDigest(request.Context.Request) : BodyDigest.From(parsed.Checksum),
        ReprDigest = parsed.ReprDigest,
    };

    private static BodyDigest CreateTrailerDigest(HttpRequest request) => new(null, () => ReadTrailerDigest(request));

    private static CreateCommand CreateDetails(UploadRequest request, TusRequest parsed, ConcatenationInfo? concatenation) => new(
        Protocol,
        parsed.Metadata?.FileName,
        parsed.Metadata?.ContentType,
        request.Target is null
            ? null
            : CreationRequestRecorder.CaptureFromChunk(request.Context, AntiforgeryValidator.GetHeaderName(request.Context), parsed.Metadata?.ContentType),
        parsed.Metadata?.HeaderValue)
    {
        // A status request of tus has no other meaning for an upload with all its bytes.
        CompletesAtLength = true,
        Concatenation = concatenation,
    };

    /// <summary>Reads the digest from the trailer after the body has ended. Returns <see langword="null"/> if the announced trailer is missing.</summary>
    private static Digest? ReadTrailerDigest(HttpRequest request) =>
        request.CheckTrailersAvailable() && request.GetTrailer(TusHeaders.Checksum) is { Count: 1 } values
            ? TusChecksum.TryParse(values.ToString())
            : null;
}
