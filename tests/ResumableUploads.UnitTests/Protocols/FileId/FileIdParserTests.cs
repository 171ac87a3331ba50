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
    public void Each_method_has_its_operation(string method, bool onStatusPath, string operation) =>
        Assert.Equal(operation, Parsed(method, onStatusPath, ("X-File-Id", "a")).Operation.ToString());

    [Theory]
    [InlineData("POST", true)]
    [InlineData("PUT", true)]
    [InlineData("PATCH", true)]
    [InlineData("DELETE", true)]
    [InlineData("TRACE", true)]
    [InlineData("TRACE", false)]
    [InlineData("PROPFIND", false)]
    [InlineData("", false)]
    public void Other_methods_are_405_and_told_which_to_use(string method, bool onStatusPath)
    {
        Problem problem = Refused(method, onStatusPath, ("X-File-Id", "a"));
        Assert.Equal((405, "urn:resumable-uploads:method-not-allowed"), (problem.Status, problem.Type));
        Assert.Contains(FileIdParser.GetAllowHeader(onStatusPath), problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void F1_an_id_is_one_to_1024_bytes()
    {
        Assert.Equal("bad-file-id", BadName());
        Assert.Equal("bad-file-id", BadName(("X-File-Id", "")));
        Assert.Equal("bad-file-id", BadName(("X-File-Id", new string('a', 1025))));
        Assert.Equal(1, Parsed("POST", false, ("X-File-Id", "a")).FileId.Length);
        Assert.Equal(1024, Parsed("POST", false, ("X-File-Id", new string('a', 1024))).FileId.Length);
    }

    [Fact]
    public void F1_the_length_of_an_id_is_counted_in_bytes_and_not_in_characters()
    {
        Assert.Equal(1024, Parsed("POST", false, ("X-File-Id", new string('é', 1024))).FileId.Length);
        Assert.NotNull(FileIdParser.Parse("POST", Headers([("X-File-Id", new string('é', 513))]), false, isLatin1: false, out _));
        Assert.Null(FileIdParser.Parse("POST", Headers([("X-File-Id", new string('é', 512))]), false, isLatin1: false, out FileIdRequest request));
        Assert.Equal(1024, request.FileId.Length);
    }

    [Fact]
    public void F1_an_id_that_is_sent_twice_is_refused_also_when_both_are_the_same() =>
        Assert.Equal("bad-file-id", BadName(("X-File-Id", new StringValues(["a", "a"]))));

    [Fact]
    public void F2_an_id_that_was_read_byte_by_byte_is_the_bytes_that_were_sent()
    {
        byte[] sent = [.. "caf"u8, 0xe9, 1, 0x7f, 0xff];
        Assert.Equal(sent, Parsed("POST", false, ("X-File-Id", Encoding.Latin1.GetString(sent))).FileId.ToArray());
    }

    [Theory]
    [InlineData("caf%C3%A9.pdf", "café.pdf")]
    [InlineData("100%.txt", "100%.txt")]
    [InlineData("a%zz%4", "a%zz%4")]
    [InlineData("%F0%9F%98%80.png", "😀.png")]
    [InlineData("caf%E9", "café")]
    [InlineData("caf\u00e9", "café")]
    [InlineData("caf\u00c3\u00a9", "café")]
    public void F2_a_name_is_percent_encoded_and_else_utf8_and_else_latin1(string header, string name) =>
        Assert.Equal(name, Parsed("POST", false, ("X-File-Id", "a"), ("X-File-Name", header)).FileName);

    [Fact]
    public void F2_without_a_name_it_is_taken_from_the_id() =>
        Assert.Equal("a b.txt", Parsed("POST", false, ("X-File-Id", "a b.txt-5-123"), ("X-File-Size", "5")).FileName);

    [Fact]
    public void F2_a_name_that_is_doubled_or_too_long_is_refused()
    {
        Assert.Equal("bad-file-name", BadName(("X-File-Id", "a"), ("X-File-Name", new StringValues(["a", "b"]))));
        Assert.Equal("bad-file-name", BadName(("X-File-Id", "a"), ("X-File-Name", new string('n', 1025))));
        Assert.Equal(1024, Parsed("POST", false, ("X-File-Id", "a"), ("X-File-Name", new string('n', 1024))).FileName!.Length);
    }

    [Fact]
    public void F3_no_start_byte_means_0() => Assert.Equal(0, Parsed("POST", false, ("X-File-Id", "a")).StartByte);

    [Theory]
    [InlineData("0", 0)]
    [InlineData("007", 7)]
    [InlineData(Largest, long.MaxValue)]
    [InlineData("00000000000000000000000000000001", 1)]
    public void F3_a_start_byte_is_a_decimal_number(string text, long number)
    {
        Assert.Equal(number, Parsed("POST", false, ("X-File-Id", "a"), ("X-Start-Byte", text)).StartByte);
        Assert.Equal(number, Parsed("POST", false, ("X-File-Id", "a"), ("X-File-Size", text)).FileSize);
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
    public void F3_everything_else_is_refused(string text)
    {
        Assert.Equal("bad-start-byte", BadName(("X-File-Id", "a"), ("X-Start-Byte", text)));
        Assert.Equal("bad-file-size", BadName(("X-File-Id", "a"), ("X-File-Size", text)));
    }

    [Fact]
    public void F3_a_number_that_is_sent_twice_is_refused()
    {
        Assert.Equal("bad-start-byte", BadName(("X-File-Id", "a"), ("X-Start-Byte", new StringValues(["1", "1"]))));
        Assert.Equal("bad-file-size", BadName(("X-File-Id", "a"), ("X-File-Size", new StringValues(["1", "1"]))));
    }

    [Fact]
    public void F5_a_start_byte_behind_the_size_contradicts_itself()
    {
        Assert.Equal(
            Problem.LengthConflictType, Refused("POST", false, ("X-File-Id", "a"), ("X-Start-Byte", "6"), ("X-File-Size", "5")).Type);
        Assert.Equal(5, Parsed("POST", false, ("X-File-Id", "a"), ("X-Start-Byte", "5"), ("X-File-Size", "5")).StartByte);
    }

    [Theory]
    [InlineData("Tus-Resumable", "1.0.0")]
    [InlineData("Upload-Complete", "?1")]
    [InlineData("Upload-Incomplete", "?0")]
    [InlineData("Upload-Draft-Interop-Version", "6")]
    [InlineData("Content-Type", "application/partial-upload")]
    [InlineData("Content-Type", " Application/Partial-Upload ; a=b")]
    public void Headers_of_another_protocol_are_refused(string name, string value)
    {
        Assert.Equal("two-protocols", BadName(("X-File-Id", "a"), (name, value))?["bad-".Length..]);
    }

    [Fact]
    public void A_content_type_is_kept_up_to_256_characters()
    {
        Assert.Equal("image/png", Parsed("POST", false, ("X-File-Id", "a"), ("Content-Type", "image/png")).ContentType);
        Assert.Null(Parsed("POST", false, ("X-File-Id", "a")).ContentType);
        Assert.Equal("bad-content-type", BadName(("X-File-Id", "a"), ("Content-Type", new string('a', 257))));
    }

    [Fact]
    public void F10_digests_of_the_piece_and_of_the_whole_are_told_apart()
    {
        byte[] a = SHA256.HashData("a"u8);
        byte[] b = SHA512.HashData("b"u8);
        FileIdRequest request = Parsed("POST", false,
            ("X-File-Id", "a"),
            ("Content-Digest", $"sha-256=:{Convert.ToBase64String(a)}:"),
            ("Repr-Digest", $"sha-512=:{Convert.ToBase64String(b)}:"));
        Assert.Equal(a, request.ContentDigest!.Value.ToArray());
        Assert.Equal(b, request.ReprDigest!.Value.ToArray());
        Assert.Equal("bad-digest", BadName(("X-File-Id", "a"), ("Content-Digest", "md5=:AAAA:")));
        Assert.Equal("bad-digest", BadName(("X-File-Id", "a"), ("Repr-Digest", "sha-256=AAAA")));
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

    private static FileIdRequest Parsed(string method, bool onStatusPath, params (string, StringValues)[] headers)
    {
        Assert.Null(FileIdParser.Parse(method, Headers(headers), onStatusPath, isLatin1: true, out FileIdRequest request));
        return request;
    }

    private static Problem Refused(string method, bool onStatusPath, params (string, StringValues)[] headers)
    {
        Problem? problem = FileIdParser.Parse(method, Headers(headers), onStatusPath, isLatin1: true, out _);
        Assert.NotNull(problem);
        return problem;
    }

    private static string? BadName(params (string, StringValues)[] headers)
    {
        Problem problem = Refused("POST", false, headers);
        Assert.Equal(400, problem.Status);
        return problem.Type["urn:resumable-uploads:".Length..];
    }
}
