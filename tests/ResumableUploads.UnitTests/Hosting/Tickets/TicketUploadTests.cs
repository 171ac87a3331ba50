using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Tickets;

/// <summary>Uploads with a ticket, without a user, in each protocol and at each kind of upload path.</summary>
public class TicketUploadTests
{
    public static TheoryData<string, string> Cases =>
        [.. from place in TusApp.Places from protocol in ProtocolClient.Protocols select (place.Data, protocol.Data)];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Bearer_uploads_a_file_in_two_requests(string place, string protocol)
    {
        await using TicketApp app = await TicketApp.StartAsync(place);
        UploadTicket ticket = app.CreateTicket(static options => options.FileName = "plan.txt");
        string url = await app.Client.BeginAsync(protocol, ticket.Url, "hel"u8.ToArray(), 5);
        Assert.EndsWith(ticket.Url[ticket.Url.IndexOf("ticket=", StringComparison.Ordinal)..], url, StringComparison.Ordinal);
        Assert.Equal("3", (await app.Client.GetOffsetAsync(protocol, url)).Offset);

        using HttpResponseMessage finished = await app.Client.FinishAsync(protocol, url, 3, "lo"u8.ToArray());
        Assert.True(finished.IsSuccessStatusCode, $"{finished}");
        Assert.Equal("stored", await finished.Content.ReadAsStringAsync());
        TicketedFile file = Assert.Single(app.Received);
        Assert.Equal(("hello", "plan.txt", ticket.Id, "ann"), (file.Content, file.FileName, file.Ticket?.Id, file.Ticket?.Owner));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Response_is_replayed_while_the_ticket_is_valid(string place, string protocol)
    {
        await using TicketApp app = await TicketApp.StartAsync(place, static options => options.Timeouts.CompletedRetention = TimeSpan.FromSeconds(1));
        UploadTicket ticket = app.CreateTicket();
        string url = await app.Client.BeginAsync(protocol, ticket.Url, "hel"u8.ToArray(), 5);
        using HttpResponseMessage finished = await app.Client.FinishAsync(protocol, url, 3, "lo"u8.ToArray());
        app.Time.Advance(TimeSpan.FromMinutes(14));
        Assert.Equal("5", (await app.Client.GetOffsetAsync(protocol, url)).Offset);
        if (protocol == ProtocolClient.FileId)
        {
            using HttpResponseMessage repeated = await app.Client.FinishAsync(protocol, url, 5, []);
            Assert.Equal((201, "stored"), ((int)repeated.StatusCode, await repeated.Content.ReadAsStringAsync()));
        }

        Assert.Single(app.Received);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Request_without_ticket_needs_a_user(string place, string protocol)
    {
        await using TicketApp app = await TicketApp.StartAsync(place);
        using HttpResponseMessage anonymous = await app.Client.SendFirstAsync(protocol, TicketApp.Url, "hel"u8.ToArray(), 5);
        Assert.Equal(401, (int)anonymous.StatusCode);
        await app.Client.BeginAsync(protocol, TicketApp.Url, "hel"u8.ToArray(), 5, (HeaderAuthentication.Header, "sub:ann"));
    }

    [Theory]
    [InlineData(ProtocolClient.FileId)]
    [InlineData(ProtocolClient.Tus)]
    [InlineData(ProtocolClient.Ietf)]
    public async Task Endpoint_without_opt_in_accepts_no_ticket(string protocol)
    {
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Endpoint);
        UploadTicket ticket = app.CreateTicket(static options => options.Path = TicketApp.OtherUrl);
        using HttpResponseMessage response = await app.Client.SendFirstAsync(protocol, ticket.Url, "hel"u8.ToArray(), 5);
        Assert.Equal(401, (int)response.StatusCode);
    }

    [Fact]
    public async Task Middleware_without_opt_in_accepts_no_ticket()
    {
        await using TicketApp app = await TicketApp.StartAsync(TusApp.ReadyMade, static options => options.AcceptTickets = false);
        using HttpResponseMessage response = await app.Client.SendFirstAsync(ProtocolClient.Tus, app.CreateTicket().Url, "hel"u8.ToArray(), 5);
        Assert.Equal(401, (int)response.StatusCode);
    }

    [Fact]
    public async Task Plain_request_with_ticket_is_authorized_as_without()
    {
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Endpoint);
        using HttpResponseMessage response = await app.Client.PostAsync(app.CreateTicket().Url, new ByteArrayContent([1]));
        Assert.Equal(401, (int)response.StatusCode);
        Assert.Empty(app.Received);
    }

    [Theory]
    [InlineData(ProtocolClient.FileId)]
    [InlineData(ProtocolClient.Tus)]
    [InlineData(ProtocolClient.Ietf)]
    public async Task Handler_sees_no_user_no_cookie_and_no_ticket(string protocol)
    {
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Endpoint);
        (string, string)[] credentials = [(HeaderAuthentication.Header, "sub:bob"), ("Cookie", "session=1"), ("Authorization", "Bearer x")];
        string url = await app.Client.BeginAsync(protocol, app.CreateTicket().Url + "&album=a%20b", "hel"u8.ToArray(), 5, credentials);
        Assert.Contains("album=a%20b", url, StringComparison.Ordinal);
        using HttpResponseMessage finished = await app.Client.FinishAsync(protocol, url, 3, "lo"u8.ToArray(), credentials);
        TicketedFile file = Assert.Single(app.Received);
        Assert.Equal(("user False query '?album=a%20b' cookies ''", "ann"), (file.Seen, file.Ticket?.Owner));
    }

    [Fact]
    public async Task Ticket_without_owner_is_that_of_an_anonymous_client()
    {
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Mapped);
        string url = await app.Client.BeginAsync(ProtocolClient.Tus, app.CreateTicket(static options => options.Owner = null).Url, "hel"u8.ToArray(), 3);
        UploadPage page = await app.App.Services.GetRequiredService<IUploadManager>().ListAsync(new UploadListQuery());
        Assert.Equal("anonymous", Assert.Single(page.Uploads).Key.Owner);
        Assert.Null(Assert.Single(app.Received).Ticket!.Owner);
    }

    [Fact]
    public async Task Response_is_not_cached_and_sends_no_referrer()
    {
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Endpoint);
        UploadTicket ticket = app.CreateTicket();
        using HttpResponseMessage created = await app.Client.TusAsync("POST", ticket.Url, "hello"u8.ToArray(), ("Upload-Length", "5"));
        using HttpResponseMessage refused = await app.Client.TusAsync("POST", ticket.Url + "x", null, ("Upload-Length", "5"));
        Assert.Equal((201, 403), ((int)created.StatusCode, (int)refused.StatusCode));
        foreach (HttpResponseMessage response in new[] { created, refused })
        {
            Assert.Equal(("no-store", "no-referrer"), (response.Header("Cache-Control"), response.Header("Referrer-Policy")));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Ticket_is_neither_logged_nor_in_a_problem(string place, string protocol)
    {
        await using TicketApp app = await TicketApp.StartAsync(place);
        UploadTicket ticket = app.CreateTicket();
        string secret = ticket.Url[(ticket.Url.IndexOf('=', StringComparison.Ordinal) + 1)..];
        string url = await app.Client.BeginAsync(protocol, ticket.Url, "hel"u8.ToArray(), 5);
        using HttpResponseMessage wrong = await app.Client.FinishAsync(protocol, url, 4, "o"u8.ToArray());
        using HttpResponseMessage changed = await app.Client.FinishAsync(protocol, url + "x", 3, "lo"u8.ToArray());
        Assert.Equal((409, 403), ((int)wrong.StatusCode, (int)changed.StatusCode));
        Assert.DoesNotContain(secret, await wrong.Content.ReadAsStringAsync() + await changed.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        // The server itself logs the URL of each request.
        string[] parts = [secret[..30], secret[^30..]];
        Assert.DoesNotContain(app.App.Log.Lines, line =>
            parts.Any(part => line.Contains(part, StringComparison.Ordinal)) && !line.Contains("Microsoft.AspNetCore.Hosting", StringComparison.Ordinal));
        Assert.Contains(app.App.Log.Lines, static line => line.Contains("[308]", StringComparison.Ordinal) && line.Contains("ticket-invalid", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Preflight_of_another_host_allows_an_upload_with_ticket()
    {
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Endpoint);
        UploadTicket ticket = app.CreateTicket();
        using var preflight = new HttpRequestMessage(HttpMethod.Options, ticket.Url);
        preflight.Headers.Add("Origin", "https://other.example");
        preflight.Headers.Add("Access-Control-Request-Method", "POST");
        preflight.Headers.Add("Access-Control-Request-Headers", "tus-resumable,upload-length");
        using HttpResponseMessage allowed = await app.Client.SendAsync(preflight);
        Assert.Equal((204, "https://other.example"), ((int)allowed.StatusCode, allowed.Header("Access-Control-Allow-Origin")));

        using HttpResponseMessage refused = await app.Client.TusAsync("POST", ticket.Url + "x", null, ("Upload-Length", "5"), ("Origin", "https://other.example"));
        Assert.Equal((403, "https://other.example"), ((int)refused.StatusCode, refused.Header("Access-Control-Allow-Origin")));
    }
}
