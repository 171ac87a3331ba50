using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Protocols.FileId;

namespace ResumableUploads.Protocols.Tus;

/// <summary>
/// Parses requests of <see href="https://tus.io/protocols/resumable-upload">tus 1.0.0</see>. For what the specification leaves open, see
/// docs/protocols/tus.md.
/// </summary>
internal static class TusParser
{
    /// <summary>Parses a request.</summary>
    /// <param name="head">The method, headers and content length of the request, and whether its URL identifies an upload.</param>
    /// <param name="capabilities">The capabilities of the server.</param>
    /// <param name="request">The parsed request. Valid only if this method returns null.</param>
    /// <returns>The problem that makes the request invalid, or null if the request is valid.</returns>
    public static Problem? Parse(RequestHead head, TusCapabilities capabilities, out TusRequest request)
    {
        request = default!;
        (string method, IHeaderDictionary headers, bool isUpload, long? contentLength) = head;
        if (HttpMethods.IsOptions(method))
        {
            request = new TusRequest(TusOperation.Discover);
            return null;
        }

        if (isUpload && capabilities.SupportsDownload && HttpMethods.IsGet(method) && !headers.ContainsKey(TusHeaders.Resumable))
        {
            request = new TusRequest(TusOperation.Download);
            return null;
        }

        if (headers[TusHeaders.Resumable] != TusHeaders.ProtocolVersion)
        {
            return new Problem(412, Problem.CustomType("tus-version"), "Unsupported tus version",
                "Send the header Tus-Resumable: 1.0.0 in every request, and check that no proxy removes it.");
        }

        // Operating systems add the headers of the IETF draft to every upload, so those are ignored.
        if (headers.ContainsKey(FileIdHeaders.FileId))
        {
            return CommonProblems.CreateProtocolConflict(TusHeaders.Resumable, FileIdHeaders.FileId);
        }

        return isUpload switch
        {
            false when HttpMethods.IsPost(method) => ContentRange.Reject(headers) ?? ParseCreate(headers, contentLength, capabilities, out request),
            true when HttpMethods.IsPatch(method) => ContentRange.Reject(headers) ?? ParseAppend(headers, capabilities, out request),
            // Caches convert HEAD to GET.
            true when HttpMethods.IsHead(method) || HttpMethods.IsGet(method) => ParseWithoutContent(TusOperation.Status, out request),
            true when HttpMethods.IsDelete(method) => ParseWithoutContent(TusOperation.Terminate, out request),
            _ => new Problem(405, Problem.CustomType("method-not-allowed"), "Method not allowed", $"Use one of: {GetAllowHeader(isUpload)}."),
        };
    }

    public static string GetAllowHeader(bool isUpload) => isUpload ? "GET, HEAD, PATCH, DELETE, OPTIONS" : "POST, OPTIONS";

    private static Problem? ParseWithoutContent(TusOperation operation, out TusRequest request)
    {
        request = new TusRequest(operation);
        return null;
    }

    private static Problem? ParseCreate(IHeaderDictionary headers, long? contentLength, TusCapabilities capabilities, out TusRequest request)
    {
        request = default!;
        StringValues metadata = headers[TusHeaders.Metadata];
        TusMetadata? parsedMetadata = null;
        if (metadata.Count > 0 && metadata.ToString() is { Length: > 0 } raw && (parsedMetadata = TusMetadata.TryParse(raw)) is null)
        {
            return BadRequest("metadata", "Upload-Metadata is invalid. Send unique keys, each with one space and a base64 value, separated by commas, in at most 8 KiB.");
        }

        if (ReadLength(headers, out long? length, out bool isDeferred) is { } badLength)
        {
            return badLength;
        }

        StringValues concats = headers[TusHeaders.Concat];
        TusConcat? concat = null;
        if (concats.Count > 0 && (concats.Count > 1 || (concat = TusConcat.TryParse(concats.ToString())) is null))
        {
            return BadRequest("concat", "Upload-Concat is invalid. Send 'partial', or 'final;' and the URLs of partial uploads separated by spaces, in at most 16 KiB.");
        }

        bool isFinal = concat is { IsFinal: true };
        if (isFinal ? length is not null || isDeferred : length is null == !isDeferred)
        {
            return BadRequest("upload-length", "Send exactly one of Upload-Length and Upload-Defer-Length: 1. With Upload-Concat: final, send neither.");
        }

        if (isFinal && contentLength != 0)
        {
            return BadRequest("concat", "A final upload consists of its parts. Send its creation without a body.");
        }

        if (contentLength != 0 && ContentCoding.Reject(headers) is { } encoded)
        {
            return encoded;
        }

        bool isChunk = HasPatchContentType(headers);
        if (contentLength != 0 && !isChunk)
        {
            return UnsupportedContentType("Send a creation without a body, or with a body of the type application/offset+octet-stream.");
        }

        if (ReadDigests(headers, capabilities, out Digest? checksum, out bool hasTrailer, out Digest? reprDigest) is { } badChecksum)
        {
            return badChecksum;
        }

        request = new TusRequest(TusOperation.Create)
        {
            UploadLength = length,
            Metadata = parsedMetadata,
            Concat = concat,
            Checksum = checksum,
            ReprDigest = reprDigest,
            HasChecksumTrailer = hasTrailer,
            HasContent = isChunk && contentLength != 0,
        };
        return null;
    }

    private static Problem? ParseAppend(IHeaderDictionary headers, TusCapabilities capabilities, out TusRequest request)
    {
        request = default!;
        if (!HasPatchContentType(headers))
        {
            return UnsupportedContentType("Set Content-Type to application/offset+octet-stream.");
        }

        if (ContentCoding.Reject(headers) is { } encoded)
        {
            return encoded;
        }

        if (!NumericHeader.TryParseOptional(headers[TusHeaders.Offset], out long? offset) || offset is null)
        {
            return BadRequest("upload-offset", "Upload-Offset is missing or invalid. Send it once, as a decimal number from 0 to 9223372036854775807.");
        }

        if (ReadLength(headers, out long? length, out bool isDeferred) is { } badLength)
        {
            return badLength;
        }

        if (isDeferred && length is not null)
        {
            return BadRequest("upload-length", "Send only one of Upload-Length and Upload-Defer-Length.");
        }

        if (ReadDigests(headers, capabilities, out Digest? checksum, out bool hasTrailer, out Digest? reprDigest) is { } badChecksum)
        {
            return badChecksum;
        }

        request = new TusRequest(TusOperation.Append)
        {
            Offset = offset.Value,
            UploadLength = length,
            Checksum = checksum,
            ReprDigest = reprDigest,
            HasChecksumTrailer = hasTrailer,
            HasContent = true,
        };
        return null;
    }

    private static Problem? ReadLength(IHeaderDictionary headers, out long? length, out bool isDeferred)
    {
        isDeferred = false;
        if (!NumericHeader.TryParseOptional(headers[TusHeaders.Length], out length))
        {
            return BadRequest("upload-length", "Upload-Length is invalid. Send it once, as a decimal number from 0 to 9223372036854775807.");
        }

        StringValues deferred = headers[TusHeaders.DeferLength];
        if (deferred.Count == 0)
        {
            return null;
        }

        isDeferred = true;
        return deferred == "1" ? null : BadRequest("upload-length", "Upload-Defer-Length is invalid. Its only value is 1.");
    }

    /// <summary>
    /// Reads the digest of the request body from <c>Upload-Checksum</c> or <c>Content-Digest</c>, and the digest of the whole upload from
    /// <c>Repr-Digest</c>.
    /// </summary>
    private static Problem? ReadDigests(IHeaderDictionary headers, TusCapabilities capabilities, out Digest? contentDigest, out bool hasTrailer, out Digest? reprDigest)
    {
        hasTrailer = headers["Trailer"].ToString().Split(',')
            .Any(static name => name.Trim().Equals(TusHeaders.Checksum, StringComparison.OrdinalIgnoreCase));
        if (!DigestHeaders.TryParse(headers[DigestHeaders.ContentDigest], out contentDigest) | !DigestHeaders.TryParse(headers[DigestHeaders.ReprDigest], out reprDigest))
        {
            return BadRequest("digest", DigestHeaders.MalformedDetail);
        }

        StringValues values = headers[TusHeaders.Checksum];
        if ((hasTrailer || values.Count > 0 || contentDigest is not null) && !capabilities.SupportsChecksum)
        {
            return InvalidChecksum("The server cannot verify the content before it is stored. Send neither Upload-Checksum nor Content-Digest.");
        }

        if (values.Count == 0)
        {
            return hasTrailer && contentDigest is not null ? InvalidChecksum(SingleChecksumDetail) : null;
        }

        if (contentDigest is not null)
        {
            return InvalidChecksum(SingleChecksumDetail);
        }

        return values.Count == 1 && !hasTrailer && (contentDigest = TusChecksum.TryParse(values.ToString())) is not null
            ? null
            : InvalidChecksum($"Upload-Checksum is invalid. Send an algorithm, one space, and the digest in base64. The algorithms are: {TusChecksum.AlgorithmNames}.");
    }

    private static bool HasPatchContentType(IHeaderDictionary headers) =>
        headers.ContentType.Count == 1
        && headers.ContentType.ToString().Split(';')[0].Trim().Equals(TusHeaders.PatchContentType, StringComparison.OrdinalIgnoreCase);

    private const string SingleChecksumDetail = "Send only one digest of the request body: Upload-Checksum (as a header or a trailer) or Content-Digest.";

    private static Problem UnsupportedContentType(string detail) => new(415, Problem.CustomType("content-type"), "Unsupported content type", detail);

    private static Problem InvalidChecksum(string detail) => new(400, Problem.CustomType("bad-checksum"), CommonProblems.ChecksumTitle, detail);

    private static Problem BadRequest(string typeSuffix, string detail) => new(400, Problem.CustomType("bad-" + typeSuffix), "Invalid request header", detail);
}
