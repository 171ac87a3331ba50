using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.Clients.IetfClient;

namespace ResumableUploads.FunctionalTests.Protocols.Ietf;

/// <summary>Upload creation (draft-ietf-httpbis-resumable-upload-12, section 4.2).</summary>
public class IetfCreationTests
{
    private static readonly byte[] File = Encoding.ASCII.GetBytes("The whole of it.");

    public static TheoryData<string, string> Everywhere => IetfApp.Everywhere;

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Upload_url_is_unique_unguessable_and_reveals_nothing(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire);
        var urls = new HashSet<string>();
        for (int i = 0; i < 20; i++)
        {
            urls.Add(await app.Client.BeginAsync());
        }

        Assert.Equal(20, urls.Count);
        Assert.All(urls, static url => Assert.Matches("^/files(/|\\?resumable-upload=[0-9a-f]{8}\\.)[0-9a-f]{40}$", url));
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("PATCH")]
    public async Task Creation_by_any_method_with_content_runs_its_own_handler(string method)
    {
        await using TestApp app = await EndpointApp.StartAsync(static app =>
        {
            foreach (string one in new[] { "POST", "PUT", "PATCH" })
            {
                app.MapMethods("/things/{id}", [one], async (HttpContext context, string id) =>
                {
                    using var reader = new StreamReader(context.Request.Body);
                    return $"{one} {context.Request.Method} {id} {context.Request.ContentType} {await reader.ReadToEndAsync()}";
                }).WithResumableUploads();
            }
        });
        using HttpResponseMessage created = await app.Client.IetfAsync(
            method, "/things/7?x=y", Newest, new ByteArrayContent([.. File[..5]]), ("Upload-Complete", "?0"), ("Content-Type", "text/plain"));
        Assert.Equal((201, "5", "?0"), created.State());
        string url = created.Header("Location")!;

        Assert.Equal((5, false), await app.Client.StateAsync(url));
        using HttpResponseMessage response = await app.Client.AppendAsync(url, 5, true, File[5..]);
        Assert.Equal((200, "?1"), ((int)response.StatusCode, response.Header("Upload-Complete")));
        Assert.Equal($"{method} {method} 7 text/plain The whole of it.", await response.Content.ReadAsStringAsync());

        using HttpResponseMessage gone = await app.Client.IetfAsync("DELETE", url, Newest);
        Assert.Equal(204, (int)gone.StatusCode);
    }

    [Theory]
    [InlineData("Upload-Complete", "1")]
    [InlineData("Upload-Complete", "?2")]
    [InlineData("Upload-Complete", "true")]
    [InlineData("Upload-Incomplete", "?1")]
    public async Task Request_without_valid_completeness_reaches_the_endpoint(string name, string value)
    {
        await using IetfApp app = await IetfApp.StartAsync();
        using HttpResponseMessage plain = await app.Client.IetfAsync("POST", IetfApp.Url, Newest, new ByteArrayContent(File), (name, value));

        // The endpoint runs with the plain request.
        Assert.Equal((204, null), ((int)plain.StatusCode, plain.Header("Upload-Offset")));
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [InlineData(TusApp.ReadyMade)]
    [InlineData(TusApp.Mapped)]
    public async Task Creation_url_with_invalid_completeness_returns_400(string place)
    {
        await using IetfApp app = await IetfApp.StartAsync(place);
        foreach (string value in new[] { "1", "?2", "true", "?1, ?1" })
        {
            using HttpResponseMessage rejected = await app.Client.IetfAsync("POST", IetfApp.Url, Newest, new ByteArrayContent(File), ("Upload-Complete", value));
            await rejected.ProblemAsync(400, Own + "bad-upload-complete");
        }
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Handler_sees_content_headers_of_the_creation(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire);
        string url = await app.Client.BeginAsync(
            Newest, ("Content-Type", "image/png"), ("Content-Disposition", "inline; filename=\"other.png\"; filename*=UTF-8''b%C3%BCro.png"));
        using HttpResponseMessage response = await app.Client.AppendAsync(url, 0, true, File);
        Assert.Equal("?1", response.Header("Upload-Complete"));
        ReceivedFile file = Assert.Single(app.Seen);
        Assert.Equal(("büro.png", "image/png"), (file.FileName, file.ContentType));
        Assert.Equal(File, file.Content);
    }

    [Theory]
    [InlineData("attachment; filename=\"../../etc/passwd\"")]
    [InlineData("attachment; filename=\"C:\\\\Windows\\\\passwd\"")]
    [InlineData("attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd")]
    public async Task File_name_with_path_is_sanitized(string disposition)
    {
        await using IetfApp app = await IetfApp.StartAsync();
        using HttpResponseMessage response = await app.Client.CreateAsync(true, File, Newest, ("Content-Disposition", disposition));
        Assert.Equal("?1", response.Header("Upload-Complete"));
        Assert.Equal("passwd", Assert.Single(app.Seen).FileName);
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Complete_creation_returns_response_and_location_of_the_handler(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire, answer: _ => new HandlerResponse(202, "Thank you.", place == TusApp.Endpoint ? "/mine" : null));
        using HttpResponseMessage response = await app.Client.CreateAsync(true, File);
        Assert.Equal((202, "16", "?1"), response.State());
        Assert.Equal("Thank you.", await response.Content.ReadAsStringAsync());
        Assert.Equal(place == TusApp.Endpoint ? "/mine" : null, response.Header("Location"));
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Incomplete_creation_returns_201_with_Location_and_limits(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire, static options => options.MaxUploadSize = 1000);
        using HttpResponseMessage created = await app.Client.CreateAsync(false, File);
        Assert.Equal((201, "16", "?0"), created.State());
        Assert.StartsWith("/files", created.Header("Location"), StringComparison.Ordinal);
        Assert.Matches("^max-size=1000, max-age=[0-9]+$", created.Header("Upload-Limit"));
        Assert.Empty(app.Seen);
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Empty_content_is_allowed_with_both_completeness_values(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire);
        using HttpResponseMessage incomplete = await app.Client.CreateAsync(false, []);
        Assert.Equal((201, "0", "?0"), incomplete.State());
        using HttpResponseMessage empty = await app.Client.CreateAsync(true, []);
        Assert.Equal(("0", "?1"), (empty.Header("Upload-Offset"), empty.Header("Upload-Complete")));
        Assert.Empty(Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Final_response_of_creation_carries_completeness(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(
            place, wire, static options => options.MaxUploadSize = 20, static call => call == 1 ? new HandlerResponse(422, "No.") : new HandlerResponse(200, "Yes."));
        using HttpResponseMessage rejectedByHandler = await app.Client.CreateAsync(true, File);
        Assert.Equal((422, "16", "?1"), rejectedByHandler.State());
        using HttpResponseMessage accepted = await app.Client.CreateAsync(true, File);
        Assert.Equal((200, "16", "?1"), accepted.State());
        using HttpResponseMessage rejectedByProtocol = await app.Client.CreateAsync(false, new byte[21]);
        Assert.Equal((413, null, "?0"), rejectedByProtocol.State());
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Server_never_redirects(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire);
        using HttpResponseMessage created = await app.Client.CreateAsync(false, File);
        using HttpResponseMessage head = await app.Client.HeadAsync(created.Header("Location")!);
        using HttpResponseMessage appended = await app.Client.AppendAsync(created.Header("Location")!, 16, false, File);
        using HttpResponseMessage deleted = await app.Client.IetfAsync("DELETE", created.Header("Location")!, Newest);
        Assert.Equal([201, 204, 204, 204], new[] { created, head, appended, deleted }.Select(static response => (int)response.StatusCode));
    }

    [Theory]
    [InlineData(IetfApp.Http1)]
    [InlineData(IetfApp.Http2)]
    public async Task Creation_with_unknown_content_length_succeeds(string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(wire: wire);
        using HttpResponseMessage part = await app.Client.IetfAsync(
            "POST", IetfApp.Url, Newest, ProblemExpectations.Chunked(File), Completeness(Newest, false));
        Assert.Equal((201, "16", "?0"), part.State());
        using HttpResponseMessage all = await app.Client.IetfAsync(
            "POST", IetfApp.Url, Newest, ProblemExpectations.Chunked(File), Completeness(Newest, true));
        Assert.Equal((204, "16", "?1"), all.State());
    }
}
