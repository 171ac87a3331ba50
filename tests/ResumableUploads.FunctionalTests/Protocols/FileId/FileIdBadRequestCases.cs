using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Protocols.FileId;

/// <summary>
/// Invalid requests to a server that has the uploads <c>known</c> (5 of 10 bytes) and <c>done</c> (3 bytes, complete). The type is null if Kestrel's
/// own parser rejects the request.
/// </summary>
internal sealed record FileIdBadRequestCase(string Name, string Request, int Status, string? Type)
{
    private const string Own = ProblemExpectations.Own;
    private const string Mismatch = ProblemExpectations.OffsetMismatch;
    private const string Conflict = ProblemExpectations.LengthConflict;
    private const string Known = "X-File-Id: known";
    private const string Done = "X-File-Id: done";
    private const string Five = "Content-Length: 5";

    /// <summary>Any 4xx status of Kestrel.</summary>
    public const int Any4xx = 0;

    private static readonly string[] InvalidNumbers =
    [
        "", "-1", "-0", "-5", "+5", "5.0", "5.", ".5", "5e0", "0x5", "five", "5 5", "5,5", "5;q=1", "\"5\"", "%35", "bytes=5-", "null", "undefined", "NaN", "Infinity",
        "true", "5\t5", "5\x01", "9223372036854775808", "18446744073709551616", new string('9', 100), "-9223372036854775809", "\u00ef\u00bc\u0095",
    ];

    private static readonly string[] InvalidDigests =
    [
        "", ",", "sha-256", "sha-256=", "sha-256=:", "sha-256=::", "sha-256=:AAAA:", "sha-256=:!!!!:", "sha-256=AAAA", "md5=:AAAA:", "SHA-256=:AAAA:", "sha-1=:AAAA:",
        "=:AAAA:", "sha-512=:AAAA:", "sha-256=\"AAAA\"", "sha-256=:" + new string('A', 500) + ":",
    ];

    public static IReadOnlyList<FileIdBadRequestCase> All { get; } = [.. Ids(), .. Numbers(), .. Offsets(), .. Lengths(), .. Methods(), .. Digests(), .. Others(), .. InvalidHttp()];

    private static IEnumerable<FileIdBadRequestCase> Ids()
    {
        foreach (string target in new[] { "GET /upload", "POST /upload", "PUT /upload", "PATCH /upload", "DELETE /upload", "HEAD /upload" })
        {
            yield return Case($"{target} without an id", 400, "bad-file-id", target);
        }

        foreach (string target in new[] { "GET /status", "HEAD /status", "GET /upload", "HEAD /upload", "POST /upload", "PUT /upload", "PATCH /upload", "DELETE /upload" })
        {
            foreach (char c in "\x01\x08\x0b\x1f\x7f")
            {
                yield return Case($"{target} with the control character \\x{(int)c:x2} in the id", 400, "bad-file-id", target, $"X-File-Id: a{c}b");
            }
        }

        foreach (string target in new[] { "GET /status", "GET /upload", "POST /upload", "DELETE /upload" })
        {
            yield return Case($"{target} with an empty id", 400, "bad-file-id", target, "X-File-Id:");
            yield return Case($"{target} with a whitespace id", 400, "bad-file-id", target, "X-File-Id:  \t ");
            yield return Case($"{target} with the same id twice", 400, "bad-file-id", target, Known, Known);
            yield return Case($"{target} with two ids", 400, "bad-file-id", target, Known, "x-file-id: other");
            yield return Case($"{target} with an id and an empty one", 400, "bad-file-id", target, Known, "X-File-Id:");
            yield return Case($"{target} with an id of 4,097 bytes", 400, "bad-file-id", target, "X-File-Id: " + new string('a', 4097));
            yield return Case($"{target} with an id of 2,049 two-byte characters", 400, "bad-file-id", target, "X-File-Id: " + string.Concat(Enumerable.Repeat("\u00c3\u00a9", 2049)));
            yield return Case($"{target} with an id of 8,000 bytes", 400, "bad-file-id", target, "X-File-Id: " + new string('a', 8000));
            yield return RejectedByKestrel($"{target} with NUL in the id", target, "X-File-Id: a\0b");
            yield return RejectedByKestrel($"{target} with CR in the id", target, "X-File-Id: a\rb");
            yield return RejectedByKestrel($"{target} with a folded id", target, "X-File-Id: a\r\n b");
        }
    }

    private static IEnumerable<FileIdBadRequestCase> Numbers()
    {
        foreach (string text in InvalidNumbers)
        {
            string shown = text.Length > 30 ? "100 digits" : string.Concat(text.Select(static c => c is < ' ' or > '~' ? $"\\x{(int)c:x2}" : c.ToString()));
            yield return Case($"start byte '{shown}'", 400, "bad-start-byte", "POST /upload", Known, "X-Start-Byte: " + text, Five, "", "WORLD");
            yield return Case($"file size '{shown}'", 400, "bad-file-size", "POST /upload", Known, "X-Start-Byte: 5", "X-File-Size: " + text, Five, "", "WORLD");
        }

        foreach ((string header, string name) in new[] { ("X-Start-Byte", "bad-start-byte"), ("X-File-Size", "bad-file-size") })
        {
            yield return Case($"{header} twice the same", 400, name, "POST /upload", Known, $"{header}: 5", $"{header}: 5", Five, "", "WORLD");
            yield return Case($"{header} twice", 400, name, "POST /upload", Known, $"{header}: 5", $"{header}: 6", Five, "", "WORLD");
            yield return Case($"{header} and an empty one", 400, name, "POST /upload", Known, $"{header}: 5", $"{header}:", Five, "", "WORLD");
            yield return Case($"delete with a bad {header}", 400, name, "DELETE /upload", Known, $"{header}: x");
            yield return Case($"status with a bad {header}", 400, name, "GET /status", Known, $"{header}: x");
            yield return RejectedByKestrel($"{header} with invalid UTF-8", "POST /upload", Known, $"{header}: 5\u00e9", Five, "", "WORLD");
            yield return RejectedByKestrel($"{header} with NUL", "POST /upload", Known, $"{header}: 5\0", Five, "", "WORLD");
        }
    }

    private static IEnumerable<FileIdBadRequestCase> Offsets()
    {
        foreach (int start in new[] { 0, 1, 4, 6, 10 })
        {
            yield return CaseOfType($"start byte {start} of known", 409, Mismatch, "POST /upload", Known, $"X-Start-Byte: {start}", "Content-Length: 0");
            yield return CaseOfType($"start byte {start} of known, chunked", 409, Mismatch, "PUT /upload", Known, $"X-Start-Byte: {start}", "Transfer-Encoding: chunked", "", "1\r\nx\r\n0\r\n\r\n");
        }

        yield return CaseOfType("no start byte for known", 409, Mismatch, "POST /upload", Known, Five, "", "WORLD");
        yield return CaseOfType("start byte 1 of an unknown upload", 409, Mismatch, "POST /upload", "X-File-Id: new", "X-Start-Byte: 1", Five, "", "WORLD");
        yield return CaseOfType("the largest start byte of an unknown upload", 409, Mismatch, "POST /upload", "X-File-Id: new", "X-Start-Byte: 9223372036854775807", "Transfer-Encoding: chunked", "", "0\r\n\r\n");
        yield return Case("the largest start byte with a body", 413, "too-large", "POST /upload", Known, "X-Start-Byte: 9223372036854775807", Five, "", "WORLD");
        yield return CaseOfType("start byte greater than the size", 400, Conflict, "POST /upload", Known, "X-Start-Byte: 11", "X-File-Size: 10", "Content-Length: 0");
        yield return CaseOfType("409 without 100 Continue", 409, Mismatch, "POST /upload", Known, "X-Start-Byte: 4", "Expect: 100-continue", Five);
        foreach (int start in new[] { 0, 1, 3 })
        {
            yield return Case($"body at {start} of a complete upload", 409, "upload-complete", "POST /upload", Done, $"X-Start-Byte: {start}", "Content-Length: 1", "", "x");
        }

        yield return Case("chunked body at the end of a complete upload", 409, "upload-complete", "POST /upload", Done, "X-Start-Byte: 3", "Transfer-Encoding: chunked", "", "1\r\nx\r\n0\r\n\r\n");
        yield return CaseOfType("empty body at 0 of a complete upload", 409, Mismatch, "POST /upload", Done, "Content-Length: 0");
        yield return CaseOfType("empty body beyond a complete upload", 409, Mismatch, "POST /upload", Done, "X-Start-Byte: 4", "Content-Length: 0");
        yield return CaseOfType("different size of a complete upload", 409, Own + "different-content", "POST /upload", Done, "X-Start-Byte: 3", "X-File-Size: 4", "Content-Length: 0");
        yield return CaseOfType("smaller size of a complete upload", 400, Conflict, "POST /upload", Done, "X-Start-Byte: 3", "X-File-Size: 2", "Content-Length: 0");
    }

    private static IEnumerable<FileIdBadRequestCase> Lengths()
    {
        foreach (int size in new[] { 5, 9, 11, 1000 })
        {
            yield return CaseOfType($"size {size} of known", 400, Conflict, "POST /upload", Known, "X-Start-Byte: 5", $"X-File-Size: {size}", "Content-Length: 0");
        }

        yield return CaseOfType("size 0 of known", 400, Conflict, "POST /upload", Known, "X-Start-Byte: 5", "X-File-Size: 0", Five, "", "WORLD");
        yield return Case("largest size", 413, "too-large", "POST /upload", "X-File-Id: new", "X-File-Size: 9223372036854775807", Five, "", "WORLD");
        yield return Case("size of MaxUploadSize + 1", 413, "too-large", "POST /upload", "X-File-Id: new", "X-File-Size: 1000001", Five, "", "WORLD");
        yield return Case("Content-Length of MaxUploadSize + 1", 413, "too-large", "POST /upload", "X-File-Id: new", "Content-Length: 1000001");
        yield return Case("largest Content-Length", 413, "too-large", "POST /upload", "X-File-Id: new", "Content-Length: 9223372036854775807");
        yield return Case("body beyond the size of a new upload", 413, "upload-length-exceeded", "POST /upload", "X-File-Id: new", "X-File-Size: 4", Five, "", "WORLD");
        yield return Case("body beyond the size of known", 413, "upload-length-exceeded", "POST /upload", Known, "X-Start-Byte: 5", "Content-Length: 6", "", "WORLD!");
        yield return Case("body beyond the size of known, sent again", 413, "upload-length-exceeded", "POST /upload", Known, "X-Start-Byte: 5", "X-File-Size: 10", "Content-Length: 6", "", "WORLD!");
        foreach (string length in new[] { "", "-1", "5.0", "five", "0x5", "9223372036854775808", "5 5", "5, 6" })
        {
            yield return RejectedByKestrel($"content length '{length}'", "POST /upload", Known, "X-Start-Byte: 5", "Content-Length: " + length, "", "WORLD");
        }

        yield return RejectedByKestrel("two content lengths", "POST /upload", Known, "X-Start-Byte: 5", Five, "Content-Length: 6", "", "WORLD");
        foreach (string coding in new[] { "gzip", "chunked, gzip", "identity", "chunke" })
        {
            yield return RejectedByKestrel($"transfer coding '{coding}'", "POST /upload", Known, "X-Start-Byte: 5", "Transfer-Encoding: " + coding, "", "WORLD");
        }

        foreach (string chunk in new[] { "zz\r\n", "-1\r\n", "+5\r\n", "0x5\r\n", "\r\n", ";a=b\r\n", "fffffffffffffffff\r\n", "80000000\r\n", " 5\r\nWORLD", "g\r\nWORLD" })
        {
            yield return Case($"chunk '{chunk.ReplaceLineEndings(" ")}'", 400, "interrupted", "POST /upload", Known, "X-Start-Byte: 5", "Transfer-Encoding: chunked", "", chunk);
        }
    }

    private static IEnumerable<FileIdBadRequestCase> Methods()
    {
        foreach (string method in new[] { "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "FOO" })
        {
            yield return Case($"{method} /status", 405, "method-not-allowed", $"{method} /status", Known);
        }

        foreach (string method in new[] { "TRACE", "PROPFIND", "LOCK", "COPY", "MOVE", "QUERY", "LINK", "FOO", "G", "POSTS", "X-Y_Z" })
        {
            yield return Case($"{method} /upload", 405, "method-not-allowed", $"{method} /upload", Known);
        }

        yield return Case("FOO /upload without an id", 405, "method-not-allowed", "FOO /upload");
        yield return RejectedByKestrel("CONNECT /upload", "CONNECT /upload", Known);
        yield return RejectedByKestrel("a method with a control byte", "PO\x01ST /upload", Known);
        yield return RejectedByKestrel("a method of 10,000 letters", new string('A', 10_000) + " /upload", Known);
    }

    private static IEnumerable<FileIdBadRequestCase> Digests()
    {
        foreach (string header in new[] { "Content-Digest", "Repr-Digest" })
        {
            foreach (string digest in InvalidDigests)
            {
                string shown = digest.Length > 100 ? "500 letters" : digest;
                yield return Case($"{header} '{shown}'", 400, "bad-digest", "POST /upload", Known, "X-Start-Byte: 5", Five, $"{header}: {digest}", "", "WORLD");
            }

            string wrong = $"{header}: sha-256=:{Convert.ToBase64String(SHA256.HashData("x"u8))}:";
            yield return Case($"{header} mismatch", 400, "digest-mismatch", "POST /upload", Known, "X-Start-Byte: 5", Five, wrong, "", "WORLD");
            yield return Case($"{header} mismatch, chunked", 400, "digest-mismatch", "POST /upload", Known, "X-Start-Byte: 5", "Transfer-Encoding: chunked", wrong, "", "5\r\nWORLD\r\n0\r\n\r\n");
            yield return Case($"{header} mismatch of a new upload", 400, "digest-mismatch", "POST /upload", "X-File-Id: new", Five, wrong, "", "WORLD");
        }
    }

    private static IEnumerable<FileIdBadRequestCase> Others()
    {
        yield return Case("append with Tus-Resumable", 400, "bad-two-protocols", "POST /upload", Known, "X-Start-Byte: 5", "Tus-Resumable: 1.0.0", Five, "", "WORLD");
        yield return Case("status with Tus-Resumable", 400, "bad-two-protocols", "GET /status", Known, "Tus-Resumable: 1.0.0");
        yield return Case("delete with Tus-Resumable", 400, "bad-two-protocols", "DELETE /upload", Known, "Tus-Resumable: 1.0.0");
        yield return Case("an empty range", 400, "bad-content-range", "PUT /upload", Known, "X-Start-Byte: 5", "Content-Range:", Five, "", "WORLD");
        yield return Case("a range twice", 400, "bad-content-range", "PUT /upload", Known, "Content-Range: bytes 5-9/10", "Content-Range: bytes 5-9/10", Five, "", "WORLD");
        yield return Case("a range of another unit", 400, "bad-content-range", "PUT /upload", Known, "Content-Range: items 5-9/10", Five, "", "WORLD");
        yield return Case("a range and another start byte", 400, "bad-content-range", "PUT /upload", Known, "X-Start-Byte: 5", "Content-Range: bytes 4-8/10", Five, "", "WORLD");
        yield return Case("a range longer than the body", 400, "bad-content-range", "PUT /upload", Known, "Content-Range: bytes 5-10/10", Five, "", "WORLD");

        yield return Case("two names", 400, "bad-file-name", "POST /upload", Known, "X-Start-Byte: 5", "X-File-Name: a", "X-File-Name: b", Five, "", "WORLD");
        yield return Case("a name of 1,025 bytes", 400, "bad-file-name", "POST /upload", Known, "X-Start-Byte: 5", "X-File-Name: " + new string('n', 1025), Five, "", "WORLD");
        yield return Case("a name longer than 1,024 bytes as UTF-8", 400, "bad-file-name", "POST /upload", Known, "X-Start-Byte: 5", "X-File-Name: " + new string('\u00e9', 600), Five, "", "WORLD");
        yield return Case("a content type of 257 letters", 400, "bad-content-type", "POST /upload", Known, "X-Start-Byte: 5", "Content-Type: " + new string('t', 257), Five, "", "WORLD");
    }

    /// <summary>Requests that are invalid HTTP, or have an invalid target.</summary>
    private static IEnumerable<FileIdBadRequestCase> InvalidHttp()
    {
        const string Host = "Host: 127.0.0.1\r\n";
        yield return new("HTTP/1.0 with a wrong start byte", $"POST /upload HTTP/1.0\r\n{Host}{Known}\r\nContent-Length: 5\r\n\r\nWORLD", 409, Mismatch);
        yield return new("HTTP/1.0 without an id", "GET /upload HTTP/1.0\r\n\r\n", 400, Own + "bad-file-id");
        yield return new("HTTP/1.0 without a length", $"POST /upload HTTP/1.0\r\n{Host}{Known}\r\nX-Start-Byte: 5\r\n\r\nWORLD", Any4xx, null);
        yield return new("absolute form without an id", $"POST http://127.0.0.1/upload HTTP/1.1\r\n{Host}\r\n", 400, Own + "bad-file-id");
        yield return new("absolute form with a wrong start byte", $"POST http://127.0.0.1/upload HTTP/1.1\r\n{Host}{Known}\r\nContent-Length: 0\r\n\r\n", 409, Mismatch);
        yield return new("absolute form of another host", $"POST http://other/upload HTTP/1.1\r\n{Host}{Known}\r\nX-Start-Byte: 5\r\nContent-Length: 5\r\n\r\nWORLD", Any4xx, null);
        yield return new("authority form", $"POST 127.0.0.1:80 HTTP/1.1\r\n{Host}{Known}\r\n\r\n", Any4xx, null);
        yield return new("asterisk form", $"POST * HTTP/1.1\r\n{Host}{Known}\r\n\r\n", Any4xx, null);
        yield return new("no host", $"POST /upload HTTP/1.1\r\n{Known}\r\nX-Start-Byte: 5\r\nContent-Length: 5\r\n\r\nWORLD", Any4xx, null);
        yield return new("two hosts", $"POST /upload HTTP/1.1\r\n{Host}Host: b\r\n{Known}\r\nX-Start-Byte: 5\r\nContent-Length: 5\r\n\r\nWORLD", Any4xx, null);
        yield return new("a host with a space", $"POST /upload HTTP/1.1\r\nHost: a b\r\n{Known}\r\nX-Start-Byte: 5\r\nContent-Length: 5\r\n\r\nWORLD", Any4xx, null);
        yield return new("no request line", "\x16\x03\x01\x02\0\x01\0\r\n\r\n", Any4xx, null);
        yield return new("a request line of one word", $"GARBAGE\r\n{Host}\r\n", Any4xx, null);
        yield return new("no version", $"POST /upload\r\n{Host}{Known}\r\n\r\n", Any4xx, null);
        yield return new("a path with NUL", $"POST /upload%00 HTTP/1.1\r\n{Host}{Known}\r\n\r\n", Any4xx, null);
        yield return new("a path with a raw NUL", $"POST /upload\0 HTTP/1.1\r\n{Host}{Known}\r\n\r\n", Any4xx, null);
        yield return new("a path of 10,000 bytes", $"POST /upload?{new string('q', 10_000)} HTTP/1.1\r\n{Host}{Known}\r\n\r\n", Any4xx, null);
        yield return RejectedByKestrel("a space before the colon", "POST /upload", "X-File-Id : known", "X-Start-Byte: 5", Five, "", "WORLD");
        yield return RejectedByKestrel("a header without a colon", "POST /upload", Known, "X-Start-Byte", Five, "", "WORLD");
        yield return RejectedByKestrel("a header without a name", "POST /upload", Known, ": 5", "X-Start-Byte: 5", Five, "", "WORLD");
        yield return RejectedByKestrel("a header name with a space", "POST /upload", Known, "X Start Byte: 5", "X-Start-Byte: 5", Five, "", "WORLD");
        yield return RejectedByKestrel("an id of 40,000 bytes", "POST /upload", "X-File-Id: " + new string('a', 40_000), Five, "", "WORLD");
        yield return RejectedByKestrel("200 headers", "POST /upload", [Known, "X-Start-Byte: 5", .. Enumerable.Range(0, 200).Select(static i => $"H{i}: x"), Five, "", "WORLD"]);
    }

    private static FileIdBadRequestCase Case(string name, int status, string type, string target, params string[] lines) => CaseOfType(name, status, Own + type, target, lines);

    private static FileIdBadRequestCase RejectedByKestrel(string name, string target, params string[] lines) => new(name, BuildRequest(target, lines), Any4xx, null);

    private static FileIdBadRequestCase CaseOfType(string name, int status, string type, string target, params string[] lines) => new(name, BuildRequest(target, lines), status, type);

    /// <summary>Builds a request from header lines, optionally followed by an empty line and the body.</summary>
    private static string BuildRequest(string target, string[] lines)
    {
        int empty = Array.IndexOf(lines, "");
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{target} HTTP/1.1\r\nHost: 127.0.0.1\r\n");
        foreach (string line in empty < 0 ? lines : lines[..empty])
        {
            text.Append(line).Append("\r\n");
        }

        return text.Append("\r\n").Append(empty < 0 ? "" : lines[empty + 1]).ToString();
    }
}
