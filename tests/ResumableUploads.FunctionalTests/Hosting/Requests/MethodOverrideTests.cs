using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Requests;

/// <summary>The body of a response to an overridden method, on Kestrel, which compares it with Content-Length.</summary>
public class MethodOverrideTests
{
    public static TheoryData<string> Places => TusApp.Places;

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Problem_after_override_by_HEAD_has_a_body(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place, onKestrel: true);
        string url = await app.Client.CreateAsync(TusApp.Url, 6);
        Assert.Equal(204, await app.Client.TusAsync("DELETE", url).StatusOfAsync());
        using HttpResponseMessage missing = await app.Client.TusAsync("POST", url, null, ("X-HTTP-Method-Override", "HEAD"));
        await missing.ProblemAsync(404, IetfClient.Own + "not-found");
    }
}
