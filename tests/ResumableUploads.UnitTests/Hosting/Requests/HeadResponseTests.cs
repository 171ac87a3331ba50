using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Requests;

/// <summary>A response to HEAD has the headers of the problem, including its length, and no body. The test server does not remove one.</summary>
public class HeadResponseTests
{
    [Fact]
    public async Task Problem_in_response_to_HEAD_has_length_and_no_body()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.Mapped);
        using HttpResponseMessage head = await app.Client.TusAsync("HEAD", $"{TusApp.Url}/{new string('0', 40)}");
        Assert.Equal((404, "application/problem+json"), ((int)head.StatusCode, head.Header("Content-Type")));
        Assert.True(head.Content.Headers.ContentLength > 0);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
    }
}
