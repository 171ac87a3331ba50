using System.Text.Json;
using ResumableUploads.Protocols;

namespace ResumableUploads.UnitTests.Protocols;

public class ProblemTests
{
    [Fact]
    public void A_problem_is_an_object_with_the_members_of_the_standard()
    {
        using JsonDocument json = JsonDocument.Parse(new Problem(409, "urn:x", "A title", "What to \"do\"\n<now>").ToJson());
        Assert.Equal(
            ["type=urn:x", "title=A title", "status=409", "detail=What to \"do\"\n<now>"],
            json.RootElement.EnumerateObject().Select(static member => $"{member.Name}={member.Value}"));
    }

    [Fact]
    public void Offsets_are_there_when_they_are_known_also_when_they_are_0()
    {
        using JsonDocument json = JsonDocument.Parse(new Problem(409, "urn:x", "t", "d") { ExpectedOffset = 0, ProvidedOffset = long.MaxValue }.ToJson());
        Assert.Equal(0, json.RootElement.GetProperty("expected-offset").GetInt64());
        Assert.Equal(long.MaxValue, json.RootElement.GetProperty("provided-offset").GetInt64());
    }

    [Fact]
    public void As_an_answer_it_is_problem_json_that_nobody_stores()
    {
        HttpResponseData response = new Problem(413, "urn:x", "t", "d").ToResponse(new KeyValuePair<string, string>("Retry-After", "5"));
        Assert.Equal((413, "application/problem+json"), (response.StatusCode, response.ContentType));
        Assert.Equal(("no-store", "5"), (response.GetHeader("Cache-Control"), response.GetHeader("retry-after")));
        Assert.Null(response.GetHeader("X-Start-Byte"));
    }

    [Fact]
    public void A_stored_answer_comes_back_as_it_was()
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
    [InlineData(408, false)]
    [InlineData(425, false)]
    [InlineData(429, false)]
    [InlineData(500, false)]
    [InlineData(503, false)]
    [InlineData(599, false)]
    public void Only_an_answer_that_does_not_say_later_is_final(int status, bool isFinal) => Assert.Equal(isFinal, StoredResponse.IsFinal(status));
}
