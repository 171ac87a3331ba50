using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.FileId;

namespace ResumableUploads.UnitTests.Protocols.FileId;

public class FileIdParserTests
{
    private const string Largest = "9223372036854775807";

    [Theory]
    [InlineData("GET", false, "Status")]
    [InlineData("HEAD", false, "Status")]
    [InlineData("GET", true, "Status")]
    [InlineData("HEAD", true, "Status")]
    [InlineData("POST", false, "Append")]
    [InlineData("PUT", false, "Append")]
    [InlineData("PATCH", false, "Append")]
    [InlineData("DELETE", false, "Cancel")]
    public void Method_determines_operation(string method, bool onStatusPath, string operation) =>
        Assert.Equal(operation, ParseValid(method, onStatusPath, ("X-File-Id", "a")).Operation.ToString());

    [Theory]
    [InlineData("POST", true)]
    [InlineData("PUT", true)]
    [InlineData("PATCH", true)]
    [InlineData("DELETE", true)]
    [InlineData("TRACE", true)]
    [InlineData("TRACE", false)]
    [InlineData("PROPFIND", false)]
    [InlineData("", false)]
    public void Unsupported_method_returns_405_with_allowed_methods(string method, bool onStatusPath)
    {
        Problem problem = ParseInvalid(method, onStatusPath, ("X-File-Id", "a"));
        Assert.Equal((405, "urn:resumable-uploads:method-not-allowed"), (problem.Status, problem.Type));
        Assert.Contains(FileIdParser.GetAllowHeader(onStatusPath), problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void File_id_has_1_to_4096_bytes()
    {
        Assert.Equal("bad-file-id", GetProblemName());
        Assert.Equal("bad-file-id", GetProblemName(("X-File-Id", "")));
        Assert.Equal("bad-file-id", GetProblemName(("X-File-Id", new string('a', 4097))));
        Assert.Equal(1, ParseValid("POST", false, ("X-File-Id", "a")).FileId.Length);
        Assert.Equal(4096, ParseValid("POST", false, ("X-File-Id", new string('a', 4096))).FileId.Length);
    }

    [Fact]
    public void File_id_length_is_counted_in_bytes()
    {
        Assert.Equal(4096, ParseValid("POST", false, ("X-File-Id", new string('é', 4096))).FileId.Length);
        Assert.NotNull(FileIdParser.Parse("POST", Headers([("X-File-Id", new string('é', 2049))]), false, isLatin1: false, out _));
        Assert.Null(FileIdParser.Parse("POST", Headers([("X-File-Id", new string('é', 2048))]), false, isLatin1: false, out FileIdRequest request));
        Assert.Equal(4096, request.FileId.Length);
    }

    [Theory]
    [InlineData("GET", true)]
    [InlineData("HEAD", false)]
    [InlineData("POST", false)]
    [InlineData("PUT", false)]
    [InlineData("PATCH", false)]
    [InlineData("DELETE", false)]
    public void File_id_with_control_character_is_rejected(string method, bool onStatusPath)
    {
        for (int c = 0; c <= byte.MaxValue; c++)
        {
            foreach (bool isLatin1 in (bool[])[false, true])
            {
                Problem? problem = FileIdParser.Parse(method, Headers([("X-File-Id", $"a{(char)c}b")]), onStatusPath, isLatin1, out _);
                Assert.Equal(c is < 0x20 and not '\t' or 0x7F ? "urn:resumable-uploads:bad-file-id" : null, problem?.Type);
            }
        }
    }

    [Fact]
    public void Repeated_file_id_is_rejected() =>
        Assert.Equal("bad-file-id", GetProblemName(("X-File-Id", new StringValues(["a", "a"]))));

    [Fact]
    public void File_id_decoded_as_Latin1_keeps_its_bytes()
    {
        byte[] sent = [.. "caf"u8, 0xe9, (byte)'\t', 0x80, 0xff];
        Assert.Equal(sent, ParseValid("POST", false, ("X-File-Id", Encoding.Latin1.GetString(sent))).FileId.ToArray());
    }

    [Theory]
    [InlineData("caf%C3%A9.pdf", "café.pdf")]
    [InlineData("100%.txt", "100%.txt")]
    [InlineData("a%zz%4", "a%zz%4")]
    [InlineData("%F0%9F%98%80.png", "😀.png")]
    [InlineData("caf%E9", "café")]
    [InlineData("caf\u00e9", "café")]
    [InlineData("caf\u00c3\u00a9", "café")]
    public void File_name_is_decoded_from_percent_encoding_UTF8_or_Latin1(string header, string name) =>
        Assert.Equal(name, ParseValid("POST", false, ("X-File-Id", "a"), ("X-File-Name", header)).FileName);

    [Fact]
    public void Missing_file_name_is_taken_from_the_id() =>
        Assert.Equal("a b.txt", ParseValid("POST", false, ("X-File-Id", "a b.txt-5-123"), ("X-File-Size", "5")).FileName);

    [Fact]
    public void Repeated_or_too_long_file_name_is_rejected()
    {
        Assert.Equal("bad-file-name", GetProblemName(("X-File-Id", "a"), ("X-File-Name", new StringValues(["a", "b"]))));
        Assert.Equal("bad-file-name", GetProblemName(("X-File-Id", "a"), ("X-File-Name", new string('n', 1025))));
        Assert.Equal(1024, ParseValid("POST", false, ("X-File-Id", "a"), ("X-File-Name", new string('n', 1024))).FileName!.Length);
    }

    [Fact]
    public void Missing_start_byte_is_0() => Assert.Equal(0, ParseValid("POST", false, ("X-File-Id", "a")).StartByte);

    [Theory]
    [InlineData("0", 0)]
    [InlineData("007", 7)]
    [InlineData(Largest, long.MaxValue)]
    [InlineData("00000000000000000000000000000001", 1)]
    public void Number_of_decimal_digits_is_parsed(string text, long number)
    {
        Assert.Equal(number, ParseValid("POST", false, ("X-File-Id", "a"), ("X-Start-Byte", text)).StartByte);
        Assert.Equal(number, ParseValid("POST", false, ("X-File-Id", "a"), ("X-File-Size", text)).FileSize);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    [InlineData("-1")]
    [InlineData("-0")]
    [InlineData("+1")]
    [InlineData("1.0")]
    [InlineData("1e3")]
    [InlineData("0x10")]
    [InlineData("1,000")]
    [InlineData("1_000")]
    [InlineData("١")]
    [InlineData("９")]
    [InlineData("NaN")]
    [InlineData("null")]
    [InlineData("9223372036854775808")]
    [InlineData("18446744073709551616")]
    [InlineData("99999999999999999999999999999999999999")]
    public void Number_with_other_characters_is_rejected(string text)
    {
        Assert.Equal("bad-start-byte", GetProblemName(("X-File-Id", "a"), ("X-Start-Byte", text)));
        Assert.Equal("bad-file-size", GetProblemName(("X-File-Id", "a"), ("X-File-Size", text)));
    }

    [Fact]
    public void Repeated_number_is_rejected()
    {
        Assert.Equal("bad-start-byte", GetProblemName(("X-File-Id", "a"), ("X-Start-Byte", new StringValues(["1", "1"]))));
        Assert.Equal("bad-file-size", GetProblemName(("X-File-Id", "a"), ("X-File-Size", new StringValues(["1", "1"]))));
    }

    [Fact]
    public void Start_byte_greater_than_size_is_rejected()
    {
        Assert.Equal(
            Problem.LengthConflictType, ParseInvalid("POST", false, ("X-File-Id", "a"), ("X-Start-Byte", "6"), ("X-File-Size", "5")).Type);
        Assert.Equal(5, ParseValid("POST", false, ("X-File-Id", "a"), ("X-Start-Byte", "5"), ("X-File-Size", "5")).StartByte);
    }

    [Theory]
    [InlineData("Upload-Complete", "?0")]
    [InlineData("Upload-Incomplete", "?0")]
    [InlineData("Upload-Draft-Interop-Version", "6")]
    [InlineData("Content-Type", "application/partial-upload")]
    public void Headers_of_IETF_draft_are_ignored(string name, string value) =>
        Assert.Equal(5, ParseValid("POST", false, ("X-File-Id", "a"), ("X-Start-Byte", "5"), (name, value)).StartByte);

    [Fact]
    public void Headers_of_tus_are_rejected() =>
        Assert.Equal("bad-two-protocols", GetProblemName(("X-File-Id", "a"), ("Tus-Resumable", "1.0.0")));

    [Fact]
    public void Content_type_has_at_most_256_characters()
    {
        Assert.Equal("image/png", ParseValid("POST", false, ("X-File-Id", "a"), ("Content-Type", "image/png")).ContentType);
        Assert.Null(ParseValid("POST", false, ("X-File-Id", "a")).ContentType);
        Assert.Equal("bad-content-type", GetProblemName(("X-File-Id", "a"), ("Content-Type", new string('a', 257))));
    }

    [Fact]
    public void Content_and_representation_digests_are_parsed()
    {
        byte[] a = SHA256.HashData("a"u8);
        byte[] b = SHA512.HashData("b"u8);
        FileIdRequest request = ParseValid("POST", false,
            ("X-File-Id", "a"),
            ("Content-Digest", $"sha-256=:{Convert.ToBase64String(a)}:"),
            ("Repr-Digest", $"sha-512=:{Convert.ToBase64String(b)}:"));
        Assert.Equal(a, request.ContentDigest!.Value.ToArray());
        Assert.Equal(b, request.ReprDigest!.Value.ToArray());
        Assert.Equal("bad-digest", GetProblemName(("X-File-Id", "a"), ("Content-Digest", "md5=:AAAA:")));
        Assert.Equal("bad-digest", GetProblemName(("X-File-Id", "a"), ("Repr-Digest", "sha-256=AAAA")));
    }

    private static HeaderDictionary Headers((string Name, StringValues Value)[] headers)
    {
        var dictionary = new HeaderDictionary();
        foreach ((string name, StringValues value) in headers)
        {
            dictionary[name] = value.Count == 1 && value[0] == "" ? new StringValues([""]) : value;
        }

        return dictionary;
    }

    private static FileIdRequest ParseValid(string method, bool onStatusPath, params (string, StringValues)[] headers)
    {
        Assert.Null(FileIdParser.Parse(method, Headers(headers), onStatusPath, isLatin1: true, out FileIdRequest request));
        return request;
    }

    private static Problem ParseInvalid(string method, bool onStatusPath, params (string, StringValues)[] headers)
    {
        Problem? problem = FileIdParser.Parse(method, Headers(headers), onStatusPath, isLatin1: true, out _);
        Assert.NotNull(problem);
        return problem;
    }

    private static string? GetProblemName(params (string, StringValues)[] headers)
    {
        Problem problem = ParseInvalid("POST", false, headers);
        Assert.Equal(400, problem.Status);
        return problem.Type["urn:resumable-uploads:".Length..];
    }
}
