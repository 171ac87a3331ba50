using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Execution;

/// <summary>The policies of the app are applied to each request of an upload, so each must have the path and the query that the endpoint receives.</summary>
public class DifferentRequestTests
{
    private static readonly byte[] First = [1, 2, 3];
    private static readonly byte[] Last = [4, 5, 6];

    public static TheoryData<string> Protocols => ProtocolClient.Protocols;

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Chunk_with_other_query_returns_409_and_changes_nothing(string protocol)
    {
        await using TestApp app = await StartAsync();
        string url = await app.Client.BeginAsync(protocol, "/projects/x?project=mine&b=1", First, 6);
        foreach (string other in new[] { "project=other&b=1", "project=mine&b=1&c=2", "b=1", "project=mine&project=other&b=1", "project=Mine&b=1" })
        {
            string changed = url.Replace("project=mine&b=1", other, StringComparison.Ordinal);
            Assert.NotEqual(url, changed);
            await app.Client.FinishAsync(protocol, changed, 3, Last).AssertProblemAsync(409, "different-request");
        }

        Assert.Equal("3", (await app.Client.GetOffsetAsync(protocol, url)).Offset);
        using HttpResponseMessage done = await app.Client.FinishAsync(protocol, url, 3, Last);
        Assert.Equal("POST x /projects/x ?project=mine&b=1 6", await done.Content.ReadAsStringAsync());
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Chunk_with_equal_query_in_other_order_is_accepted(string protocol)
    {
        await using TestApp app = await StartAsync();
        string url = await app.Client.BeginAsync(protocol, "/projects/x?a=1%202&b=%C3%A9&a=3", First, 6);
        string id = url.Contains("resumable-upload=", StringComparison.Ordinal) ? $"&resumable-upload={url[(url.IndexOf("resumable-upload=", StringComparison.Ordinal) + 17)..]}" : "";
        using HttpResponseMessage done = await app.Client.FinishAsync(protocol, "/projects/x?b=%c3%a9&a=1+2&A=3" + id, 3, Last);
        Assert.Equal("POST x /projects/x ?a=1%202&b=%C3%A9&a=3 6", await done.Content.ReadAsStringAsync());
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Chunk_with_other_path_in_same_scope_returns_409(string protocol)
    {
        await using TestApp app = await StartAsync(static options => options.Scope = static _ => "shared");
        string url = await app.Client.BeginAsync(protocol, "/projects/x", First, 6);
        await app.Client.FinishAsync(protocol, url.Replace("/x", "/y", StringComparison.Ordinal), 3, Last).AssertProblemAsync(409, "different-request");
        await app.Client.FinishAsync(protocol, url.Replace("/projects", "/Projects", StringComparison.Ordinal), 3, Last).AssertProblemAsync(409, "different-request");
        using HttpResponseMessage done = await app.Client.FinishAsync(protocol, url.Replace("/x", "/x/", StringComparison.Ordinal), 3, Last);
        Assert.Equal("POST x /projects/x  6", await done.Content.ReadAsStringAsync());
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Chunk_with_other_route_value_returns_409(string protocol)
    {
        await using TestApp app = await StartAsync();
        string url = await app.Client.BeginAsync(protocol, "/projects/x", First, 6, ("X-Tenant", "1"));
        await app.Client.FinishAsync(protocol, url, 3, Last, ("X-Tenant", "2")).AssertProblemAsync(409, "different-request");
        using HttpResponseMessage done = await app.Client.FinishAsync(protocol, url, 3, Last, ("X-Tenant", "1"));
        Assert.Equal("POST x /projects/x  6", await done.Content.ReadAsStringAsync());
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Stored_response_is_not_replayed_for_other_query(string protocol)
    {
        await using TestApp app = await StartAsync();
        string url = await app.Client.BeginAsync(protocol, "/projects/x?project=mine", First, 6);
        (await app.Client.FinishAsync(protocol, url, 3, Last)).Dispose();
        await app.Client.FinishAsync(protocol, url.Replace("mine", "other", StringComparison.Ordinal), 6, []).AssertProblemAsync(409, "different-request");
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Volatile_parameter_may_change_and_endpoint_sees_last_value(string protocol)
    {
        await using TestApp app = await StartAsync(static options => options.VolatileQueryParameters.Add("Token"));
        string url = await app.Client.BeginAsync(protocol, "/projects/x?token=old&project=mine", First, 6);
        await app.Client.FinishAsync(protocol, url.Replace("mine", "other", StringComparison.Ordinal), 3, Last).AssertProblemAsync(409, "different-request");
        using HttpResponseMessage done = await app.Client.FinishAsync(protocol, url.Replace("old", "new", StringComparison.Ordinal), 3, Last);
        Assert.Equal("POST x /projects/x ?project=mine&token=new 6", await done.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Restart_at_zero_with_other_query_keeps_the_content()
    {
        await using TestApp app = await StartAsync(static options => options.FileId.RestartOnZero = true);
        await app.Client.BeginAsync(ProtocolClient.FileId, "/projects/x?project=mine", First, 6);
        await app.Client.SendFirstAsync(ProtocolClient.FileId, "/projects/x?project=other", [9], 6).AssertProblemAsync(409, "different-request");
        Assert.Equal("3", (await app.Client.GetOffsetAsync(ProtocolClient.FileId, "/projects/x?project=mine")).Offset);
    }

    [Fact]
    public async Task Parts_with_other_query_are_not_concatenated()
    {
        await using TestApp app = await StartAsync();
        string part = await app.Client.CreateAsync("/projects/x?project=other", 3, ("Upload-Concat", "partial"));
        Assert.Equal(204, await app.Client.AppendChunkAsync(part, 0, First).StatusOfAsync());
        await app.Client.TusAsync("POST", "/projects/x?project=mine", null, ("Upload-Concat", $"final;{part}")).AssertProblemAsync(409, "different-request");
        using HttpResponseMessage final = await app.Client.TusAsync("POST", "/projects/x?project=other", null, ("Upload-Concat", $"final;{part}"), ("Prefer", "return=representation"));
        Assert.Equal((201, "POST x /projects/x ?project=other 3"), ((int)final.StatusCode, await final.Content.ReadAsStringAsync()));
    }

    private static Task<TestApp> StartAsync(Action<ResumableUploadOptions>? configure = null) => EndpointApp.StartAsync(
        static app =>
        {
            app.UseRouting();
            app.Use(static (context, next) =>
            {
                if (context.Request.Headers["X-Tenant"] is [{ } tenant])
                {
                    context.Request.RouteValues["tenant"] = tenant;
                }

                return next(context);
            });
            app.MapPost("/projects/{name}", static async (HttpContext context, string name) =>
            {
                var content = new MemoryStream();
                await context.Request.Body.CopyToAsync(content);
                HttpRequest request = context.Request;
                return $"{request.Method} {name} {request.Path} {request.QueryString} {content.Length}";
            }).WithResumableUploads();
        },
        configure,
        onTestHost: true);
}
