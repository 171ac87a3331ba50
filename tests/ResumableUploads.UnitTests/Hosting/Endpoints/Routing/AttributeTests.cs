using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Routing;

/// <summary>The attribute on controllers and actions.</summary>
public class AttributeTests
{
    [Fact]
    public async Task Attribute_on_controller_applies_to_actions_with_content()
    {
        await using TestApp app = await AppAsync();
        using HttpResponseMessage post = await Whole("/class", 2).SendInChunksAsync(app.Client, 2, 1);
        using HttpResponseMessage put = await (Whole("/class/5", 2) with { Method = HttpMethod.Put }).SendInChunksAsync(app.Client, 2, 1);
        Assert.Equal(("post", "put 5"), (await post.Content.ReadAsStringAsync(), await put.Content.ReadAsStringAsync()));
        Assert.Equal("list", await app.Client.GetStringAsync("/class"));
        using HttpResponseMessage delete = await app.Client.DeleteAsync("/class/5");
        Assert.Equal("gone 5", await delete.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("/class", 2000)]
    [InlineData("/class/small", 500)]
    public async Task Attribute_on_action_overrides_controller(string path, int limit)
    {
        await using TestApp app = await AppAsync();
        using HttpResponseMessage fits = await Whole(path, limit).SendInChunksAsync(app.Client, 1, 1);
        using HttpResponseMessage large = await Whole(path, limit + 1).SendChunkAsync(app.Client, "g", 0, [1], limit + 1, ChunkFraming.ContentLength);
        Assert.Equal((200, 413), ((int)fits.StatusCode, (int)large.StatusCode));
    }

    private static ChunkableRequest Whole(string path, int size) => new(path, new byte[size], "text/plain");

    private static Task<TestApp> AppAsync() => EndpointApp.StartAsync(
        static app => app.MapControllers(),
        services: static builder => builder.Services.AddControllers().OnlyControllers(typeof(ClassController)),
        onTestHost: true);
}

[Route("class")]
[ResumableUpload(MaxUploadSize = 2000)]
public sealed class ClassController : ControllerBase
{
    [HttpGet]
    public string List() => "list";

    [HttpPost]
    public string Post() => "post";

    [HttpPut("{id}")]
    public string Put(string id) => $"put {id}";

    [HttpDelete("{id}")]
    public string Delete(string id) => $"gone {id}";

    [HttpPost("small"), ResumableUpload(MaxUploadSize = 500)]
    public string Small() => "small";
}
