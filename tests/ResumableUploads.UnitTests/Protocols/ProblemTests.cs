using System.Text.Json;
using ResumableUploads.Protocols;

namespace ResumableUploads.UnitTests.Protocols;

public class ProblemTests
{
    [Fact]
    public void ToJson_returns_members_of_RFC_9457()
    {
        using JsonDocument json = JsonDocument.Parse(new Problem(409, "urn:x", "A title", "What to \"do\"\n<now>").ToJson());
        Assert.Equal(
            ["type=urn:x", "title=A title", "status=409", "detail=What to \"do\"\n<now>"],
            json.RootElement.EnumerateObject().Select(static member => $"{member.Name}={member.Value}"));
    }

    [Fact]
    public void ToJson_contains_known_offsets_including_0()
    {
        using JsonDocument json = JsonDocument.Parse(new Problem(409, "urn:x", "t", "d") { ExpectedOffset = 0, ProvidedOffset = long.MaxValue }.ToJson());
        Assert.Equal(0, json.RootElement.GetProperty("expected-offset").GetInt64());
        Assert.Equal(long.MaxValue, json.RootElement.GetProperty("provided-offset").GetInt64());
    }

    [Fact]
    public void ToResponse_is_problem_json_and_not_cacheable()
    {
        HttpResponseData response = new Problem(413, "urn:x", "t", "d").ToResponse(new KeyValuePair<string, string>("Retry-After", "5"));
        Assert.Equal((413, "application/problem+json"), (response.StatusCode, response.ContentType));
        Assert.Equal(("no-store", "5"), (response.GetHeader("Cache-Control"), response.GetHeader("retry-after")));
        Assert.Null(response.GetHeader("X-Start-Byte"));
    }

    [Fact]
    public void Stored_response_roundtrips()
    {
        StoredResponse read = StoredResponse.FromBytes(new StoredResponse(422, "text/plain", new byte[] { 0, 255 }).ToBytes());
        Assert.Equal((422, "text/plain"), (read.StatusCode, read.ContentType));
        Assert.Equal([0, 255], read.Body.ToArray());
        Assert.Null(StoredResponse.FromBytes(new StoredResponse(204, (string?)null, default).ToBytes()).ContentType);
    }

    [Theory]
    [InlineData(200, true)]
    [InlineData(201, true)]
    [InlineData(302, true)]
    [InlineData(400, true)]
    [InlineData(422, true)]
    [InlineData(499, true)]
    [InlineData(401, false)]
    [InlineData(403, false)]
    [InlineData(407, false)]
    [InlineData(408, false)]
    [InlineData(423, false)]
    [InlineData(425, false)]
    [InlineData(429, false)]
    [InlineData(500, false)]
    [InlineData(503, false)]
    [InlineData(511, false)]
    [InlineData(599, false)]
    public void IsFinal_is_false_only_for_retryable_status(int status, bool isFinal) => Assert.Equal(isFinal, StoredResponse.IsFinal(status));
}
