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

/// <summary>Handles requests of tus 1.0.0.</summary>
internal sealed class TusRequestHandler(UploadRequestServices services)
{
    private const string Protocol = "tus";

    /// <summary>Gets the extensions and limits that the server announces.</summary>
    public TusCapabilities GetCapabilities(EndpointTarget? target) =>
        new(services.Limits.GetMaxUploadSize(target), services.Store.CanStageAppends, services.Options.AllowDownload);

    /// <summary>Handles a request. Returns <see langword="null"/> if the response was already sent.</summary>
    public async ValueTask<HttpResponseData?> HandleAsync(UploadRequest request)
    {
        (HttpContext context, UploadUrl url) = (request.Context, request.Url);
        TusCapabilities capabilities = GetCapabilities(request.Target);
        long? bodyLength = context.GetBodyLength();
        if (TusParser.Parse(
            new RequestHead(request.Method, context.Request.Headers, url.IsUpload, bodyLength), capabilities, out TusRequest parsed) is { } problem)
        {
            return TusResponses.For(problem, capabilities, url.IsUpload);
        }

        if (parsed.Operation == TusOperation.Discover)
        {
            return TusResponses.ForDiscovery(capabilities, url.IsUpload);
        }

        if (!services.Identities.TryGetOwner(context, UploadIdSource.Server, out string owner, out Problem? ownerProblem))
        {
            return TusResponses.For(ownerProblem, capabilities, url.IsUpload);
        }

        string id = url.Id ?? UploadUrl.NewId();
        if (!UploadUrl.IsId(id))
        {
            return TusResponses.For(new UploadResult(UploadResultKind.NotFound));
        }

        UploadKey key = UploadKeyFactory.FromTusId(owner, services.Identities.GetScope(request), id);
        switch (parsed.Operation)
        {
            case TusOperation.Status:
                return await services.Store.QueryAsync(() => GetStatusAsync(request, key), TusResponses.For);
            case TusOperation.Download:
                return await services.Store.QueryAsync(() => DownloadAsync(request, key), TusResponses.For);
            case TusOperation.Terminate:
                return TusResponses.For(await services.Engine.CancelAsync(key, services.Appends.GetCreationMatcher(request), request.Aborted));
        }

        if (services.DecodedBodies.Check(request) is { } decoded)
        {
            return TusResponses.For(decoded, capabilities, url.IsUpload);
        }

        AppendCommand command = CreateCommand(context, key, parsed, bodyLength);
        return parsed.Operation == TusOperation.Create
            ? await CreateAsync(request, parsed, command, id)
            : await services.Appends.AppendAsync(request, command, TusResponses.For);
    }

    /// <summary>Gets the upload at a URL, or <see langword="null"/> if it was not created by a tus client at the endpoint of the request.</summary>
    /// <exception cref="UploadStoreException">The store failed.</exception>
    public async ValueTask<UploadInfo?> FindUploadAsync(UploadRequest request) =>
        request.Url.Id is { } id && UploadUrl.IsId(id) && services.Identities.TryGetOwner(request.Context, UploadIdSource.Server, out string owner, out _)
            ? await services.Store.FindAsync(UploadKeyFactory.FromTusId(owner, services.Identities.GetScope(request), id), request.Aborted)
            : null;

    private async ValueTask<HttpResponseData?> GetStatusAsync(UploadRequest request, UploadKey key)
    {
        UploadInfo? info = await services.Engine.GetStatusAsync(key, isClientGeneratedKey: false, services.Appends.GetCreationMatcher(request), request.Aborted);
        if (info is { State: not UploadState.Completed } && await services.Appends.TryCompleteAsync(request, info) is { } result)
        {
            // A client that sees the full offset sends no more requests, so it gets that offset only after the handler has succeeded.
            info = await services.Engine.GetStatusAsync(key, isClientGeneratedKey: false, services.Appends.GetCreationMatcher(request), request.Aborted);
            if (info is { State: not UploadState.Completed })
            {
                return TusResponses.ForIncompleteStatus(result);
            }
        }

        return TusResponses.ForStatus(info).WithDigest(info);
    }

    private async ValueTask<HttpResponseData?> DownloadAsync(UploadRequest request, UploadKey key) =>
        await services.Store.TryDownloadAsync(request.Context, key, services.Appends.GetCreationMatcher(request), TusResponses.DownloadHeaders)
            ? null
            : TusResponses.For(new UploadResult(UploadResultKind.NotFound));

    private ValueTask<HttpResponseData?> CreateAsync(UploadRequest request, TusRequest parsed, AppendCommand command, string id)
    {
        ConcatenationInfo? concatenation = null;
        if (parsed.Concat is { } concat)
        {
            List<string>? parts = concat.PartUrls?.Select(part => ResolvePartId(request, command.Key.Owner, part)).ToList();
            if (parts?.Contains("") is true)
            {
                return new ValueTask<HttpResponseData?>(TusResponses.For(new UploadResult(UploadResultKind.PartNotFound)));
            }

            concatenation = new ConcatenationInfo(concat.HeaderValue, parts);
        }

        return services.Appends.AppendAsync(
            request,
            command with { CreateIfMissing = CreateDetails(request, parsed) with { Concatenation = concatenation }, IsServerGeneratedKey = request.Url.Id is null },
            result => TusResponses.ForCreation(result, request.Url.GetLocation(id, request.Context.Request)));
    }

    /// <summary>
    /// Returns the id in the store of a part that a client names by its URL, or an empty string if the URL does not name an upload. The URL is never
    /// fetched: only its id is used, for the same owner and the same scope.
    /// </summary>
    private string ResolvePartId(UploadRequest request, string owner, string partUrl) =>
        UploadUrl.ParseId(partUrl, request.Url.IsQueryParameter) is { } id
            ? UploadKeyFactory.FromTusId(owner, services.Identities.GetScope(request), id).Id
            : "";

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

    private static CreateCommand CreateDetails(UploadRequest request, TusRequest parsed) => new(
        Protocol,
        parsed.Metadata?.FileName,
        parsed.Metadata?.ContentType,
        request.Target is null
            ? null
            : CreationRequestRecorder.CaptureFromChunk(request.Context, AntiforgeryValidator.GetHeaderName(request.Context), parsed.Metadata?.ContentType),
        parsed.Metadata?.HeaderValue);

    /// <summary>Reads the digest from the trailer after the body has ended. Returns <see langword="null"/> if the announced trailer is missing.</summary>
    private static Digest? ReadTrailerDigest(HttpRequest request) =>
        request.CheckTrailersAvailable() && request.GetTrailer(TusHeaders.Checksum) is { Count: 1 } values
            ? TusChecksum.TryParse(values.ToString())
            : null;
}
