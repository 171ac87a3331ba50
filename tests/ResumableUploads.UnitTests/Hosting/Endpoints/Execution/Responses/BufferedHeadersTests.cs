using Microsoft.Extensions.Primitives;
using ResumableUploads.Hosting.Endpoints.Execution.Responses;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Execution.Responses;

public class BufferedHeadersTests
{
    [Fact]
    public void Headers_of_the_server_are_copied_and_left_unchanged()
    {
        var server = new HeaderDictionary { ["X-One"] = "1", ["X-Two"] = "2" };
        var headers = new BufferedHeaders(server) { ["X-One"] = "other", ["X-New"] = "new" };
        headers.Add("X-Added", "added");
        headers.Append("X-Two", "3");

        Assert.Equal(["X-Added: added", "X-New: new", "X-One: other", "X-Two: 2,3"], Format(headers));
        Assert.Equal(["X-One: 1", "X-Two: 2"], Format(server));
        headers.Clear();
        Assert.Equal(["X-One: 1", "X-Two: 2"], Format(server));
    }

    private static IEnumerable<string> Format(IEnumerable<KeyValuePair<string, StringValues>> headers) =>
        headers.Select(static header => $"{header.Key}: {header.Value}").Order(StringComparer.Ordinal);
}
