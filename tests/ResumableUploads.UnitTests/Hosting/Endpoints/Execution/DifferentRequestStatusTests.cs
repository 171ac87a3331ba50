using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Execution;

/// <summary>For a request with another query than the creation, which other policies may have accepted, an upload does not exist.</summary>
public class DifferentRequestStatusTests
{
    private const string Mine = "/files?tenant=mine";
    private static readonly byte[] First = [1, 2, 3];

    public static TheoryData<string> Protocols => ProtocolClient.Protocols;

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Status_with_other_query_does_not_find_the_upload(string protocol)
    {
        await using TestApp app = await StartAsync();
        string url = await app.Client.BeginAsync(protocol, Mine, First, 6);
        (int Status, string? Offset) missing = protocol == ProtocolClient.FileId ? (200, "0") : (404, null);
        Assert.Equal(missing, await app.Client.GetOffsetAsync(protocol, Other(url)));
        Assert.Equal("3", (await app.Client.GetOffsetAsync(protocol, url)).Offset);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Cancel_with_other_query_keeps_the_upload(string protocol)
    {
        await using TestApp app = await StartAsync();
        string url = await app.Client.BeginAsync(protocol, Mine, First, 6);
        await DeleteAsync(app.Client, protocol, Other(url)).AssertProblemAsync(409, "different-request");
        Assert.Equal("3", (await app.Client.GetOffsetAsync(protocol, url)).Offset);
        using HttpResponseMessage own = await DeleteAsync(app.Client, protocol, url);
        Assert.Equal(204, (int)own.StatusCode);
        Assert.NotEqual("3", (await app.Client.GetOffsetAsync(protocol, url)).Offset);
    }

    [Theory]
    [InlineData(ProtocolClient.Tus)]
    [InlineData(ProtocolClient.Ietf)]
    public async Task Download_with_other_query_returns_404(string protocol)
    {
        await using TestApp app = await StartAsync(static options => options.AllowDownload = true);
        string url = await app.Client.BeginAsync(protocol, Mine, First, 6);
        using HttpResponseMessage done = await app.Client.FinishAsync(protocol, url, 3, [4, 5, 6]);
        using HttpResponseMessage other = await app.Client.GetAsync(new Uri(Other(url), UriKind.Relative));
        using HttpResponseMessage own = await app.Client.GetAsync(new Uri(url, UriKind.Relative));
        Assert.Equal((404, 200), ((int)other.StatusCode, (int)own.StatusCode));
        Assert.Equal([1, 2, 3, 4, 5, 6], await own.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Completed_upload_is_not_replaced_by_other_query(bool restartOnZero)
    {
        await using TestApp app = await StartAsync(options =>
        {
            options.FileId.RestartOnZero = restartOnZero;
            options.Handler.RepeatBehavior = restartOnZero ? RepeatBehavior.ReplayResponse : RepeatBehavior.StartOver;
        });
        using HttpResponseMessage done = await app.Client.SendFirstAsync(ProtocolClient.FileId, Mine, First, 3);
        Assert.Equal(200, (int)done.StatusCode);
        await app.Client.SendFirstAsync(ProtocolClient.FileId, Other(Mine), [9], 3).AssertProblemAsync(409, "different-request");
        using HttpResponseMessage repeated = await app.Client.FinishAsync(ProtocolClient.FileId, Mine, 3, []);
        Assert.Equal("?tenant=mine", await repeated.Content.ReadAsStringAsync());
    }

    private static string Other(string url) => url.Replace("mine", "other", StringComparison.Ordinal);

    private static Task<HttpResponseMessage> DeleteAsync(HttpClient client, string protocol, string url) => protocol switch
    {
        ProtocolClient.FileId => client.SendFileIdAsync("DELETE", url, null),
        ProtocolClient.Tus => client.TusAsync("DELETE", url, null),
        _ => client.IetfAsync("DELETE", url, IetfClient.Newest, null),
    };

    private static Task<TestApp> StartAsync(Action<ResumableUploadOptions>? configure = null) => EndpointApp.StartAsync(
        static app => app.MapPost("/files", static (HttpContext context) => context.Request.QueryString.Value!).WithResumableUploads(),
        configure,
        onTestHost: true);
}
