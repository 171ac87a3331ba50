using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Authorization;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Tickets;

/// <summary>Tickets at endpoints with authorization policies, filters and antiforgery tokens.</summary>
public class TicketAuthorizationTests
{
    private static readonly (string, string) Ann = (HeaderAuthentication.Header, "sub:ann");

    [Theory]
    [InlineData(ProtocolClient.FileId)]
    [InlineData(ProtocolClient.Tus)]
    [InlineData(ProtocolClient.Ietf)]
    public async Task Action_with_filters_runs_for_the_bearer_without_token(string protocol)
    {
        await using TestApp app = await StartAsync(
            static app => app.MapControllers(),
            static builder => builder.Services.AddControllersWithViews(static mvc => mvc.Filters.Add(new AuthorizeFilter())).OnlyControllers(typeof(PhotosController)));
        string url = await app.Client.BeginAsync(protocol, CreateTicket(app, "/photos"), "hel"u8.ToArray(), 5);
        using HttpResponseMessage finished = await app.Client.FinishAsync(protocol, url, 3, "lo"u8.ToArray(), Ann);
        Assert.Equal("ann anonymous hello", await finished.Content.ReadAsStringAsync());

        using HttpResponseMessage anonymous = await app.Client.SendFirstAsync(protocol, "/photos", "hel"u8.ToArray(), 5);
        using HttpResponseMessage withoutToken = await app.Client.SendFirstAsync(protocol, "/photos", "hel"u8.ToArray(), 5, Ann);
        Assert.Equal((401, 400), ((int)anonymous.StatusCode, (int)withoutToken.StatusCode));
    }

    [Theory]
    [InlineData(ProtocolClient.FileId)]
    [InlineData(ProtocolClient.Tus)]
    [InlineData(ProtocolClient.Ietf)]
    public async Task Fallback_policy_accepts_the_bearer_at_mapped_endpoint(string protocol)
    {
        await using TestApp app = await StartAsync(
            static app => app.MapResumableUploads("/files").AllowUploadTickets(),
            static builder => builder.Services.AddAuthorizationBuilder().SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build()));
        string url = await app.Client.BeginAsync(protocol, CreateTicket(app, "/files"), "hel"u8.ToArray(), 5);
        Assert.Equal("3", (await app.Client.GetOffsetAsync(protocol, url)).Offset);
        using HttpResponseMessage withoutTicket = await app.Client.SendFirstAsync(protocol, "/files", "hel"u8.ToArray(), 5);
        Assert.Equal(401, (int)withoutTicket.StatusCode);
    }

    /// <summary>A status request shows by its file id which of two endpoints it is for, so their policies are applied after the store was read.</summary>
    [Fact]
    public async Task Status_at_two_endpoints_with_different_policies_is_that_of_the_ticket()
    {
        await using TestApp app = await StartAsync(
            static app =>
            {
                app.MapPost("/files", static () => "post").WithResumableUploads().RequireAuthorization().AllowUploadTickets();
                app.MapPut("/files", static () => "put").WithResumableUploads().RequireAuthorization(static policy => policy.RequireClaim("sub", "bob"));
            });
        string ticket = CreateTicket(app, "/files");
        await app.Client.BeginAsync(ProtocolClient.FileId, ticket, "hel"u8.ToArray(), 5);
        Assert.Equal((200, "3"), await app.Client.GetOffsetAsync(ProtocolClient.FileId, ticket));
        Assert.Equal((200, "3"), await app.Client.GetOffsetAsync(ProtocolClient.FileId, ticket, Ann));
        Assert.Equal(403, (await app.Client.GetOffsetAsync(ProtocolClient.FileId, ticket + "x")).Status);
        Assert.Equal(401, (await app.Client.GetOffsetAsync(ProtocolClient.FileId, "/files")).Status);
        await app.Client.SendFileIdAsync("PUT", ticket, "lo"u8.ToArray(), ("X-Start-Byte", "3")).AssertUnauthorizedAsync();
        using HttpResponseMessage canceled = await app.Client.SendFileIdAsync("DELETE", ticket, null);
        Assert.Equal(204, (int)canceled.StatusCode);
        Assert.Equal(403, (await app.Client.GetOffsetAsync(ProtocolClient.FileId, ticket)).Status);
    }

    [Fact]
    public async Task Attribute_on_an_endpoint_that_is_not_resumable_changes_nothing()
    {
        await using TestApp app = await StartAsync(static app => app.MapPost("/plain", static () => "secret").RequireAuthorization().AllowUploadTickets());
        foreach (string protocol in (string[])[ProtocolClient.FileId, ProtocolClient.Tus, ProtocolClient.Ietf])
        {
            using HttpResponseMessage response = await app.Client.SendFirstAsync(protocol, CreateTicket(app, "/plain"), "hel"u8.ToArray(), 5);
            Assert.Equal(401, (int)response.StatusCode);
        }
    }

    private static Task<TestApp> StartAsync(Action<WebApplication> map, Action<WebApplicationBuilder>? services = null) => EndpointApp.StartAsync(
        app =>
        {
            app.UseAuthentication();
            app.UseAuthorization();
            map(app);
        },
        static options => options.UseMemoryStore(),
        builder =>
        {
            HeaderAuthentication.AddTo(builder);
            services?.Invoke(builder);
            builder.Services.AddSingleton<IDataProtectionProvider, EphemeralDataProtectionProvider>();
        },
        onTestHost: true);

    private static string CreateTicket(TestApp app, string path) =>
        app.Services.GetRequiredService<IUploadTickets>().Create(new UploadTicketOptions { Path = path, Owner = "ann" }).Url;

    public sealed class PhotosController : Controller
    {
        [HttpPost("/photos")]
        [Authorize]
        [ValidateAntiForgeryToken]
        [ResumableUpload]
        [AllowUploadTickets]
        public async Task<IActionResult> Save()
        {
            using var reader = new StreamReader(Request.Body);
            string user = User.Identity!.IsAuthenticated ? "signed-in" : "anonymous";
            return Content($"{HttpContext.Features.Get<IResumableUploadFeature>()?.Ticket?.Owner} {user} {await reader.ReadToEndAsync()}");
        }
    }
}

file static class UnauthorizedExtensions
{
    public static async Task AssertUnauthorizedAsync(this Task<HttpResponseMessage> sending)
    {
        using HttpResponseMessage response = await sending;
        Assert.Equal(401, (int)response.StatusCode);
    }
}
