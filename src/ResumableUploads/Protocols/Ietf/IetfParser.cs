using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Protocols.StructuredFields;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.Protocols.Ietf;

/// <summary>Reads requests of the draft. Pure.</summary>
internal static class IetfParser
{
    private const int MaxContentTypeLength = 256;
    private const int MaxFileNameLength = 1024;

    /// <summary>Reads a request.</summary>
    /// <param name="method">The method.</param>
    /// <param name="headers">The headers.</param>
    /// <param name="isUpload">Whether it was sent to an upload's own URL, and not to one where uploads are made.</param>
    /// <param name="bodyLength">How many bytes the body has, or null when its end will tell.</param>
    /// <param name="version">The version that it speaks.</param>
    /// <param name="limits">The server's limits.</param>
    /// <param name="request">What it asks for.</param>
    /// <returns>Null, or what is wrong with it.</returns>
    public static Problem? Parse(
        string method, IHeaderDictionary headers, bool isUpload, long? bodyLength, IetfVersion version, IetfLimits limits, out IetfRequest request)
    {
        request = default!;
        if (Array.Find(ConflictingHeaders.ForIetf, headers.ContainsKey) is { } other)
        {
            return BadRequest("two-protocols", $"{other} and the headers of the IETF draft belong to two protocols. Send the headers of one.");
        }

        return (isUpload, method) switch
        {
            (false, _) when IsCreationMethod(method) => ParseWithContent(headers, IetfOperation.Create, bodyLength, version, limits, out request),
            (true, _) when HttpMethods.IsPatch(method) => ParseWithContent(headers, IetfOperation.Append, bodyLength, version, limits, out request),
            (true, _) when HttpMethods.IsHead(method) || (HttpMethods.IsGet(method) && version.SupportsGet) =>
                ParseWithoutContent(headers, IetfOperation.Status, version, out request),
            (true, _) when HttpMethods.IsDelete(method) => ParseWithoutContent(headers, IetfOperation.Cancel, version, out request),
            _ => new Problem(405, Problem.CustomType("method-not-allowed"), "Method not allowed", $"Use one of: {GetAllowHeader(isUpload, version)}."),
        };
    }

    /// <summary>Methods that make uploads: those that carry content .</summary>
    public static bool IsCreationMethod(string method) => HttpMethods.IsPost(method) || HttpMethods.IsPut(method) || HttpMethods.IsPatch(method);

    public static string GetAllowHeader(bool isUpload, IetfVersion version) =>
        !isUpload ? "POST, PUT, PATCH, OPTIONS" : version.SupportsGet ? "GET, HEAD, PATCH, DELETE, OPTIONS" : "HEAD, PATCH, DELETE, OPTIONS";

    private static Problem? ParseWithoutContent(IHeaderDictionary headers, IetfOperation operation, IetfVersion version, out IetfRequest request)
    {
        request = new IetfRequest(operation);
        string[] foreign = [IetfHeaders.Offset, version.CompletenessHeader, IetfHeaders.Length];
        return version.RejectsAppendHeaders && Array.Find(foreign, headers.ContainsKey) is { } name
            ? BadRequest("header", $"{name} belongs to an append. Send the request without it.")
            : null;
    }

    private static Problem? ParseWithContent(
        IHeaderDictionary headers, IetfOperation operation, long? bodyLength, IetfVersion version, IetfLimits limits, out IetfRequest request)
    {
        request = default!;
        bool isAppend = operation == IetfOperation.Append;
        if (isAppend && version.RequiresPartialUploadType && !ConflictingHeaders.IsPartialUploadContentType(headers.ContentType))
        {
            return new Problem(415, Problem.CustomType("content-type"), "Not a part of an upload", $"Send the bytes as {IetfHeaders.PartialUploadContentType}.");
        }

        bool? completeness = version.GetCompleteness(headers);
        if (completeness is null && (!isAppend || version.RequiresCompleteness))
        {
            return BadRequest("upload-complete", $"{version.CompletenessHeader} is missing, there more than once, or neither ?0 nor ?1.");
        }

        long offset = 0;
        if (isAppend && (!SfItem.TryParseInteger(headers[IetfHeaders.Offset], out offset) || offset < 0))
        {
            return BadRequest("upload-offset", "Upload-Offset is missing, there more than once, or not an integer from 0 to 999999999999999.");
        }

        bool isLast = completeness ?? true;
        long? length = SfItem.TryParseInteger(headers[IetfHeaders.Length], out long stated) && stated >= 0 ? stated : null;
        if (!isLast && (isAppend || bodyLength != 0) && (isAppend || version.AppliesAppendLimitsToCreation) && version.SupportsLimits && bodyLength < limits.MinAppendSize)
        {
            return new Problem(400, Problem.CustomType("append-too-small"), "Too few bytes",
                "A request that is not the last one has at least min-append-size bytes here.") { IsLimitExceeded = true };
        }

        if (!isAppend && !isLast && version.SupportsLimits && length < limits.MinSize)
        {
            return new Problem(400, Problem.CustomType("too-small"), "Too small to be resumed",
                "Uploads below min-size are taken in one request: send the whole content with ?1.") { IsLimitExceeded = true };
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

    /// <summary>What a creation says about the content: by its own headers, or as clients of tus say it, which cannot set those.</summary>
    private static Problem? ReadContentDescription(IHeaderDictionary headers, ref IetfRequest request)
    {
        string type = headers.ContentType.ToString();
        if (type.Length > MaxContentTypeLength)
        {
            return BadRequest("content-type", "Content-Type is longer than 256 characters.");
        }

        string? name = ContentDispositionHeaderValue.TryParse(headers.ContentDisposition.ToString(), out ContentDispositionHeaderValue? disposition)
            ? HeaderUtilities.RemoveQuotes(disposition.FileNameStar.HasValue ? disposition.FileNameStar : disposition.FileName).ToString()
            : null;
        if (name?.Length > MaxFileNameLength)
        {
            return BadRequest("content-disposition", "The file name is longer than 1,024 characters.");
        }

        TusMetadata? metadata = headers.TryGetValue(TusHeaders.Metadata, out var raw) && raw.Count == 1 ? TusMetadata.TryParse(raw.ToString()) : null;
        bool isTyped = type.Length > 0 && !ConflictingHeaders.IsPartialUploadContentType(type);
        request = request with
        {
            FileName = string.IsNullOrEmpty(name) ? metadata?.FileName : name,
            ContentType = isTyped ? type : metadata?.ContentType,
        };
        return null;
    }

    private static Problem BadRequest(string name, string detail) => new(400, Problem.CustomType("bad-" + name), "Bad request", detail);
}
