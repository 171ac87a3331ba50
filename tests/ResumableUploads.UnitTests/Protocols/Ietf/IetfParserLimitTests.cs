using Microsoft.AspNetCore.Http;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.Ietf;

namespace ResumableUploads.UnitTests.Protocols.Ietf;

/// <summary>The boundaries of lengths and limits (draft-ietf-httpbis-resumable-upload-12, section 4.1.4).</summary>
public class IetfParserLimitTests
{
    [Theory]
    [InlineData("PATCH", "?0", 5, false)]
    [InlineData("PATCH", "?0", 6, true)]
    [InlineData("PATCH", "?0", 7, true)]
    [InlineData("PATCH", "?0", 0, false)]
    [InlineData("PATCH", "?1", 5, true)]
    [InlineData("POST", "?0", 5, false)]
    [InlineData("POST", "?0", 6, true)]
    [InlineData("POST", "?0", 0, true)]
    [InlineData("POST", "?1", 5, true)]
    public void Parse_rejects_content_below_min_append_size(string method, string complete, long length, bool isValid)
    {
        var headers = new HeaderDictionary { ["Upload-Complete"] = complete };
        if (method == "PATCH")
        {
            headers["Upload-Offset"] = "0";
            headers["Content-Type"] = "application/partial-upload";
        }

        Problem? problem = IetfParser.Parse(
            new RequestHead(method, headers, method == "PATCH", length), IetfVersion.Latest, new IetfLimits(1000, MinAppendSize: 6), out _);
        Assert.Equal(isValid ? null : Problem.CustomType("append-too-small"), problem?.Type);
    }

    [Theory]
    [InlineData("?0", 5, false)]
    [InlineData("?0", 6, true)]
    [InlineData("?1", 5, true)]
    public void Parse_rejects_creation_below_min_size(string complete, long length, bool isValid)
    {
        var headers = new HeaderDictionary { ["Upload-Complete"] = complete, ["Upload-Length"] = $"{length}" };
        Problem? problem = IetfParser.Parse(new RequestHead("POST", headers, false, 0), IetfVersion.Latest, new IetfLimits(1000, MinSize: 6), out _);
        Assert.Equal(isValid ? null : Problem.CustomType("too-small"), problem?.Type);
    }

    [Theory]
    [InlineData("0", 0L)]
    [InlineData("1", 1L)]
    [InlineData("-1", null)]
    [InlineData("one", null)]
    public void Parse_reads_length_of_at_least_0(string text, long? expected)
    {
        var headers = new HeaderDictionary { ["Upload-Complete"] = "?0", ["Upload-Length"] = text };
        Assert.Null(IetfParser.Parse(new RequestHead("POST", headers, false, 0), IetfVersion.Latest, new IetfLimits(1000), out IetfRequest request));
        Assert.Equal(expected, request.UploadLength);
    }

    [Theory]
    [InlineData(999_999_999_999_999, "max-size=999999999999999, max-append-size=999999999999999")]
    [InlineData(1_000_000_000_000_000, "min-size=0")]
    public void FormatHeader_omits_values_above_the_largest_structured_field_integer(long limit, string expected)
    {
        Assert.Equal(expected, new IetfLimits(limit, MaxAppendSize: limit).FormatHeader("max-age", null));
        Assert.Equal(expected.Contains("append", StringComparison.Ordinal), IetfLimits.FormatMaxAppendSize(limit) is not null);
    }
}
