using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.Protocols.FileId;

/// <summary>
/// Parses requests of the file-id protocol, which identifies an upload by the <c>X-File-Id</c> header. See docs/protocols/file-id.md.
/// </summary>
internal static class FileIdParser
{
    /// <summary>The maximum length of a file id, in bytes.</summary>
    private const int MaxFileIdBytes = 4096;

    /// <summary>The maximum length of a file name, in UTF-8 bytes.</summary>
    private const int MaxFileNameBytes = 1024;

    /// <summary>The maximum length of a content type, in characters.</summary>
    private const int MaxContentTypeLength = 256;

    private static readonly SearchValues<byte> ControlCharacters = SearchValues.Create([.. Enumerable.Range(0, 0x20).Append(0x7F).Where(static c => c != '\t').Select(static c => (byte)c)]);

    /// <summary>Parses a request.</summary>
    /// <param name="method">The request method.</param>
    /// <param name="headers">The request headers.</param>
    /// <param name="isStatusPath">Whether the request path is the status path, which supports only GET and HEAD.</param>
    /// <param name="isLatin1">
    /// Whether the server decoded the values of <c>X-File-Id</c> and <c>X-File-Name</c> as ISO-8859-1 rather than UTF-8. Needed to restore the original
    /// bytes.
    /// </param>
    /// <param name="request">The parsed request. Valid only if this method returns null.</param>
    /// <returns>The problem that makes the request invalid, or null if the request is valid.</returns>
    public static Problem? Parse(string method, IHeaderDictionary headers, bool isStatusPath, bool isLatin1, out FileIdRequest request)
    {
        request = default!;
        FileIdOperation? operation = GetOperation(method, isStatusPath);
        if (operation is null)
        {
            return new Problem(405, Problem.CustomType("method-not-allowed"), "Method not allowed", $"Use one of: {GetAllowHeader(isStatusPath)}.");
        }

        StringValues ids = headers[FileIdHeaders.FileId];
        if (ids.Count > 1)
        {
            return BadRequest("file-id", "X-File-Id was sent more than once. Send it once.");
        }

        string id = ids.ToString();
        if (id.Length == 0)
        {
            return BadRequest("file-id", "X-File-Id is missing or empty. Send an id of 1 to 4,096 bytes, and use the same id in every request for the same file.");
        }

        byte[] fileId = FileIdEncoding.GetBytes(id, isLatin1);
        if (!IsFileId(fileId))
        {
            return BadRequest("file-id", "X-File-Id is too long or has a control character. Send at most 4,096 bytes, with control characters in percent-encoding.");
        }

        // Operating systems add the headers of the IETF draft to every upload, so those are ignored.
        if (headers.ContainsKey(TusHeaders.Resumable))
        {
            return CommonProblems.CreateProtocolConflict(FileIdHeaders.FileId, TusHeaders.Resumable);
        }

        if (!NumericHeader.TryParseOptional(headers[FileIdHeaders.StartByte], out long? startByte))
        {
            return BadRequest("start-byte", "X-Start-Byte is invalid. Send it once, as a decimal number from 0 to 9223372036854775807.");
        }

        if (!NumericHeader.TryParseOptional(headers[FileIdHeaders.FileSize], out long? fileSize))
        {
            return BadRequest("file-size", "X-File-Size is invalid. Send it once, as a decimal number from 0 to 9223372036854775807.");
        }

        ContentRange? range = null;
        if (operation == FileIdOperation.Append && ReadContentRange(headers, startByte, fileSize, out range) is { } badRange)
        {
            return badRange;
        }

        startByte ??= range?.Offset;
        fileSize ??= range?.FileSize;
        if (startByte > fileSize)
        {
            return new Problem(400, Problem.LengthConflictType, Problem.LengthConflictTitle,
                "X-Start-Byte is greater than X-File-Size. Send the size of the whole file in X-File-Size, and a start byte that is not greater.");
        }

        StringValues names = headers[FileIdHeaders.FileName];
        string fileName = FileIdEncoding.Decode(FileIdEncoding.GetBytes(names.ToString(), isLatin1));
        if (names.Count > 1 || Encoding.UTF8.GetByteCount(fileName) > MaxFileNameBytes)
        {
            return BadRequest("file-name", "X-File-Name is invalid. Send it once, with at most 1,024 bytes of UTF-8.");
        }

        string contentType = headers.ContentType.ToString();
        if (contentType.Length > MaxContentTypeLength || !HeaderText.IsValid(contentType))
        {
            return BadRequest("content-type", "Content-Type is invalid. Send at most 256 printable ASCII characters.");
        }

        if (!DigestHeaders.TryParse(headers[DigestHeaders.ContentDigest], out Digest? contentDigest)
            || !DigestHeaders.TryParse(headers[DigestHeaders.ReprDigest], out Digest? reprDigest))
        {
            return BadRequest("digest", DigestHeaders.MalformedDetail);
        }

        // Without X-File-Name, the name is taken from the file id, which usually is "name-size-time".
        request = new FileIdRequest(operation.Value, fileId)
        {
            StartByte = startByte ?? 0,
            FileSize = fileSize,
            RangeLength = range?.Length,
            FileName = fileName.Length > 0 ? fileName : FileIdEncoding.ExtractFileName(fileId, fileSize),
            ContentType = contentType.Length > 0 ? contentType : null,
            ContentDigest = contentDigest,
            ReprDigest = reprDigest,
        };
        return null;
    }

    /// <summary>
    /// Returns whether bytes can be a file id. Its control characters would be those of a header value, where only a tab is valid. See
    /// <see href="https://www.rfc-editor.org/rfc/rfc9110#section-5.5">RFC 9110</see>.
    /// </summary>
    public static bool IsFileId(ReadOnlySpan<byte> bytes) => bytes.Length is > 0 and <= MaxFileIdBytes && !bytes.ContainsAny(ControlCharacters);

    public static string GetAllowHeader(bool isStatusPath) => isStatusPath ? "GET, HEAD" : "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

    /// <summary>Returns the operation of a method. OPTIONS is not included, because it is handled before the request is parsed.</summary>
    private static FileIdOperation? GetOperation(string method, bool isStatusPath) => method switch
    {
        _ when HttpMethods.IsGet(method) || HttpMethods.IsHead(method) => FileIdOperation.Status,
        _ when isStatusPath => null,
        _ when HttpMethods.IsPost(method) || HttpMethods.IsPut(method) || HttpMethods.IsPatch(method) => FileIdOperation.Append,
        _ when HttpMethods.IsDelete(method) => FileIdOperation.Cancel,
        _ => null,
    };

    private static Problem? ReadContentRange(IHeaderDictionary headers, long? startByte, long? fileSize, out ContentRange? range)
    {
        if (!ContentRange.TryParse(headers.ContentRange, out range))
        {
            return ContentRange.CreateProblem("Content-Range is invalid. Send it once, in the form 'bytes FIRST-LAST/SIZE', with * as an unknown size.");
        }

        return range switch
        {
            null => null,
            _ when startByte is { } start && start != range.Offset =>
                ContentRange.CreateProblem("Content-Range begins at another byte than X-Start-Byte. Send one of them, or the same number in both."),
            { FileSize: { } size } when fileSize is { } other && size != other =>
                ContentRange.CreateProblem("Content-Range has another size than X-File-Size. Send one of them, or the same number in both."),
            _ when headers.ContentLength is { } length && length != range.Length =>
                ContentRange.CreateProblem("The length of the range in Content-Range differs from Content-Length. Send exactly the bytes of the range."),
            _ => null,
        };
    }

    private static Problem BadRequest(string typeSuffix, string detail) => new(400, Problem.CustomType("bad-" + typeSuffix), "Invalid request header", detail);
}
