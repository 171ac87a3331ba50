using Microsoft.AspNetCore.Builder;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Requests;

/// <summary>The Location of an upload leads back to it, whatever the path of the creation.</summary>
public class UploadLocationTests
{
    [Theory]
    [InlineData("tus", "")]
    [InlineData("tus", "/base")]
    [InlineData("ietf", "")]
    [InlineData("ietf", "/base")]
    public async Task Location_below_the_root_has_one_slash(string protocol, string pathBase)
    {
        await using TestApp app = await StartAsync(app => app.MapResumableUploads("/", static options => options.UseMemoryStore()), pathBase);
        string url = await app.Client.BeginAsync(protocol, pathBase + "/", [1], 2);
        Assert.Matches($"^{pathBase}/[0-9a-f]+$", url);
        Assert.Equal("1", (await app.Client.GetOffsetAsync(protocol, url)).Offset);
    }

    [Theory]
    [InlineData("tus", "100%2520off.pdf")]
    [InlineData("tus", "100%25.pdf")]
    [InlineData("tus", "a%2Fb.pdf")]
    [InlineData("tus", "a%252Fb.pdf")]
    [InlineData("tus", "a%2fb %C3%A9.pdf")]
    [InlineData("ietf", "100%2520off.pdf")]
    [InlineData("ietf", "a%2Fb.pdf")]
    public async Task Location_keeps_escaped_characters_of_the_path(string protocol, string name)
    {
        await using TestApp endpoint = await StartAsync(static app => app.MapPost("/files/{name}", static (string name) => name).WithResumableUploads());
        await using TestApp mapped = await StartAsync(static app => app.MapResumableUploads("/files/{name}", static options => options.UseMemoryStore()));
        foreach (TestApp app in new[] { endpoint, mapped })
        {
            string url = await app.Client.BeginAsync(protocol, "/files/" + name, [1], 2);
            Assert.Equal("1", (await app.Client.GetOffsetAsync(protocol, url)).Offset);
        }
    }

    private static Task<TestApp> StartAsync(Action<WebApplication> map, string pathBase = "") => EndpointApp.StartAsync(
        app =>
        {
            app.UsePathBase(pathBase);
            app.UseRouting();
            map(app);
        },
        static options => options.UseMemoryStore());
}
