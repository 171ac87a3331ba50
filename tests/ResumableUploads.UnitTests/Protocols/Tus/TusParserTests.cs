using Microsoft.AspNetCore.Http;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.UnitTests.Protocols.Tus;

/// <summary>The parser of tus requests (tus 1.0.0; docs/protocols/tus.md).</summary>
public class TusParserTests
{
    private const string ChunkType = "Content-Type: application/offset+octet-stream";

    /// <summary>The method, whether the URL is an upload URL, the body length (-1: unknown), the headers besides Tus-Resumable, and the status (0: valid).</summary>
    public static readonly TheoryData<string, bool, long, string, int> Table = new()
    {
        { "OPTIONS", false, 0, "", 0 },
        { "OPTIONS", true, 0, "", 0 },
        { "POST", false, 0, "Upload-Length: 5", 0 },
        { "POST", false, 0, "Upload-Length: 005", 0 },
        { "POST", false, 0, "Upload-Length: 0", 0 },
        { "POST", false, 0, "Upload-Length: 9223372036854775807", 0 },
        { "POST", false, 0, "Upload-Length: 9223372036854775808", 400 },
        { "POST", false, 0, "Upload-Length:  ", 400 },
        { "POST", false, 0, "Upload-Length: 5\nUpload-Length: 5", 400 },
        { "POST", false, 0, "Upload-Length: \u0665", 400 },
        { "POST", false, 0, "", 400 },
        { "POST", false, 0, "Upload-Defer-Length: 1", 0 },
        { "POST", false, 0, "Upload-Defer-Length: 1\nUpload-Defer-Length: 1", 400 },
        { "POST", false, 0, "Upload-Length: 5\nUpload-Defer-Length: 1", 400 },
        { "POST", false, 0, "Upload-Length: 5\nUpload-Metadata: a,b", 0 },
        { "POST", false, 0, "Upload-Length: 5\nUpload-Metadata: a,a", 400 },
        { "POST", false, 0, "Upload-Length: 5\nContent-Type: text/plain", 0 },
        { "POST", false, 3, "Upload-Length: 5\nContent-Type: text/plain", 415 },
        { "POST", false, -1, "Upload-Length: 5", 415 },
        { "POST", false, 3, "Upload-Length: 5\n" + ChunkType, 0 },
        { "POST", false, 3, "Upload-Length: 5\nUpload-Checksum: x\n" + ChunkType, 400 },
        { "POST", false, 0, "Upload-Length: 5\nX-File-Id: f", 400 },
        { "POST", false, 0, "Upload-Length: 5\nUpload-Complete: ?1", 0 },
        { "POST", false, 0, "Upload-Length: 5\nContent-Range: bytes 0-4/5", 400 },
        { "POST", false, 5, "Upload-Length: 5\nContent-Encoding: gzip\n" + ChunkType, 415 },
        { "POST", false, 5, "Upload-Length: 5\nContent-Encoding: Identity\n" + ChunkType, 0 },
        { "POST", false, 0, "Upload-Length: 5\nContent-Encoding: gzip", 0 },
        { "PATCH", true, 3, "Upload-Offset: 0\nContent-Encoding: br\n" + ChunkType, 415 },
        { "PATCH", true, 3, "Upload-Offset: 0\nContent-Range: bytes 0-2/5\n" + ChunkType, 400 },
        { "POST", true, 0, "Upload-Length: 5", 405 },
        { "PATCH", true, 3, "Upload-Offset: 0\n" + ChunkType, 0 },
        { "PATCH", true, 3, "Upload-Offset: 0\n" + ChunkType + ";a=b", 0 },
        { "PATCH", true, 3, "Upload-Offset: 0", 415 },
        { "PATCH", true, 3, "Upload-Offset: 0\n" + ChunkType + "\n" + ChunkType, 415 },
        { "PATCH", true, 3, ChunkType, 400 },
        { "PATCH", true, 3, "Upload-Offset: -1\n" + ChunkType, 400 },
        { "PATCH", true, 3, "Upload-Offset: 1.0\n" + ChunkType, 400 },
        { "PATCH", true, 3, "Upload-Offset: 0\nUpload-Offset: 0\n" + ChunkType, 400 },
        { "PATCH", true, 0, "Upload-Offset: 0\nUpload-Length: 5\n" + ChunkType, 0 },
        { "PATCH", true, 0, "Upload-Offset: 0\nUpload-Length: x\n" + ChunkType, 400 },
        { "PATCH", true, 0, "Upload-Offset: 0\nUpload-Length: 5\nUpload-Defer-Length: 1\n" + ChunkType, 400 },
        { "PATCH", true, -1, "Upload-Offset: 0\nTrailer: Upload-Checksum\n" + ChunkType, 0 },
        { "PATCH", true, -1, "Upload-Offset: 0\nTrailer: x, upload-checksum\nUpload-Checksum: sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk=\n" + ChunkType, 400 },
        { "PATCH", false, 3, "Upload-Offset: 0\n" + ChunkType, 405 },
        { "HEAD", true, 0, "", 0 },
        { "HEAD", false, 0, "", 405 },
        { "GET", true, 0, "", 0 },
        { "GET", false, 0, "", 405 },
        { "DELETE", true, 0, "", 0 },
        { "DELETE", false, 0, "", 405 },
        { "PUT", true, 3, "Upload-Offset: 0\n" + ChunkType, 405 },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void Request_is_valid_or_returns_one_status(string method, bool isUpload, long body, string headers, int status)
    {
        Problem? problem = Parse(method, isUpload, body, headers + "\nTus-Resumable: 1.0.0", out _);
        Assert.Equal(status, problem?.Status ?? 0);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Tus-Resumable: 1.0")]
    [InlineData("Tus-Resumable: 1.0.0 ")]
    [InlineData("Tus-Resumable: 1.0.0\nTus-Resumable: 1.0.0")]
    public void Version_must_match_exactly(string headers)
    {
        Assert.Equal(412, Parse("HEAD", true, 0, headers, out _)?.Status);
        Assert.Null(Parse("OPTIONS", true, 0, headers, out TusRequest request));
        Assert.Equal(TusOperation.Discover, request.Operation);
    }

    [Theory]
    [InlineData(false, "Tus-Resumable: 1.0.0", "Status")]
    [InlineData(true, "Tus-Resumable: 1.0.0", "Status")]
    [InlineData(true, "", "Download")]
    [InlineData(false, "", null)]
    [InlineData(true, "Tus-Resumable: 1.0", null)]
    public void GET_is_a_status_request_or_a_download(bool allowsDownload, string headers, string? operation)
    {
        Problem? problem = TusParser.Parse(new RequestHead("GET", Headers(headers), true, 0), new TusCapabilities(10, true, allowsDownload), out TusRequest request);
        Assert.Equal((operation is null ? 412 : null, operation), (problem?.Status, problem is null ? request.Operation.ToString() : null));
    }

    [Theory]
    [InlineData("partial", "partial")]
    [InlineData("partial", "final;/a")]
    [InlineData("final;/a", "final;/b")]
    public void Upload_Concat_sent_twice_returns_400(string first, string second)
    {
        string length = first == "partial" ? "\nUpload-Length: 5" : "";
        Assert.Null(Parse("POST", false, 0, $"Tus-Resumable: 1.0.0\nUpload-Concat: {first}{length}", out _));
        Problem? problem = Parse("POST", false, 0, $"Tus-Resumable: 1.0.0\nUpload-Concat: {first}\nUpload-Concat: {second}{length}", out _);
        Assert.Equal(400, problem?.Status);
        Assert.EndsWith("concat", problem?.Type, StringComparison.Ordinal);
    }

    [Fact]
    public void Append_is_parsed()
    {
        Assert.Null(Parse("PATCH", true, 3, "Tus-Resumable: 1.0.0\nUpload-Offset: 7\nUpload-Length: 9\n" + ChunkType, out TusRequest request));
        Assert.Equal((TusOperation.Append, 7L, 9L, true, false), (request.Operation, request.Offset, request.UploadLength, request.HasContent, request.HasChecksumTrailer));
    }

    [Fact]
    public void Creation_is_parsed()
    {
        Assert.Null(Parse("POST", false, 3, "Tus-Resumable: 1.0.0\nUpload-Defer-Length: 1\nUpload-Metadata: filename YS50eHQ=\n" + ChunkType, out TusRequest request));
        Assert.Equal((TusOperation.Create, null, true, "a.txt"), (request.Operation, request.UploadLength, request.HasContent, request.Metadata?.FileName));
    }

    [Fact]
    public void Checksum_without_staging_returns_400() =>
        Assert.Equal(400, TusParser.Parse(
            new RequestHead("PATCH", Headers("Tus-Resumable: 1.0.0\nUpload-Offset: 0\nUpload-Checksum: sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk=\n" + ChunkType), true, 3),
            new TusCapabilities(10, false),
            out _)?.Status);

    private static Problem? Parse(string method, bool isUpload, long body, string headers, out TusRequest request) =>
        TusParser.Parse(new RequestHead(method, Headers(headers), isUpload, body < 0 ? null : body), new TusCapabilities(1000, true), out request);

    private static HeaderDictionary Headers(string lines)
    {
        var headers = new HeaderDictionary();
        foreach (string line in lines.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            headers.Append(line[..colon], line[(colon + 2)..]);
        }

        return headers;
    }
}
