using Microsoft.AspNetCore.Builder;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Requests;

/// <summary>An instance of the middleware whose path is below that of another instance that comes first.</summary>
public class NestedPathTests
{
    [Theory]
    [InlineData("file-id")]
    [InlineData("tus")]
    [InlineData("ietf")]
    public async Task Instance_below_another_path_handles_its_requests(string protocol)
    {
        await using TestApp app = await TestApp.StartAsync(
            options => Configure(options, "/a"), after: app => app.UseResumableUploads(options => Configure(options, "/a/public")), onTestHost: true);
        foreach (string path in new[] { "/a", "/a/public" })
        {
            (int status, string? location) = await CreateAsync(app, protocol, path);
            Assert.Equal((protocol == "file-id" ? 200 : 201), status);
            if (location is not null)
            {
                Assert.Equal(path, location[..location.LastIndexOf('/')]);
                Assert.Equal(0, await (protocol == "tus" ? app.Client.OffsetAsync(location) : OffsetAsync(app, location)));
            }
        }
    }

    private static async Task<long> OffsetAsync(TestApp app, string url) => (await app.Client.StateAsync(url))!.Value.Offset;

    private static async Task<(int Status, string? Location)> CreateAsync(TestApp app, string protocol, string path)
    {
        using HttpResponseMessage response = protocol switch
        {
            "tus" => await app.Client.TusAsync("POST", path, null, ("Upload-Length", "4")),
            "ietf" => await app.Client.IetfAsync("POST", path, IetfClient.Newest, new ByteArrayContent([]), ("Upload-Complete", "?0")),
            _ => await app.Client.AppendAsync("f", 0, new ByteArrayContent([1]), 4, path),
        };
        return ((int)response.StatusCode, response.Header("Location"));
    }

    private static void Configure(ResumableUploadOptions options, string path)
    {
        (options.UploadPath, options.StatusPath) = (path, null);
        options.UseMemoryStore();
    }
}
