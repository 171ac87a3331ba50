using System.Globalization;
using System.Text;
using ResumableUploads.Testing;

namespace ResumableUploads.FaultTests.Abuse;

/// <summary>A request at a limit or one beyond it. <c>{part}</c> in the text is replaced by the id of a complete partial upload of 3 bytes.</summary>
/// <param name="Name">The name of the case.</param>
/// <param name="Request">The complete request as sent on the wire.</param>
/// <param name="Status">The expected status code.</param>
/// <param name="Type">The type of the expected problem, or null if the request succeeds or the web server itself rejects it.</param>
internal sealed record LimitRow(string Name, string Request, int Status, string? Type)
{
    public const string Part = "{part}";
    private const int MaxMetadata = 8 * 1024;
    private const int MaxConcat = 16 * 1024;
    private const int IdLength = 40;
    private const string Uploads = "/upload/";
    private const string Max = "9223372036854775807";
    private const string MoreThanMax = "9223372036854775808";
    private const string LargestInteger = "999999999999999";
    private const string NoId = "POST /upload";

    public static IReadOnlyList<LimitRow> All { get; } = [.. Lengths(), .. Metadata(), .. Parts(), .. Names(), .. Ids()];

    private static IEnumerable<LimitRow> Lengths()
    {
        yield return Tus("the maximum length", 413, "too-large", "Upload-Length: " + Max);
        yield return Tus("one more than the largest length", 400, "bad-upload-length", "Upload-Length: " + MoreThanMax);
        yield return Tus("a length of 2,000 digits", 400, "bad-upload-length", "Upload-Length: " + new string('9', 2000));
        yield return Tus("a length with 2,000 leading zeros", 201, null, "Upload-Length: " + new string('0', 2000) + "5");
        yield return Tus("a negative length", 400, "bad-upload-length", "Upload-Length: -1");
        yield return Tus("a length with a sign", 400, "bad-upload-length", "Upload-Length: +5");
        yield return Tus("the length of twelve lists", 400, "bad-upload-length", "Upload-Length: 5,5,5,5,5,5,5,5,5,5,5,5");
        yield return Ietf("the largest integer as length", 413, "too-large", "Upload-Length: " + LargestInteger);
        yield return Ietf("a length with leading zeros", 201, null, "Upload-Length: 000000000000005");

        // A value that is not an integer is ignored (RFC 9651, section 4.2).
        yield return Ietf("a length one above the maximum integer", 201, null, "Upload-Length: 1000000000000000");
        yield return Ietf("a length of 2,000 digits", 201, null, "Upload-Length: " + new string('9', 2000));
        yield return Ietf("a negative length", 201, null, "Upload-Length: -1");
        yield return Ietf("5,000 parameters behind the length", 201, null, "Upload-Length: 5" + Repeated(";a=1", 5000));
        yield return Ietf("an interop version that no number holds", 201, null, "Upload-Draft-Interop-Version: " + new string('9', 500));
        yield return FileId("the largest size with leading zeros", 413, "too-large", "X-File-Id: a", "X-File-Size: " + new string('0', 500) + Max);
    }

    private static IEnumerable<LimitRow> Metadata()
    {
        yield return Tus("metadata of the greatest length", 201, null, Five, "Upload-Metadata: kkk " + Base64(MaxMetadata - 8) + "AA==");
        yield return Tus("metadata of one byte more", 400, "bad-metadata", Five, "Upload-Metadata: kkkk " + Base64(MaxMetadata - 8) + "AA==");
        yield return Tus("metadata of thousands of keys", 201, null, Five, "Upload-Metadata: " + Keys(MaxMetadata));
        yield return Tus("thousands of keys and one more", 400, "bad-metadata", Five, "Upload-Metadata: " + Keys(MaxMetadata) + ",z");
        yield return Tus("metadata of nothing but commas", 400, "bad-metadata", Five, "Upload-Metadata: " + new string(',', MaxMetadata));
        yield return Tus("metadata in two headers", 400, "bad-metadata", Five, "Upload-Metadata: a YQ==", "Upload-Metadata: a YQ==");

        // Each of these characters takes six in the record.
        yield return Tus("metadata larger than the maximum record", 431, "headers-too-large", Five, "Upload-Metadata: kkk " + Base64(MaxMetadata - 4, '+'));
        yield return Tus("a file name of 6,000 control characters", 201, null, Five, "Upload-Metadata: filename " + Convert.ToBase64String([.. Enumerable.Repeat((byte)1, 6000)]));
        yield return Tus("a file name of 2,000 characters of three bytes", 201, null, Five, "Upload-Metadata: filename " + Convert.ToBase64String(Encoding.UTF8.GetBytes(new string('\u65e5', 2000))));
    }

    private static IEnumerable<LimitRow> Parts()
    {
        int most = (MaxConcat - "final;".Length) / (Uploads.Length + IdLength + 1);
        yield return Tus($"{most} times the same part", 201, null, "Upload-Concat: final;" + Repeated($" {Uploads}{Part}", most));
        yield return Tus($"{most} missing parts", 400, "part-missing", "Upload-Concat: final;" + Repeated($" {Uploads}{new string('0', IdLength)}", most));
        yield return Tus("one part more than the maximum", 400, "bad-concat", "Upload-Concat: final;" + Repeated($" {Uploads}{Part}", most + 1));
        yield return Tus("thousands of parts without a name", 400, "part-missing", "Upload-Concat: final;" + Repeated(" /", 8000));
        yield return Tus("the maximum number of parts and the maximum metadata", 201, null, "Upload-Concat: final;" + Repeated($" {Uploads}{Part}", most), "Upload-Metadata: k " + Base64(1020));
    }

    private static IEnumerable<LimitRow> Names()
    {
        string Name(int length) => $"Content-Disposition: attachment; filename=\"{new string('n', length)}\"";
        yield return Ietf("a name of 1,024 characters", 201, null, Name(1024));
        yield return Ietf("a name of 1,025 characters", 400, "bad-content-disposition", Name(1025));
        yield return Ietf("a name of 1,025 encoded characters", 400, "bad-content-disposition", "Content-Disposition: attachment; filename*=UTF-8''" + Repeated("%E2%82%AC", 1025));
        yield return Ietf("a thousand parameters", 201, null, "Content-Disposition: attachment" + Repeated(";a=b", 1000));
        yield return Ietf("a type of 256 characters", 201, null, "Content-Type: a/" + new string('t', 254));
        yield return Ietf("a type of 257 characters", 400, "bad-content-type", "Content-Type: a/" + new string('t', 255));
        yield return FileId("an id and a name of 1,024 bytes", 200, null, "X-File-Id: " + new string('i', 1024), "X-File-Name: " + new string('n', 1024));
        yield return FileId("a name of 341 characters of three bytes, encoded", 200, null, "X-File-Id: b", "X-File-Name: " + Repeated("%E2%82%AC", 341));
        yield return FileId("a name of one byte more", 400, "bad-file-name", "X-File-Id: c", "X-File-Name: " + Repeated("%E2%82%AC", 341) + "nn");
        yield return new("100 headers", Text(NoId, ["X-File-Id: d", .. Enumerable.Range(0, 97).Select(static i => $"H{i}: x")]), 200, null);
        yield return new("101 headers", Text(NoId, ["X-File-Id: e", .. Enumerable.Range(0, 98).Select(static i => $"H{i}: x")]), 431, null);
        yield return new("33 KiB of headers", Text(NoId, ["X-File-Id: f", .. Enumerable.Range(0, 33).Select(static i => $"H{i}: {new string('x', 1024)}")]), 431, null);
    }

    private static IEnumerable<LimitRow> Ids()
    {
        string[] ids =
        [
            "x", new string('0', IdLength - 1), new string('0', IdLength + 1), new string('A', IdLength), new string('0', 7000), "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%2f..%2f..%2frecord.json",
            "%2fetc%2fpasswd", "..%5c..%5cboot.ini", "%c0%ae%c0%ae%2f", Repeated("%F0%9F%98%80", 500), "%0d%0aX-Evil:%201", "%25%32%65", "a%20b", "con", "nul.txt", "..;", "%e2%80%ae", "%ff%fe",
        ];
        foreach (string id in ids)
        {
            string shown = id.Length > 50 ? $"{id[..20]}... of {id.Length} characters" : id;
            foreach (string method in new[] { "HEAD", "DELETE", "PATCH" })
            {
                // None of these is the URL of an upload, so the request is passed to the app, which has no such route.
                string chunk = method == "PATCH" ? "Upload-Offset: 0\r\nContent-Type: application/{0}\r\nUpload-Complete: ?1" : "X-Nothing: 0";
                yield return new($"tus {method} of {shown}", Text($"{method} /upload/{id}", ["Tus-Resumable: 1.0.0", chunk.Replace("{0}", "offset+octet-stream", StringComparison.Ordinal).Replace("\r\nUpload-Complete: ?1", "", StringComparison.Ordinal)]), 404, null);
                yield return new($"ietf {method} of {shown}", Text($"{method} /upload/{id}", ["Upload-Draft-Interop-Version: 10", chunk.Replace("{0}", "partial-upload", StringComparison.Ordinal)]), 404, null);
            }
        }

        yield return new("tus HEAD of an id with NUL", Text("HEAD /upload/a%00b", ["Tus-Resumable: 1.0.0"]), 400, null);
    }

    private const string Five = "Upload-Length: 5";

    private static LimitRow Tus(string name, int status, string? type, params string[] lines) =>
        new("tus: " + name, Text(NoId, ["Tus-Resumable: 1.0.0", .. lines]), status, type);

    private static LimitRow Ietf(string name, int status, string? type, params string[] lines) =>
        new("ietf: " + name, Text(NoId, [.. lines.Any(static line => line.StartsWith("Upload-Draft", StringComparison.Ordinal)) ? [] : (string[])["Upload-Draft-Interop-Version: 10"], "Upload-Complete: ?0", .. lines]), status, type);

    private static LimitRow FileId(string name, int status, string? type, params string[] lines) => new("file-id: " + name, Text(NoId, lines), status, type);

    /// <summary>Gets the full problem type URI.</summary>
    public string? FullType => Type is null ? null : ProblemExpectations.Own + Type;

    private static string Text(string target, IEnumerable<string> lines) =>
        $"{target} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n{string.Concat(lines.Select(static line => line + "\r\n"))}\r\n";

    private static string Repeated(string text, int times) => string.Concat(Enumerable.Repeat(text, times));

    /// <summary>Returns base64 text of the given length, without padding.</summary>
    private static string Base64(int length, char character = 'A') => new(character, length / 4 * 4);

    /// <summary>Returns metadata keys without values, exactly as long as requested.</summary>
    private static string Keys(int length)
    {
        var keys = new StringBuilder("k");
        for (int i = 0; keys.Length + 6 <= length; i++)
        {
            keys.Append(CultureInfo.InvariantCulture, $",k{i:x4}");
        }

        return keys.Append('k', length - keys.Length).ToString();
    }
}
