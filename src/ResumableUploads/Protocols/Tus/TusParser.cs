using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using ResumableUploads.Engine.Digests;

namespace ResumableUploads.Protocols.Tus;

/// <summary>Reads requests of tus 1.0.0 (T-1 to T-9, T-20, T-21, T-35 to T-42, T-50 to T-53, T-60). Pure.</summary>
internal static class TusParser
{
    /// <summary>Reads a request.</summary>
    /// <param name="method">The method.</param>
    /// <param name="headers">The headers.</param>
    /// <param name="isUpload">Whether it was sent to an upload's own URL, and not to the one where uploads are made.</param>
    /// <param name="bodyLength">How many bytes the body has, or null when its end will tell.</param>
    /// <param name="capabilities">What the server can do.</param>
    /// <param name="request">What it asks for.</param>
    /// <returns>Null, or what is wrong with it.</returns>
    public static Problem? Parse(
        string method, IHeaderDictionary headers, bool isUpload, long? bodyLength, TusCapabilities capabilities, out TusRequest request)
    {
        request = default!;
        if (HttpMethods.IsOptions(method))
        {
            request = new TusRequest(TusOperation.Discover);
            return null;
        }

        if (isUpload && capabilities.SupportsDownload && HttpMethods.IsGet(method))
        {
            request = new TusRequest(TusOperation.Download);
            return null;
        }

        if (headers[TusHeaders.Resumable] != TusHeaders.ProtocolVersion)
        {
            return new Problem(412, Problem.CustomType("tus-version"), "Another version of tus", "Send Tus-Resumable: 1.0.0.");
        }

        if (Array.Find(ConflictingHeaders.ForTus, headers.ContainsKey) is { } other)
        {
            return BadRequest("two-protocols", $"Tus-Resumable and {other} belong to two protocols. Send the headers of one.");
        }

        return (isUpload, method) switch
        {
            (false, _) when HttpMethods.IsPost(method) => ParseCreate(headers, bodyLength, capabilities, out request),
            (true, _) when HttpMethods.IsPatch(method) => ParseAppend(headers, capabilities, out request),
            (true, _) when HttpMethods.IsHead(method) => ParseWithoutContent(TusOperation.Status, out request),
            (true, _) when HttpMethods.IsDelete(method) => ParseWithoutContent(TusOperation.Terminate, out request),
            _ => new Problem(405, Problem.CustomType("method-not-allowed"), "Method not allowed", $"Use one of: {GetAllowHeader(isUpload)}."),
        };
    }

    public static string GetAllowHeader(bool isUpload) => isUpload ? "HEAD, PATCH, DELETE, OPTIONS" : "POST, OPTIONS";

    private static Problem? ParseWithoutContent(TusOperation operation, out TusRequest request)
    {
        request = new TusRequest(operation);
        return null;
    }

    private static Problem? ParseCreate(IHeaderDictionary headers, long? bodyLength, TusCapabilities capabilities, out TusRequest request)
    {
        request = default!;
        StringValues metadata = headers[TusHeaders.Metadata];
        TusMetadata? parsedMetadata = null;
        if (metadata.Count > 0 && metadata.ToString() is { Length: > 0 } raw && (parsedMetadata = TusMetadata.TryParse(raw)) is null)
        {
            return BadRequest("metadata", "Upload-Metadata is not a list of keys and base64 values, has a key twice, or is longer than 8 KiB.");
        }

        if (ReadLength(headers, out long? length, out bool isDeferred) is { } badLength)
        {
            return badLength;
        }

        StringValues concats = headers[TusHeaders.Concat];
        TusConcat? concat = null;
        if (concats.Count > 0 && (concats.Count > 1 || (concat = TusConcat.TryParse(concats.ToString())) is null))
        {
            return BadRequest("concat", "Upload-Concat is 'partial', or 'final;' and the URLs of partial uploads with blanks between them.");
        }

        bool isFinal = concat is { IsFinal: true };
        if (isFinal ? length is not null || isDeferred : length is null == !isDeferred)
        {
            return BadRequest("upload-length", "Send exactly one of Upload-Length and Upload-Defer-Length: 1, and with Upload-Concat: final none of them.");
        }

        if (isFinal && bodyLength != 0)
        {
            return BadRequest("concat", "A final upload is made of its parts, and its creation has no body.");
        }

        bool isPiece = HasPatchContentType(headers);
        if (bodyLength != 0 && !isPiece)
        {
            return UnsupportedContentType("A creation has no body, or one of the type application/offset+octet-stream.");
        }

        if (ReadDigests(headers, capabilities, out Digest? checksum, out bool isBehind, out Digest? whole) is { } badChecksum)
        {
            return badChecksum;
        }

        request = new TusRequest(TusOperation.Create)
        {
            UploadLength = length,
            Metadata = parsedMetadata,
            Concat = concat,
            Checksum = checksum,
            ReprDigest = whole,
            HasChecksumTrailer = isBehind,
            HasContent = isPiece && bodyLength != 0,
        };
        return null;
    }

    private static Problem? ParseAppend(IHeaderDictionary headers, TusCapabilities capabilities, out TusRequest request)
    {
        request = default!;
        if (!HasPatchContentType(headers))
        {
            return UnsupportedContentType("Send the bytes as application/offset+octet-stream.");
        }

        if (!NumericHeader.TryParse(headers[TusHeaders.Offset], out long? offset) || offset is null)
        {
            return BadRequest("upload-offset", "Upload-Offset is missing, there more than once, or not a decimal number from 0 to 9223372036854775807.");
        }

        if (ReadLength(headers, out long? length, out bool isDeferred) is { } badLength)
        {
            return badLength;
        }

        if (isDeferred && length is not null)
        {
            return BadRequest("upload-length", "Send only one of Upload-Length and Upload-Defer-Length.");
        }

        if (ReadDigests(headers, capabilities, out Digest? checksum, out bool isBehind, out Digest? whole) is { } badChecksum)
        {
            return badChecksum;
        }

        request = new TusRequest(TusOperation.Append)
        {
            Offset = offset.Value,
            UploadLength = length,
            Checksum = checksum,
            ReprDigest = whole,
            HasChecksumTrailer = isBehind,
            HasContent = true,
        };
        return null;
    }

    private static Problem? ReadLength(IHeaderDictionary headers, out long? length, out bool isDeferred)
    {
        isDeferred = false;
        if (!NumericHeader.TryParse(headers[TusHeaders.Length], out length))
        {
            return BadRequest("upload-length", "Upload-Length is there more than once, or not a decimal number from 0 to 9223372036854775807.");
        }

        StringValues deferred = headers[TusHeaders.DeferLength];
        if (deferred.Count == 0)
        {
            return null;
        }

        isDeferred = true;
        return deferred == "1" ? null : BadRequest("upload-length", "Upload-Defer-Length is always 1.");
    }

    /// <summary>What there is to verify: of this body by <c>Upload-Checksum</c> or <c>Content-Digest</c>, of the whole by <c>Repr-Digest</c>.</summary>
    private static Problem? ReadDigests(IHeaderDictionary headers, TusCapabilities capabilities, out Digest? ofBody, out bool isBehind, out Digest? ofWhole)
    {
        isBehind = headers["Trailer"].ToString().Split(',')
            .Any(static name => name.Trim().Equals(TusHeaders.Checksum, StringComparison.OrdinalIgnoreCase));
        if (!DigestHeaders.TryParse(headers[DigestHeaders.ContentDigest], out ofBody) | !DigestHeaders.TryParse(headers[DigestHeaders.ReprDigest], out ofWhole))
        {
            return BadRequest("digest", DigestHeaders.MalformedDetail);
        }

        StringValues values = headers[TusHeaders.Checksum];
        if ((isBehind || values.Count > 0 || ofBody is not null) && !capabilities.SupportsChecksum)
        {
            return BadRequest("checksum", "This server's store cannot hold bytes back until they are verified. Send no Upload-Checksum and no Content-Digest.");
        }

        if (values.Count == 0)
        {
            return isBehind && ofBody is not null ? BadRequest("checksum", SingleChecksumDetail) : null;
        }

        if (ofBody is not null)
        {
            return BadRequest("checksum", SingleChecksumDetail);
        }

        return values.Count == 1 && !isBehind && (ofBody = TusChecksum.TryParse(values.ToString())) is not null
            ? null
            : BadRequest("checksum", $"Upload-Checksum is not an algorithm and its digest in base64. The algorithms are: {TusChecksum.AlgorithmNames}.");
    }

    private static bool HasPatchContentType(IHeaderDictionary headers) =>
        headers.ContentType.Count == 1
        && headers.ContentType.ToString().Split(';')[0].Trim().Equals(TusHeaders.PatchContentType, StringComparison.OrdinalIgnoreCase);

    private const string SingleChecksumDetail = "Send one of Upload-Checksum and Content-Digest.";

    private static Problem UnsupportedContentType(string detail) => new(415, Problem.CustomType("content-type"), "Not a piece", detail);

    private static Problem BadRequest(string name, string detail) => new(400, Problem.CustomType("bad-" + name), "Bad request", detail);
}
