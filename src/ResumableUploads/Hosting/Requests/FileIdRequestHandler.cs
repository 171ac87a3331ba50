using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Primitives;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Hosting.Endpoints.Execution;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Hosting.Requests.Bodies;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.FileId;

namespace ResumableUploads.Hosting.Requests;

/// <summary>Handles requests of the file-id protocol.</summary>
internal sealed class FileIdRequestHandler(UploadRequestServices services)
{
    private const string Protocol = "file-id";

    /// <summary>Handles a request. Returns <see langword="null"/> if the response was already sent.</summary>
    public async ValueTask<HttpResponseData?> HandleAsync(UploadRequest request)
    {
        HttpContext context = request.Context;
        request.Origin = request.Origin with { Protocol = Protocol };
        if (Parse(request, out FileIdRequest parsed) is { } problem)
        {
            return problem.Status == StatusCodes.Status405MethodNotAllowed
                ? problem.ToResponse(new KeyValuePair<string, string>("Allow", FileIdParser.GetAllowHeader(request.IsOnStatusPath)))
                : problem.ToResponse();
        }

        if (!services.Identities.TryGetOwner(request, UploadIdSource.Client, out string owner, out Problem? ownerProblem))
        {
            return ownerProblem.ToResponse();
        }

        UploadKey key = GetKey(request, owner, parsed);
        request.Key = key;
        services.Identities.SetPermit(request, Protocol, parsed.FileId.Span);
        if ((await services.TicketUse.CheckAsync(request, key, parsed.Operation == FileIdOperation.Cancel)).Refusal is { } refusal)
        {
            return FileIdResponses.For(refusal);
        }

        return parsed.Operation switch
        {
            FileIdOperation.Status when services.ProgressEvents.IsRequested(request) => await FollowAsync(request, key),
            FileIdOperation.Status => await GetStatusAsync(request, key),
            FileIdOperation.Cancel => FileIdResponses.For(await services.Engine.CancelAsync(key, new CancelCondition(services.Appends.GetCreationMatcher(request)), context.RequestAborted)),
            _ => (services.DecodedBodies.Check(request) ?? FormCheck.Check(request, parsed.ContentType)) is { } unsupported
                ? unsupported.ToResponse()
                : await services.Appends.AppendAsync(request, CreateCommand(request, key, parsed), GetAppendResponse(parsed.RangeLength)),
        };
    }

    /// <summary>
    /// Gets the upload that a request is about, or <see langword="null"/> if its endpoint has none. The key of the upload of a ticket is the same at all endpoints,
    /// so its record shows where it was created.
    /// </summary>
    /// <exception cref="UploadStoreException">The store failed.</exception>
    public async ValueTask<UploadInfo?> FindUploadAsync(UploadRequest request)
    {
        if (Parse(request, out FileIdRequest parsed) is not null || !services.Identities.TryGetOwner(request, UploadIdSource.Client, out string owner, out _))
        {
            return null;
        }

        services.Identities.SetPermit(request, Protocol, parsed.FileId.Span);
        return await services.Store.FindAsync(GetKey(request, owner, parsed), request.Aborted) is { } info
            && request.Permit?.Allows(EngineRecord.From(info)) is not false
            ? info
            : null;
    }

    private UploadKey GetKey(UploadRequest request, string owner, FileIdRequest parsed) =>
        UploadIdentityResolver.GetTicketKey(request, owner) ?? UploadKeyFactory.FromFileId(owner, services.Identities.GetScope(request), parsed.FileId.Span);

    private Problem? Parse(UploadRequest request, out FileIdRequest parsed)
    {
        if (!request.Context.Request.Headers.ContainsKey(FileIdHeaders.FileId) && services.ProgressEvents.TryGetFileIdInQuery(request, out StringValues id))
        {
            return FileIdParser.Parse(
                request.Context.Request.Method, new HeaderDictionary { [FileIdHeaders.FileId] = id }, isStatusPath: false, isLatin1: false, out parsed);
        }

        // Only Kestrel has this feature. It reads the headers with names byte by byte, as HeaderEncodingSelector configures it.
        bool isLatin1 = request.Context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is not null;
        return FileIdParser.Parse(request.Context.Request.Method, request.Context.Request.Headers, request.IsOnStatusPath, isLatin1, out parsed);
    }

    private ValueTask<HttpResponseData?> FollowAsync(UploadRequest request, UploadKey key) => services.Store.QueryAsync(
        () => services.ProgressEvents.FollowAsync(request, key, services.Appends.GetCreationMatcher(request), FileIdResponses.UploadNotFound), FileIdResponses.For);

    private static Func<UploadResult, HttpResponseData> GetAppendResponse(long? rangeLength) =>
        rangeLength is { } length ? BindRange(length) : static result => FileIdResponses.For(result);

    private static Func<UploadResult, HttpResponseData> BindRange(long length) => result => FileIdResponses.For(result, length);

    private ValueTask<HttpResponseData?> GetStatusAsync(UploadRequest request, UploadKey key) => services.Store.QueryAsync(
        async () =>
        {
            UploadInfo? info = await services.Engine.GetStatusAsync(key, isClientGeneratedKey: request.Ticket is null, services.Appends.GetCreationMatcher(request), request.Aborted);
            // Reports the upload of the shared owner also if the browser gets an owner of its own, because it may not keep the cookie.
            if (request.Ticket is null)
            {
                services.Identities.SetOwnerCookieIfMissing(request.Context, key.Owner);
            }

            return FileIdResponses.ForStatus(info).WithDigest(info);
        },
        FileIdResponses.For);

    private AppendCommand CreateCommand(UploadRequest request, UploadKey key, FileIdRequest parsed)
    {
        HttpContext context = request.Context;
        string? coding = ContentCoding.Get(context.Request.Headers);
        return new AppendCommand
        {
            Key = key,
            Offset = parsed.StartByte,
            Body = context.Request.BodyReader,
            BodyLength = context.GetBodyLength(),
            UploadLength = parsed.FileSize,
            MaxBodyLength = parsed.RangeLength <= services.Options.Limits.MaxAppendSize ? parsed.RangeLength : services.Options.Limits.MaxAppendSize ?? parsed.RangeLength,
            CompletionRule = services.Options.FileId.CompleteOnFullBody && parsed.RangeLength is null ? CompletionRule.AtLengthOrFullBody : CompletionRule.AtLength,
            CreateIfMissing = new CreateCommand(
                Protocol,
                parsed.FileName,
                parsed.ContentType,
                request.Target is not null && parsed.StartByte == 0 ? CreationRequestRecorder.Capture(context, AntiforgeryValidator.GetHeaderName(context)) : null)
            {
                ContentCoding = coding,
            },
            ContentCoding = coding ?? ContentCoding.Identity,
            RestartAtOffsetZero = services.Options.FileId.RestartOnZero,
            ContentDigest = BodyDigest.From(parsed.ContentDigest),
            ReprDigest = parsed.ReprDigest,
            VerifyReprDigestBeforeCommit = true,
        };
    }
}
