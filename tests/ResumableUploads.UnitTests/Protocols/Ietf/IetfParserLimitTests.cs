using Microsoft.AspNetCore.Http;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.Ietf;

namespace ResumableUploads.UnitTests.Protocols.Ietf;

/// <summary>The boundaries of min-append-size (draft-ietf-httpbis-resumable-upload-12, section 4.1.4).</summary>
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
}
