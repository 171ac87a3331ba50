using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Routing.Patterns;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Hosting.Tickets;
using ResumableUploads.Hosting.Tickets.Routing;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Tickets;

/// <summary>Tickets at a URL with several endpoints. A status request by file id shows only with the store which of them it is for.</summary>
public class TicketNeighborTests
{
    private const string Url = "/photos";
    private static readonly (string, string)[] FormerStaff = [(HeaderAuthentication.Header, "sub:ann")];
    private static readonly (string, string)[] Staff = [.. FormerStaff, ("X-Test-Role", "staff")];

    /// <summary>Policies, and whether the endpoint that accepts tickets is the first of the candidates.</summary>
    public static TheoryData<bool, bool> Cases => [.. from same in new[] { true, false } from first in new[] { true, false } select (same, first)];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Invalid_ticket_does_not_bypass_policy_of_neighbor(bool hasEqualPolicies, bool isFirst)
    {
        await using TestApp app = await StartAsync(hasEqualPolicies, isFirst);
        await app.Client.SendFileIdAsync(Other(isFirst), Url, "hel"u8.ToArray(), [("X-File-Size", "5"), .. Staff]).AssertStatusAsync(200);
        await app.Client.SendFileIdAsync("HEAD", Url, null, FormerStaff).AssertStatusAsync(403);
        foreach ((string, string)[] user in new[] { [], FormerStaff, Staff })
        {
            foreach (string method in (string[])["HEAD", "GET", "DELETE"])
            {
                using HttpResponseMessage response = await app.Client.SendFileIdAsync(method, Url + "?ticket=x", null, user);
                Assert.Equal((403, null), ((int)response.StatusCode, response.Header("X-Start-Byte")));
            }
        }

        Assert.Equal((200, "3"), await app.Client.GetOffsetAsync(ProtocolClient.FileId, Url, Staff));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Unused_ticket_does_not_reach_upload_of_the_user_at_neighbor(bool hasEqualPolicies, bool isFirst)
    {
        await using TestApp app = await StartAsync(hasEqualPolicies, isFirst);
        string ticket = CreateTicket(app);
        await app.Client.SendFileIdAsync(Other(isFirst), Url, "hel"u8.ToArray(), [("X-File-Size", "5"), .. Staff]).AssertStatusAsync(200);
        Assert.Equal((200, "0"), await app.Client.GetOffsetAsync(ProtocolClient.FileId, ticket, Staff));
        await app.Client.SendFileIdAsync("DELETE", ticket, null, Staff).AssertStatusAsync(204);
        Assert.Equal((200, "3"), await app.Client.GetOffsetAsync(ProtocolClient.FileId, Url, Staff));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Bearer_resumes_by_file_id_whatever_the_order(bool hasEqualPolicies, bool isFirst)
    {
        await using TestApp app = await StartAsync(hasEqualPolicies, isFirst);
        string ticket = CreateTicket(app);
        string method = isFirst ? "POST" : "PUT";
        await app.Client.SendFileIdAsync(method, ticket, "hel"u8.ToArray(), ("X-File-Size", "5")).AssertStatusAsync(200);
        Assert.Equal((200, "3"), await app.Client.GetOffsetAsync(ProtocolClient.FileId, ticket));
        await app.Client.SendFileIdAsync(method, ticket, "lo"u8.ToArray(), ("X-Start-Byte", "3")).AssertStatusAsync(200);
    }

    [Theory]
    [InlineData("POST", true)]
    [InlineData("PUT", true)]
    [InlineData("POST", false)]
    [InlineData("PUT", false)]
    public async Task Status_is_that_of_the_endpoint_where_the_ticket_was_used(string method, bool hasEqualPolicies)
    {
        await using TestApp app = await StartAsync(app =>
        {
            app.MapPost(Url, static () => "post").WithResumableUploads().RequireAuthorization("Staff").AllowUploadTickets();
            app.MapPut(Url, static () => "put").WithResumableUploads().RequireAuthorization(hasEqualPolicies ? "Staff" : "SignedIn").AllowUploadTickets();
        });
        string ticket = CreateTicket(app);
        await app.Client.SendFileIdAsync(method, ticket, "hel"u8.ToArray(), ("X-File-Size", "5")).AssertStatusAsync(200);
        Assert.Equal((200, "3"), await app.Client.GetOffsetAsync(ProtocolClient.FileId, ticket));
        await app.Client.SendFileIdAsync("DELETE", ticket, null).AssertStatusAsync(204);
        Assert.Equal(403, (await app.Client.GetOffsetAsync(ProtocolClient.FileId, ticket)).Status);
    }

    /// <summary>The selection of the endpoint prevents this request. Without that, it must not be handled either.</summary>
    [Fact]
    public void Request_without_policies_is_refused_at_endpoint_without_tickets()
    {
        var endpoint = new RouteEndpoint(
            static _ => Task.CompletedTask, RoutePatternFactory.Parse(Url), 0, new EndpointMetadataCollection(new ResumableEndpointMetadata(null, "")), "neighbor");
        var target = new EndpointTarget(ResumableRoute.TryCreate(endpoint)!, static _ => Task.CompletedTask, HasRequestTimeouts: false);
        var context = new DefaultHttpContext { Request = { Path = Url, QueryString = new QueryString("?ticket=x") } };
        var reader = new TicketReader(new TicketProtector(new ServiceCollection().BuildServiceProvider()), TimeProvider.System, acceptsOnMiddleware: null);
        context.SetEndpoint(endpoint);
        var plain = new UploadRequest(context, UploadUrl.ForPath(Url, context.Request), target);
        reader.Read(plain);
        Assert.Equal((null, null), (plain.Ticket, plain.TicketProblem));

        context.SetEndpoint(new Endpoint(null, new EndpointMetadataCollection(TicketRequiredMetadata.Instance), "copy of the endpoint with tickets"));
        var request = new UploadRequest(context, UploadUrl.ForPath(Url, context.Request), target);
        reader.Read(request);
        Assert.Equal((null, TicketProblems.Invalid), (request.Ticket, request.TicketProblem));
    }

    /// <summary>Returns the method of the endpoint that does not accept tickets. Candidates are sorted by name, which begins with the method.</summary>
    private static string Other(bool isFirst) => isFirst ? "PUT" : "POST";

    private static Task<TestApp> StartAsync(bool hasEqualPolicies, bool isFirst) => StartAsync(app =>
    {
        IEndpointConventionBuilder post = app.MapPost(Url, static () => "post").WithResumableUploads();
        IEndpointConventionBuilder put = app.MapPut(Url, static () => "put").WithResumableUploads();
        (isFirst ? post : put).RequireAuthorization(hasEqualPolicies ? "Staff" : "SignedIn").AllowUploadTickets();
        (isFirst ? put : post).RequireAuthorization("Staff");
    });

    private static Task<TestApp> StartAsync(Action<WebApplication> map) => EndpointApp.StartAsync(
        app =>
        {
            app.UseAuthentication();
            app.UseAuthorization();
            map(app);
        },
        static options => options.UseMemoryStore(),
        static builder =>
        {
            HeaderAuthentication.AddTo(builder);
            builder.Services.AddAuthorizationBuilder()
                .AddPolicy("Staff", static policy => policy.RequireAssertion(
                    static user => user.Resource is HttpContext context && context.Request.Headers["X-Test-Role"] == "staff"))
                .AddPolicy("SignedIn", static policy => policy.RequireAuthenticatedUser());
            builder.Services.AddSingleton<IDataProtectionProvider, EphemeralDataProtectionProvider>();
        },
        onTestHost: true);

    private static string CreateTicket(TestApp app) =>
        app.Services.GetRequiredService<IUploadTickets>().Create(new UploadTicketOptions { Path = Url, Owner = "ann" }).Url;
}

file static class ResponseExtensions
{
    public static async Task AssertStatusAsync(this Task<HttpResponseMessage> sending, int status)
    {
        using HttpResponseMessage response = await sending;
        Assert.Equal(status, (int)response.StatusCode);
    }
}
