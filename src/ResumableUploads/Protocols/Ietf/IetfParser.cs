using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Protocols.StructuredFields;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.Protocols.Ietf;

/// <summary>
/// Parses requests of <see href="https://datatracker.ietf.org/doc/draft-ietf-httpbis-resumable-upload/">draft-ietf-httpbis-resumable-upload</see>.
/// Our decisions are in docs/protocols/ietf.md.
/// </summary>
internal static class IetfParser
{
    private const int MaxContentTypeLength = 256;
    private const int MaxFileNameLength = 1024;

    /// <summary>Parses a request.</summary>
    /// <param name="head">The method, the headers, the type of the URL and the content length of the request.</param>
    /// <param name="version">The interop version of the request.</param>
    /// <param name="limits">The limits of the server.</param>
    /// <param name="request">The parsed request.</param>
    /// <returns>Null, or the problem that makes the request invalid.</returns>
    public static Problem? Parse(RequestHead head, IetfVersion version, IetfLimits limits, out IetfRequest request)
    {
        request = default!;
        if (Array.Find(ConflictingHeaders.ForIetf, head.Headers.ContainsKey) is { } other)
        {
            return BadRequest("two-protocols", $"{other} and the headers of the IETF draft belong to different protocols. Send the headers of one protocol.");
        }

        string method = head.Method;
        return head.IsUpload switch
        {
            false when IsCreationMethod(method) => ParseWithContent(head, IetfOperation.Create, version, limits, out request),
            true when HttpMethods.IsPatch(method) => ParseWithContent(head, IetfOperation.Append, version, limits, out request),
            true when HttpMethods.IsHead(method) || (HttpMethods.IsGet(method) && version.SupportsGet) =>
                ParseWithoutContent(head.Headers, IetfOperation.Status, version, out request),
            true when HttpMethods.IsDelete(method) => ParseWithoutContent(head.Headers, IetfOperation.Cancel, version, out request),
            _ => new Problem(405, Problem.CustomType("method-not-allowed"), "Method not allowed", $"Use one of: {GetAllowHeader(head.IsUpload, version)}."),
        };
    }

    /// <summary>Returns whether a method can create an upload (draft -12, section 4.2: any method with content).</summary>
    public static bool IsCreationMethod(string method) => HttpMethods.IsPost(method) || HttpMethods.IsPut(method) || HttpMethods.IsPatch(method);

    public static string GetAllowHeader(bool isUpload, IetfVersion version) =>
        !isUpload ? "POST, PUT, PATCH, OPTIONS" : version.SupportsGet ? "GET, HEAD, PATCH, DELETE, OPTIONS" : "HEAD, PATCH, DELETE, OPTIONS";

    private static Problem? ParseWithoutContent(IHeaderDictionary headers, IetfOperation operation, IetfVersion version, out IetfRequest request)
    {
        request = new IetfRequest(operation);
        string[] appendHeaders = [IetfHeaders.Offset, version.CompletenessHeader, IetfHeaders.Length];
        return version.RejectsAppendHeaders && Array.Find(appendHeaders, headers.ContainsKey) is { } name
            ? BadRequest("header", $"{name} is only valid in an append. Send the request without it.")
            : null;
    }

    private static Problem? ParseWithContent(RequestHead head, IetfOperation operation, IetfVersion version, IetfLimits limits, out IetfRequest request)
    {
        request = default!;
        IHeaderDictionary headers = head.Headers;
        bool isAppend = operation == IetfOperation.Append;
        if (isAppend && version.RequiresPartialUploadType && !IetfHeaders.IsPartialUploadContentType(headers.ContentType))
        {
            return new Problem(415, Problem.CustomType("content-type"), "Unsupported content type", $"Send the content as {IetfHeaders.PartialUploadContentType}.");
        }

        bool? completeness = version.GetCompleteness(headers);
        if (completeness is null && (!isAppend || version.RequiresCompleteness))
        {
            return BadRequest("upload-complete", $"{version.CompletenessHeader} is missing or invalid. Send it once, as ?0 or ?1.");
        }

        long offset = 0;
        if (isAppend && (!SfItem.TryParseInteger(headers[IetfHeaders.Offset], out offset) || offset < 0))
        {
            return BadRequest("upload-offset", "Upload-Offset is missing or invalid. Send it once, as an integer from 0 to 999999999999999.");
        }

        bool isLast = completeness ?? true;
        long? length = SfItem.TryParseInteger(headers[IetfHeaders.Length], out long stated) && stated >= 0 ? stated : null;
        if (!isLast && version.SupportsLimits && CheckMinimumSizes(isAppend, length, head.ContentLength, version, limits) is { } tooSmall)
        {
            return tooSmall;
        }

        if (!DigestHeaders.TryParse(headers[DigestHeaders.ContentDigest], out Digest? contentDigest)
            || !DigestHeaders.TryParse(headers[DigestHeaders.ReprDigest], out Digest? reprDigest))
        {
            return BadRequest("digest", DigestHeaders.MalformedDetail);
        }

        request = new IetfRequest(operation)
        {
            IsLast = isLast,
            Offset = offset,
            UploadLength = length,
            ContentDigest = contentDigest,
            ReprDigest = reprDigest,
        };
        return isAppend ? null : ReadContentDescription(headers, ref request);
    }

    private static Problem? CheckMinimumSizes(bool isAppend, long? length, long? contentLength, IetfVersion version, IetfLimits limits)
    {
        // An empty creation only creates the upload, so it has no content to which the limit applies.
        bool hasMinAppendSize = isAppend || (version.AppliesAppendLimitsToCreation && contentLength != 0);
        if (hasMinAppendSize && contentLength < limits.MinAppendSize)
        {
            return new Problem(400, Problem.CustomType("append-too-small"), "The request content is too small",
                "Send at least min-append-size bytes in every request except the last.") { IsLimitExceeded = true };
        }

        return !isAppend && length < limits.MinSize
            ? new Problem(400, Problem.CustomType("too-small"), "The upload is too small to be resumable",
                "Send the whole content in one request with ?1. The minimum size of a resumable upload is min-size.") { IsLimitExceeded = true }
            : null;
    }

    /// <summary>
    /// Reads the file name and the content type from the content headers, otherwise from <c>Upload-Metadata</c>: tus clients that use the draft
    /// cannot set content headers. See docs/protocols/ietf.md#upload-creation.
    /// </summary>
    private static Problem? ReadContentDescription(IHeaderDictionary headers, ref IetfRequest request)
    {
        string type = headers.ContentType.ToString();
        if (type.Length > MaxContentTypeLength)
        {
            return BadRequest("content-type", "Content-Type is too long. Send at most 256 characters.");
        }

        string? name = ContentDispositionHeaderValue.TryParse(headers.ContentDisposition.ToString(), out ContentDispositionHeaderValue? disposition)
            ? HeaderUtilities.RemoveQuotes(disposition.FileNameStar.HasValue ? disposition.FileNameStar : disposition.FileName).ToString()
            : null;
        if (name?.Length > MaxFileNameLength)
        {
            return BadRequest("content-disposition", "The file name in Content-Disposition is too long. Send at most 1,024 characters.");
        }

        TusMetadata? metadata = headers.TryGetValue(TusHeaders.Metadata, out var raw) && raw.Count == 1 ? TusMetadata.TryParse(raw.ToString()) : null;
        bool hasContentType = type.Length > 0 && !IetfHeaders.IsPartialUploadContentType(type);
        request = request with
        {
            FileName = string.IsNullOrEmpty(name) ? metadata?.FileName : name,
            ContentType = hasContentType ? type : metadata?.ContentType,
        };
        return null;
    }

    private static Problem BadRequest(string name, string detail) => new(400, Problem.CustomType("bad-" + name), "Invalid request header", detail);
}
