using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using ResumableUploads.Engine.Content;

namespace ResumableUploads.Protocols.Tus;

/// <summary>Reads requests of tus 1.0.0 (T-1 to T-9, T-20, T-21, T-35 to T-42, T-50 to T-53, T-60). Pure.</summary>
internal static class TusParser
{
    /// <summary>Reads a request.</summary>
    /// <param name="method">The method.</param>
    /// <param name="headers">The headers.</param>
    /// <param name="isUpload">Whether it was sent to an upload's own URL, and not to the one where uploads are made.</param>
    /// <param name="bodyLength">How many bytes the body has, or null when its end will tell.</param>
    /// <param name="support">What the server can do.</param>
    /// <param name="request">What it asks for.</param>
    /// <returns>Null, or what is wrong with it.</returns>
    public static Problem? Parse(
        string method, IHeaderDictionary headers, bool isUpload, long? bodyLength, TusSupport support, out TusRequest request)
    {
        request = default!;
        if (HttpMethods.IsOptions(method))
        {
            request = new TusRequest(TusOperation.Discover);
            return null;
        }

        if (isUpload && support.HasDownload && HttpMethods.IsGet(method))
        {
            request = new TusRequest(TusOperation.Download);
            return null;
        }

        if (headers[TusHeaders.Resumable] != TusHeaders.Version)
        {
            return new Problem(412, Problem.Own("tus-version"), "Another version of tus", "Send Tus-Resumable: 1.0.0.");
        }

        if (Array.Find(OtherProtocols.ThanTus, headers.ContainsKey) is { } other)
        {
            return Bad("two-protocols", $"Tus-Resumable and {other} belong to two protocols. Send the headers of one.");
        }

        return (isUpload, method) switch
        {
            (false, _) when HttpMethods.IsPost(method) => Create(headers, bodyLength, support, out request),
            (true, _) when HttpMethods.IsPatch(method) => Append(headers, support, out request),
            (true, _) when HttpMethods.IsHead(method) => Plain(TusOperation.Status, out request),
            (true, _) when HttpMethods.IsDelete(method) => Plain(TusOperation.Terminate, out request),
            _ => new Problem(405, Problem.Own("method-not-allowed"), "Method not allowed", $"Use one of: {Allow(isUpload)}."),
        };
    }

    public static string Allow(bool isUpload) => isUpload ? "HEAD, PATCH, DELETE, OPTIONS" : "POST, OPTIONS";

    private static Problem? Plain(TusOperation operation, out TusRequest request)
    {
        request = new TusRequest(operation);
        return null;
    }

    private static Problem? Create(IHeaderDictionary headers, long? bodyLength, TusSupport support, out TusRequest request)
    {
        request = default!;
        StringValues metadata = headers[TusHeaders.Metadata];
        TusMetadata? parsedMetadata = null;
        if (metadata.Count > 0 && metadata.ToString() is { Length: > 0 } raw && (parsedMetadata = TusMetadata.TryParse(raw)) is null)
        {
            return Bad("metadata", "Upload-Metadata is not a list of keys and base64 values, has a key twice, or is longer than 8 KiB.");
        }

        if (ReadLength(headers, out long? length, out bool isDeferred) is { } badLength)
        {
            return badLength;
        }

        StringValues concats = headers[TusHeaders.Concat];
        TusConcat? concat = null;
        if (concats.Count > 0 && (concats.Count > 1 || (concat = TusConcat.TryParse(concats.ToString())) is null))
        {
            return Bad("concat", "Upload-Concat is 'partial', or 'final;' and the URLs of partial uploads with blanks between them.");
        }

        bool isFinal = concat is { IsFinal: true };
        if (isFinal ? length is not null || isDeferred : length is null == !isDeferred)
        {
            return Bad("upload-length", "Send exactly one of Upload-Length and Upload-Defer-Length: 1, and with Upload-Concat: final none of them.");
        }

        if (isFinal && bodyLength != 0)
        {
            return Bad("concat", "A final upload is made of its parts, and its creation has no body.");
        }

        bool isPiece = IsPiece(headers);
        if (bodyLength != 0 && !isPiece)
        {
            return NotAPiece("A creation has no body, or one of the type application/offset+octet-stream.");
        }

        if (ReadDigests(headers, support, out Digest? checksum, out bool isBehind, out Digest? whole) is { } badChecksum)
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
            HasPiece = isPiece && bodyLength != 0,
        };
        return null;
    }

    private static Problem? Append(IHeaderDictionary headers, TusSupport support, out TusRequest request)
    {
        request = default!;
        if (!IsPiece(headers))
        {
            return NotAPiece("Send the bytes as application/offset+octet-stream.");
        }

        if (!HeaderNumber.TryParse(headers[TusHeaders.Offset], out long? offset) || offset is null)
        {
            return Bad("upload-offset", "Upload-Offset is missing, there more than once, or not a decimal number from 0 to 9223372036854775807.");
        }

        if (ReadLength(headers, out long? length, out bool isDeferred) is { } badLength)
        {
            return badLength;
        }

        if (isDeferred && length is not null)
        {
            return Bad("upload-length", "Send only one of Upload-Length and Upload-Defer-Length.");
        }

        if (ReadDigests(headers, support, out Digest? checksum, out bool isBehind, out Digest? whole) is { } badChecksum)
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
            HasPiece = true,
        };
        return null;
    }

    private static Problem? ReadLength(IHeaderDictionary headers, out long? length, out bool isDeferred)
    {
        isDeferred = false;
        if (!HeaderNumber.TryParse(headers[TusHeaders.Length], out length))
        {
            return Bad("upload-length", "Upload-Length is there more than once, or not a decimal number from 0 to 9223372036854775807.");
        }

        StringValues deferred = headers[TusHeaders.DeferLength];
        if (deferred.Count == 0)
        {
            return null;
        }

        isDeferred = true;
        return deferred == "1" ? null : Bad("upload-length", "Upload-Defer-Length is always 1.");
    }

    /// <summary>What there is to verify: of this body by <c>Upload-Checksum</c> or <c>Content-Digest</c>, of the whole by <c>Repr-Digest</c>.</summary>
    private static Problem? ReadDigests(IHeaderDictionary headers, TusSupport support, out Digest? ofBody, out bool isBehind, out Digest? ofWhole)
    {
        isBehind = headers["Trailer"].ToString().Split(',')
            .Any(static name => name.Trim().Equals(TusHeaders.Checksum, StringComparison.OrdinalIgnoreCase));
        if (!DigestHeader.TryParse(headers[DigestHeader.OfContent], out ofBody) | !DigestHeader.TryParse(headers[DigestHeader.OfWhole], out ofWhole))
        {
            return Bad("digest", DigestHeader.Hint);
        }

        StringValues values = headers[TusHeaders.Checksum];
        if ((isBehind || values.Count > 0 || ofBody is not null) && !support.HasChecksum)
        {
            return Bad("checksum", "This server's store cannot hold bytes back until they are verified. Send no Upload-Checksum and no Content-Digest.");
        }

        if (values.Count == 0)
        {
            return isBehind && ofBody is not null ? Bad("checksum", OneOfThem) : null;
        }

        if (ofBody is not null)
        {
            return Bad("checksum", OneOfThem);
        }

        return values.Count == 1 && !isBehind && (ofBody = TusChecksum.TryParse(values.ToString())) is not null
            ? null
            : Bad("checksum", $"Upload-Checksum is not an algorithm and its digest in base64. The algorithms are: {TusChecksum.Algorithms}.");
    }

    private static bool IsPiece(IHeaderDictionary headers) =>
        headers.ContentType.Count == 1
        && headers.ContentType.ToString().Split(';')[0].Trim().Equals(TusHeaders.PieceType, StringComparison.OrdinalIgnoreCase);

    private const string OneOfThem = "Send one of Upload-Checksum and Content-Digest.";

    private static Problem NotAPiece(string detail) => new(415, Problem.Own("content-type"), "Not a piece", detail);

    private static Problem Bad(string name, string detail) => new(400, Problem.Own("bad-" + name), "Bad request", detail);
}
