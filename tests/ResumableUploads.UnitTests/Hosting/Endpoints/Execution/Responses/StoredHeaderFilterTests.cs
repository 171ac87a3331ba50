using Microsoft.AspNetCore.Http;
using ResumableUploads.Hosting.Endpoints.Execution.Responses;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Execution.Responses;

public class StoredHeaderFilterTests
{
    [Theory]
    [InlineData(8192, true)]
    [InlineData(8193, false)]
    public void Stored_value_has_at_most_8192_characters(int length, bool isStored)
    {
        var headers = new HeaderDictionary { ["ETag"] = new string('e', length), ["Link"] = "</a>" };
        IReadOnlyList<KeyValuePair<string, string>> stored = new StoredHeaderFilter([]).SelectStored(headers);
        Assert.Equal(isStored ? ["ETag", "Link"] : ["Link"], stored.Select(static header => header.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Stored_headers_fill_the_total_exactly()
    {
        var headers = new HeaderDictionary();
        for (int i = 0; i < 4; i++)
        {
            headers.Append("Link", new string('a', 8192 - "Link".Length));
        }

        headers["Vary"] = "";
        Assert.Equal(4, new StoredHeaderFilter([]).SelectStored(headers).Count);
    }

    [Fact]
    public void Stored_headers_have_at_most_32768_characters_in_total()
    {
        var headers = new HeaderDictionary();
        for (int i = 0; i < 400; i++)
        {
            headers.Append("Link", $"<{new string('a', 4000)}>");
        }

        headers["ETag"] = "\"1\"";
        IReadOnlyList<KeyValuePair<string, string>> stored = new StoredHeaderFilter([]).SelectStored(headers);
        Assert.Equal(9, stored.Count);
        Assert.Contains(new("ETag", "\"1\""), stored);
    }
}
