using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Protocols.Ietf;

namespace ResumableUploads.Protocols.FileId;

/// <summary>Parses requests of the file-id protocol. The protocol is specified in docs/protocols/file-id.md.</summary>
internal static class FileIdParser
{
    public const int MaxFileIdLength = 1024;
    public const int MaxFileNameLength = 1024;
    public const int MaxContentTypeLength = 256;

    /// <summary>Parses a request.</summary>
    /// <param name="method">The request method.</param>
    /// <param name="headers">The request headers.</param>
    /// <param name="onStatusPath">Whether the request path is the status path.</param>
    /// <param name="isLatin1">Whether the server decodes the file id and the file name as ISO-8859-1. Otherwise, it decodes them as UTF-8.</param>
    /// <param name="request">The parsed request.</param>
    /// <returns>Null, or the problem that makes the request invalid.</returns>
    public static Problem? Parse(string method, IHeaderDictionary headers, bool onStatusPath, bool isLatin1, out FileIdRequest request)
    {
        request = default!;
        FileIdOperation? operation = GetOperation(method, onStatusPath);
        if (operation is null)
        {
            return new Problem(405, Problem.CustomType("method-not-allowed"), "Method not allowed", $"Use one of: {GetAllowHeader(onStatusPath)}.");
        }

        StringValues ids = headers[FileIdHeaders.FileId];
        if (ids.Count > 1)
        {
            return BadRequest("file-id", "X-File-Id was sent more than once. Send it once.");
        }

        string id = ids.ToString();
        if (id.Length == 0)
        {
            return BadRequest("file-id", "X-File-Id is missing or empty. Send the same 1 to 1,024 bytes with every request for the same file.");
        }

        byte[] fileId = FileIdEncoding.GetBytes(id, isLatin1);
        if (fileId.Length > MaxFileIdLength)
        {
            return BadRequest("file-id", "X-File-Id is too long. Send at most 1,024 bytes.");
        }

        if (FindConflictingHeader(headers) is { } other)
        {
            return BadRequest("two-protocols", $"X-File-Id and {other} belong to different protocols. Send the headers of one protocol.");
        }

        if (!NumericHeader.TryParse(headers[FileIdHeaders.StartByte], out long? startByte))
        {
            return BadRequest("start-byte", "X-Start-Byte is invalid. Send it once, as a decimal number from 0 to 9223372036854775807.");
        }

        if (!NumericHeader.TryParse(headers[FileIdHeaders.FileSize], out long? fileSize))
        {
            return BadRequest("file-size", "X-File-Size is invalid. Send it once, as a decimal number from 0 to 9223372036854775807.");
        }

        if (startByte > fileSize)
        {
            return new Problem(400, Problem.LengthConflictType, "Inconsistent upload length", "X-Start-Byte is greater than X-File-Size. Send the size of the whole file.");
        }

        StringValues names = headers[FileIdHeaders.FileName];
        string fileName = FileIdEncoding.Decode(FileIdEncoding.GetBytes(names.ToString(), isLatin1));
        if (names.Count > 1 || Encoding.UTF8.GetByteCount(fileName) > MaxFileNameLength)
        {
            return BadRequest("file-name", "X-File-Name is invalid. Send it once, with at most 1,024 bytes of UTF-8.");
        }

        string contentType = headers.ContentType.ToString();
        if (contentType.Length > MaxContentTypeLength)
        {
            return BadRequest("content-type", "Content-Type is too long. Send at most 256 characters.");
        }

        if (!DigestHeaders.TryParse(headers[DigestHeaders.ContentDigest], out Digest? contentDigest)
            || !DigestHeaders.TryParse(headers[DigestHeaders.ReprDigest], out Digest? reprDigest))
        {
            return BadRequest("digest", DigestHeaders.MalformedDetail);
        }

        request = new FileIdRequest(operation.Value, fileId)
        {
            StartByte = startByte ?? 0,
            FileSize = fileSize,
            FileName = fileName.Length > 0 ? fileName : FileIdEncoding.ExtractFileName(fileId, fileSize),
            ContentType = contentType.Length > 0 ? contentType : null,
            ContentDigest = contentDigest,
            ReprDigest = reprDigest,
        };
        return null;
    }

    public static string GetAllowHeader(bool onStatusPath) => onStatusPath ? "GET, HEAD" : "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

    private static FileIdOperation? GetOperation(string method, bool onStatusPath) => method switch
    {
        _ when HttpMethods.IsGet(method) || HttpMethods.IsHead(method) => FileIdOperation.Status,
        _ when onStatusPath => null,
        _ when HttpMethods.IsPost(method) || HttpMethods.IsPut(method) || HttpMethods.IsPatch(method) => FileIdOperation.Append,
        _ when HttpMethods.IsDelete(method) => FileIdOperation.Cancel,
        _ => null,
    };

    private static string? FindConflictingHeader(IHeaderDictionary headers) =>
        Array.Find(ConflictingHeaders.ForFileId, headers.ContainsKey)
        ?? (IetfHeaders.IsPartialUploadContentType(headers.ContentType) ? IetfHeaders.PartialUploadContentType : null);

    private static Problem BadRequest(string name, string detail) => new(400, Problem.CustomType("bad-" + name), "Invalid request header", detail);
}
