using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.Clients.IetfClient;

namespace ResumableUploads.FunctionalTests.Protocols.Ietf;

/// <summary>Making an upload .</summary>
public class IetfCreationRuleTests
{
    private static readonly byte[] File = Encoding.ASCII.GetBytes("The whole of it.");

    public static TheoryData<string, string> Everywhere => IetfApp.Everywhere;

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task R1_R2_and_R151_each_upload_has_a_url_of_its_own_that_nobody_guesses_and_that_says_nothing(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire);
        var urls = new HashSet<string>();
        for (int i = 0; i < 20; i++)
        {
            urls.Add(await app.Client.BeginAsync());
        }

        Assert.Equal(20, urls.Count);
        Assert.All(urls, static url => Assert.Matches("^/files(/|\\?resumable-upload=)[0-9a-f]{40}$", url));
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("PATCH")]
    public async Task R40_any_method_with_content_makes_an_upload_and_the_handler_of_that_method_gets_it(string method)
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
        using HttpResponseMessage answer = await app.Client.AppendAsync(url, 5, true, File[5..]);
        Assert.Equal((200, "?1"), ((int)answer.StatusCode, answer.Header("Upload-Complete")));
        Assert.Equal($"{method} {method} 7 text/plain The whole of it.", await answer.Content.ReadAsStringAsync());

        using HttpResponseMessage gone = await app.Client.IetfAsync("DELETE", url, Newest);
        Assert.Equal(204, (int)gone.StatusCode);
    }

    [Theory]
    [InlineData("Upload-Complete", "1")]
    [InlineData("Upload-Complete", "?2")]
    [InlineData("Upload-Complete", "true")]
    [InlineData("Upload-Incomplete", "?1")]
    public async Task R9_and_R40_without_a_value_that_counts_a_request_is_the_apps_own(string name, string value)
    {
        await using IetfApp app = await IetfApp.StartAsync();
        using HttpResponseMessage plain = await app.Client.IetfAsync("POST", IetfApp.Url, Newest, new ByteArrayContent(File), (name, value));

        // The handler of the app has no upload then, and says so in its own way.
        Assert.Equal(500, (int)plain.StatusCode);
        Assert.Null(plain.Header("Upload-Offset"));
    }

    [Theory]
    [InlineData(TusApp.ReadyMade)]
    [InlineData(TusApp.Mapped)]
    public async Task R9_where_there_is_no_other_use_for_a_request_a_value_that_is_none_is_a_400(string place)
    {
        await using IetfApp app = await IetfApp.StartAsync(place);
        foreach (string value in new[] { "1", "?2", "true", "?1, ?1" })
        {
            using HttpResponseMessage refused = await app.Client.IetfAsync("POST", IetfApp.Url, Newest, new ByteArrayContent(File), ("Upload-Complete", value));
            await refused.ProblemAsync(400, Own + "bad-upload-complete");
        }
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task R43_the_handler_sees_what_the_creation_says_of_the_content(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire);
        string url = await app.Client.BeginAsync(
            Newest, ("Content-Type", "image/png"), ("Content-Disposition", "inline; filename=\"other.png\"; filename*=UTF-8''b%C3%BCro.png"));
        using HttpResponseMessage answer = await app.Client.AppendAsync(url, 0, true, File);
        Assert.Equal("?1", answer.Header("Upload-Complete"));
        Seen seen = Assert.Single(app.Seen);
        Assert.Equal(("büro.png", "image/png"), (seen.FileName, seen.ContentType));
        Assert.Equal(File, seen.Content);
    }

    [Theory]
    [InlineData("attachment; filename=\"../../etc/passwd\"")]
    [InlineData("attachment; filename=\"C:\\\\Windows\\\\passwd\"")]
    [InlineData("attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd")]
    public async Task R152_a_name_that_would_lead_elsewhere_leads_nowhere(string disposition)
    {
        await using IetfApp app = await IetfApp.StartAsync();
        using HttpResponseMessage answer = await app.Client.CreateAsync(true, File, Newest, ("Content-Disposition", disposition));
        Assert.Equal("?1", answer.Header("Upload-Complete"));
        Assert.Equal("passwd", Assert.Single(app.Seen).FileName);
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task R44_and_R48_content_that_is_all_of_it_is_answered_by_the_handler_with_its_own_location(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire, answer: _ => new Said(202, "Thank you.", place == TusApp.Endpoint ? "/mine" : null));
        using HttpResponseMessage answer = await app.Client.CreateAsync(true, File);
        Assert.Equal((202, "16", "?1"), answer.State());
        Assert.Equal("Thank you.", await answer.Content.ReadAsStringAsync());
        Assert.Equal(place == TusApp.Endpoint ? "/mine" : null, answer.Header("Location"));
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task R45_a_part_is_a_201_with_location_and_limits(string place, string wire)
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
    public async Task R46_no_content_is_legal_with_both(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire);
        using HttpResponseMessage begun = await app.Client.CreateAsync(false, []);
        Assert.Equal((201, "0", "?0"), begun.State());
        using HttpResponseMessage empty = await app.Client.CreateAsync(true, []);
        Assert.Equal(("0", "?1"), (empty.Header("Upload-Offset"), empty.Header("Upload-Complete")));
        Assert.Empty(Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task R49_and_R142_every_final_answer_of_a_creation_says_where_it_comes_from(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(
            place, wire, static options => options.MaxUploadSize = 20, static call => call == 1 ? new Said(422, "No.") : new Said(200, "Yes."));
        using HttpResponseMessage refusedByHandler = await app.Client.CreateAsync(true, File);
        Assert.Equal((422, "16", "?1"), refusedByHandler.State());
        using HttpResponseMessage taken = await app.Client.CreateAsync(true, File);
        Assert.Equal((200, "16", "?1"), taken.State());
        using HttpResponseMessage refusedByProtocol = await app.Client.CreateAsync(false, new byte[21]);
        Assert.Equal((413, null, null), refusedByProtocol.State());
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task R50_R65_R80_and_R92_the_protocol_itself_never_redirects(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire);
        using HttpResponseMessage created = await app.Client.CreateAsync(false, File);
        using HttpResponseMessage head = await app.Client.HeadAsync(created.Header("Location")!);
        using HttpResponseMessage appended = await app.Client.AppendAsync(created.Header("Location")!, 16, false, File);
        using HttpResponseMessage deleted = await app.Client.IetfAsync("DELETE", created.Header("Location")!, Newest);
        Assert.Equal([201, 204, 204, 204], new[] { created, head, appended, deleted }.Select(static answer => (int)answer.StatusCode));
    }

    [Theory]
    [InlineData(IetfApp.Http1)]
    [InlineData(IetfApp.Http2)]
    public async Task R40_the_length_of_the_content_need_not_be_known(string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(wire: wire);
        using HttpResponseMessage part = await app.Client.IetfAsync(
            "POST", IetfApp.Url, Newest, ProblemExpectations.Chunked(File), Completeness(Newest, false));
        Assert.Equal((201, "16", "?0"), part.State());
        using HttpResponseMessage all = await app.Client.IetfAsync(
            "POST", IetfApp.Url, Newest, ProblemExpectations.Chunked(File), Completeness(Newest, true));
        Assert.Equal((204, "16", "?1"), all.State());
    }

    [Theory]
    [InlineData("Tus-Resumable", "1.0.0")]
    [InlineData("X-File-Id", "f")]
    public async Task A_request_with_the_headers_of_two_protocols_is_a_400(string name, string value)
    {
        await using IetfApp app = await IetfApp.StartAsync();
        using HttpResponseMessage refused = await app.Client.CreateAsync(true, File, Newest, (name, value));
        await refused.ProblemAsync(400, Own + "bad-two-protocols");
        Assert.Empty(app.Seen);
    }
}
