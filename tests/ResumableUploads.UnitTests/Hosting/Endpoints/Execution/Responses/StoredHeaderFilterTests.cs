using Microsoft.AspNetCore.Http;
using ResumableUploads.Hosting.Endpoints.Execution.Responses;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Execution.Responses;

public class StoredHeaderFilterTests
{
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
