using Microsoft.AspNetCore.Http;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Protocols.FileId;
using ResumableUploads.Protocols.StructuredFields;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.Protocols.Ietf;

/// <summary>
/// Parses requests of <see href="https://datatracker.ietf.org/doc/draft-ietf-httpbis-resumable-upload/">draft-ietf-httpbis-resumable-upload</see>.
/// Where the draft leaves a choice, see docs/protocols/ietf.md.
/// </summary>
internal static class IetfParser
{
    /// <summary>The maximum length of a content type, in characters.</summary>
    private const int MaxContentTypeLength = 256;

    /// <summary>The maximum length of a file name, in characters.</summary>
    private const int MaxFileNameLength = 1024;

    /// <summary>Parses a request.</summary>
    /// <param name="head">The method, headers and content length of the request, and whether its URL identifies an upload.</param>
    /// <param name="version">The version of the draft that applies to the request.</param>
    /// <param name="limits">The limits of the server.</param>
    /// <param name="request">The parsed request. Valid only if this method returns null.</param>
    /// <returns>The problem that makes the request invalid, or null if the request is valid.</returns>
    public static Problem? Parse(RequestHead head, IetfVersion version, IetfLimits limits, out IetfRequest request)
    {
        request = default!;
        if (head.Headers.ContainsKey(FileIdHeaders.FileId))
        {
            return CommonProblems.CreateProtocolConflict(FileIdHeaders.FileId, "the URL of an upload");
        }

        // Caches convert HEAD to GET, so GET is accepted also in the versions of the draft that do not define it.
        string method = head.Method;
        return head.IsUpload switch
        {
            false when IsCreationMethod(method) => ContentRange.Reject(head.Headers) ?? ParseWithContent(head, IetfOperation.Create, version, limits, out request),
            true when HttpMethods.IsPatch(method) => ContentRange.Reject(head.Headers) ?? ParseWithContent(head, IetfOperation.Append, version, limits, out request),
            true when HttpMethods.IsHead(method) || HttpMethods.IsGet(method) => ParseWithoutContent(head.Headers, IetfOperation.Status, version, out request),
            true when HttpMethods.IsDelete(method) => ParseWithoutContent(head.Headers, IetfOperation.Cancel, version, out request),
            _ => new Problem(405, Problem.CustomType("method-not-allowed"), "Method not allowed", $"Use one of: {GetAllowHeader(head.IsUpload)}."),
        };
    }

    /// <summary>
    /// Returns whether the server accepts a method for upload creation: POST, PUT or PATCH. The draft allows any method with content
    /// (<see href="https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-resumable-upload-12#section-4.2">draft -12, section 4.2</see>).
    /// </summary>
    public static bool IsCreationMethod(string method) => HttpMethods.IsPost(method) || HttpMethods.IsPut(method) || HttpMethods.IsPatch(method);

    public static string GetAllowHeader(bool isUpload) => isUpload ? "GET, HEAD, PATCH, DELETE, OPTIONS" : "POST, PUT, PATCH, OPTIONS";

    private static Problem? ParseWithoutContent(IHeaderDictionary headers, IetfOperation operation, IetfVersion version, out IetfRequest request)
    {
        request = new IetfRequest(operation);
        string[] contentHeaders = [IetfHeaders.Offset, version.CompletenessHeader, IetfHeaders.Length];
        return version.RejectsContentHeaders && Array.Find(contentHeaders, headers.ContainsKey) is { } name
            ? new Problem(400, Problem.CustomType("bad-header"), "Unexpected request header",
                $"{name} is only valid in a request that creates or appends to an upload. Send the request without it.")
            : null;
    }

    private static Problem? ParseWithContent(RequestHead head, IetfOperation operation, IetfVersion version, IetfLimits limits, out IetfRequest request)
    {
        request = default!;
        IHeaderDictionary headers = head.Headers;
        bool isAppend = operation == IetfOperation.Append;
        if (isAppend && version.RequiresPartialUploadType && !IetfHeaders.IsPartialUploadContentType(headers.ContentType))
        {
            return new Problem(415, Problem.CustomType("content-type"), "Unsupported content type", $"Set Content-Type to {IetfHeaders.PartialUploadContentType}.");
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

        // Versions that do not require the header in an append treat an append without it as the last one.
        bool isLast = completeness ?? true;

        // An invalid structured field is handled as if it were absent.
        long? length = SfItem.TryParseInteger(headers[IetfHeaders.Length], out long value) && value >= 0 ? value : null;
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
        // A creation without content does not append, so min-append-size does not apply.
        bool isMinAppendSizeApplicable = isAppend || (version.AppliesAppendLimitsToCreation && contentLength != 0);
        if (isMinAppendSizeApplicable && contentLength < limits.MinAppendSize)
        {
            return new Problem(400, Problem.CustomType("append-too-small"), "The request content is too small",
                "Send at least the number of bytes in the min-append-size limit of the Upload-Limit header in every request except the last.") { IsLimitExceeded = true };
        }

        return !isAppend && length < limits.MinSize
            ? new Problem(400, Problem.CustomType("too-small"), "The upload is too small to be resumable",
                "Mark the request as complete and send the whole content in it. The minimum size of a resumable upload, in bytes, is the min-size limit of the Upload-Limit header.") { IsLimitExceeded = true }
            : null;
    }

    /// <summary>
    /// Reads the content type and the file name from <c>Content-Type</c> and <c>Content-Disposition</c>. A missing value is read from
    /// <c>Upload-Metadata</c>, because tus clients that use the draft cannot set content headers. See docs/protocols/ietf.md#upload-creation.
    /// </summary>
    private static Problem? ReadContentDescription(IHeaderDictionary headers, ref IetfRequest request)
    {
        string type = headers.ContentType.ToString();
        if (type.Length > MaxContentTypeLength || !HeaderText.IsValid(type))
        {
            return BadRequest("content-type", "Content-Type is invalid. Send at most 256 printable ASCII characters.");
        }

        string? name = ContentDispositionFileName.Get(headers.ContentDisposition.ToString());
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

    private static Problem BadRequest(string typeSuffix, string detail) => new(400, Problem.CustomType("bad-" + typeSuffix), "Invalid request header", detail);
}
