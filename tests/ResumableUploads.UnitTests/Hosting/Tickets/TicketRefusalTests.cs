using System.Buffers.Text;
using System.Text.Json;
using Microsoft.AspNetCore.DataProtection;
using ResumableUploads.Hosting.Tickets;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Tickets;

/// <summary>Tickets that are not valid, or not for the request.</summary>
public class TicketRefusalTests
{
    private static readonly byte[] Content = "hello"u8.ToArray();

    [Theory]
    [MemberData(nameof(TicketUploadTests.Cases), MemberType = typeof(TicketUploadTests))]
    public async Task Malformed_ticket_is_refused(string place, string protocol)
    {
        await using TicketApp app = await TicketApp.StartAsync(place);
        string url = app.CreateTicket().Url;
        string other = app.CreateTicket().Url;
        var protector = app.App.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("other purpose");
        string tampered = url[..^10] + (url[^10] == 'A' ? 'B' : 'A') + url[^9..];
        foreach (string malformed in new[]
        {
            TicketApp.Url + "?ticket=",
            TicketApp.Url + "?ticket",
            TicketApp.Url + "?Ticket=x",
            TicketApp.Url + "?ticket=%00%FF",
            TicketApp.Url + "?ticket=" + new string('A', 5000),
            TicketApp.Url + "?ticket=" + new string('A', 200),
            TicketApp.Url + "?ticket=" + protector.Protect("hello"),
            tampered,
            url + "&" + other[(other.IndexOf('?', StringComparison.Ordinal) + 1)..],
            url + "&TICKET=",
        })
        {
            await app.Client.SendFirstAsync(protocol, malformed, Content, 5, (HeaderAuthentication.Header, "sub:ann")).AssertProblemAsync(403, "ticket-invalid");
        }

        Assert.Empty(app.Received);
    }

    [Theory]
    [InlineData("not signed")]
    [InlineData("other purpose")]
    [InlineData("key of another app")]
    public async Task Forged_ticket_is_refused(string kind)
    {
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Mapped);
        byte[] payload = JsonSerializer.SerializeToUtf8Bytes(
            new TicketPayload { Id = new string('0', 40), Path = TicketApp.Url, Expires = app.Time.GetUtcNow().AddHours(1) }, TicketJsonContext.Default.TicketPayload);
        IServiceProvider other = new ServiceCollection().AddSingleton<IDataProtectionProvider, EphemeralDataProtectionProvider>().BuildServiceProvider();
        string forged = kind switch
        {
            "not signed" => Base64Url.EncodeToString(payload),
            "other purpose" => Base64Url.EncodeToString(app.App.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("other").Protect(payload)),
            _ => new TicketProtector(other).Protect(JsonSerializer.Deserialize(payload, TicketJsonContext.Default.TicketPayload)!),
        };
        await app.Client.SendFirstAsync(ProtocolClient.Tus, $"{TicketApp.Url}?ticket={forged}", Content, 5).AssertProblemAsync(403, "ticket-invalid");
        Assert.Empty(app.Received);
    }

    [Theory]
    [MemberData(nameof(TicketUploadTests.Cases), MemberType = typeof(TicketUploadTests))]
    public async Task Expired_ticket_is_refused_also_for_an_unfinished_upload(string place, string protocol)
    {
        await using TicketApp app = await TicketApp.StartAsync(place);
        UploadTicket ticket = app.CreateTicket(static options => options.Lifetime = TimeSpan.FromMinutes(1));
        UploadTicket unused = app.CreateTicket(static options => options.Lifetime = TimeSpan.FromMinutes(1));
        Assert.Equal(app.Time.GetUtcNow().AddMinutes(1), ticket.Expires);
        app.Time.Advance(TimeSpan.FromSeconds(59));
        string url = await app.Client.BeginAsync(protocol, ticket.Url, "hel"u8.ToArray(), 5);
        app.Time.Advance(TimeSpan.FromSeconds(1));
        await app.Client.FinishAsync(protocol, url, 3, "lo"u8.ToArray()).AssertProblemAsync(403, "ticket-expired");
        await app.Client.SendFirstAsync(protocol, unused.Url, Content, 5).AssertProblemAsync(403, "ticket-expired");
        Assert.Equal(403, (await app.Client.GetOffsetAsync(protocol, url)).Status);
        Assert.Empty(app.Received);
    }

    [Theory]
    [MemberData(nameof(TicketUploadTests.Cases), MemberType = typeof(TicketUploadTests))]
    public async Task Ticket_for_another_url_is_refused(string place, string protocol)
    {
        await using TicketApp app = await TicketApp.StartAsync(place);
        string path = app.CreateTicket(static options => options.Path = "/filesystem").Url.Replace("/filesystem", TicketApp.Url, StringComparison.Ordinal);
        string host = app.CreateTicket(static options => options.Host = "tenant.example").Url;
        await app.Client.SendFirstAsync(protocol, path, Content, 5).AssertProblemAsync(403, "ticket-url");
        await app.Client.SendFirstAsync(protocol, host, Content, 5).AssertProblemAsync(403, "ticket-url");
        await app.Client.BeginAsync(protocol, app.CreateTicket(static options => options.Host = "LOCALHOST").Url, "hel"u8.ToArray(), 5);
    }

    [Theory]
    [InlineData("xn--bcher-kva.example")]
    [InlineData("b\u00fccher.example")]
    public async Task Ticket_for_international_host_is_valid_there(string host)
    {
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Mapped);
        string url = app.CreateTicket(options => options.Host = host).Url;
        using HttpResponseMessage created = await app.Client.TusAsync("POST", url, null, ("Upload-Length", "5"), ("Host", "xn--bcher-kva.example"));
        Assert.Equal(201, (int)created.StatusCode);
    }

    [Theory]
    [InlineData(ProtocolClient.Tus)]
    [InlineData(ProtocolClient.Ietf)]
    public async Task Ticket_at_the_url_of_another_upload_is_refused(string protocol)
    {
        foreach (string place in (string[])[TusApp.ReadyMade, TusApp.Mapped, TusApp.Endpoint])
        {
            await using TicketApp app = await TicketApp.StartAsync(place);
            UploadTicket ticket = app.CreateTicket();
            string own = await app.Client.BeginAsync(protocol, TicketApp.Url, "hel"u8.ToArray(), 5, (HeaderAuthentication.Header, "sub:ann"));
            string byTicket = await app.Client.BeginAsync(protocol, app.CreateTicket().Url, "hel"u8.ToArray(), 5);
            string byTicketWithout = byTicket[..byTicket.IndexOf("ticket=", StringComparison.Ordinal)];
            string query = ticket.Url[(ticket.Url.IndexOf('?', StringComparison.Ordinal) + 1)..];
            foreach (string url in new[] { own + (own.Contains('?', StringComparison.Ordinal) ? "&" : "?") + query, byTicketWithout + query })
            {
                await app.Client.FinishAsync(protocol, url, 3, "lo"u8.ToArray()).AssertProblemAsync(403, "ticket-url");
                Assert.Equal(403, (await app.Client.GetOffsetAsync(protocol, url)).Status);
                Assert.Equal(403, await DeleteAsync(app, protocol, url));
            }

            // Without the ticket, not even its owner reaches the upload.
            using HttpResponseMessage withoutTicket = await app.Client.FinishAsync(
                protocol, byTicketWithout.TrimEnd('&', '?'), 3, "lo"u8.ToArray(), (HeaderAuthentication.Header, "sub:ann"));
            Assert.Equal(404, (int)withoutTicket.StatusCode);
            Assert.Empty(app.Received);
        }
    }

    [Fact]
    public async Task Ticket_reaches_no_other_upload_of_its_owner_with_the_same_file_id()
    {
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Mapped);
        (string, string) ann = (HeaderAuthentication.Header, "sub:ann");
        UploadTicket ticket = app.CreateTicket();
        await app.Client.BeginAsync(ProtocolClient.FileId, TicketApp.Url, "hel"u8.ToArray(), 5, ann);
        Assert.Equal((200, "0"), await app.Client.GetOffsetAsync(ProtocolClient.FileId, ticket.Url));
        using HttpResponseMessage append = await app.Client.FinishAsync(ProtocolClient.FileId, ticket.Url, 3, "lo"u8.ToArray());
        Assert.Equal(409, (int)append.StatusCode);
        Assert.Equal(204, await DeleteAsync(app, ProtocolClient.FileId, ticket.Url));
        Assert.Equal((200, "3"), await app.Client.GetOffsetAsync(ProtocolClient.FileId, TicketApp.Url, ann));
    }

    [Theory]
    [InlineData("partial")]
    [InlineData("final;/files/0123456789012345678901234567890123456789")]
    public async Task Concatenation_is_refused(string concat)
    {
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Mapped);
        (string, string)[] length = concat == "partial" ? [("Upload-Length", "5")] : [];
        await app.Client.TusAsync("POST", app.CreateTicket().Url, null, [("Upload-Concat", concat), .. length]).AssertProblemAsync(403, "ticket-concatenation");
    }

    [Theory]
    [MemberData(nameof(TicketUploadTests.Cases), MemberType = typeof(TicketUploadTests))]
    public async Task Upload_larger_than_the_ticket_is_too_large(string place, string protocol)
    {
        await using TicketApp app = await TicketApp.StartAsync(place);
        UploadTicket ticket = app.CreateTicket(static options => options.MaxLength = 5);
        await app.Client.SendFirstAsync(protocol, ticket.Url, "hel"u8.ToArray(), 6).AssertProblemAsync(413, "too-large");
        string url = await app.Client.BeginAsync(protocol, ticket.Url, "hel"u8.ToArray(), 5);
        using HttpResponseMessage finished = await app.Client.FinishAsync(protocol, url, 3, "lo"u8.ToArray());
        Assert.Equal("hello", Assert.Single(app.Received).Content);
    }

    [Theory]
    [InlineData(TusApp.ReadyMade)]
    [InlineData(TusApp.Mapped)]
    [InlineData(TusApp.Endpoint)]
    public async Task Upload_of_deferred_length_is_not_larger_than_the_ticket(string place)
    {
        await using TicketApp app = await TicketApp.StartAsync(place);
        string url = await app.Client.CreateDeferredAsync(app.CreateTicket(static options => options.MaxLength = 5).Url);
        using HttpResponseMessage first = await app.Client.AppendChunkAsync(url, 0, "hel"u8.ToArray());
        Assert.Equal(204, (int)first.StatusCode);
        await app.Client.AppendChunkAsync(url, 3, "lo!"u8.ToArray()).AssertProblemAsync(413, "too-large");
        await app.Client.AppendChunkAsync(url, 3, [], ("Upload-Length", "6")).AssertProblemAsync(413, "too-large");

        string ietf = app.CreateTicket(static options => options.MaxLength = 5).Url;
        using HttpResponseMessage created = await app.Client.IetfAsync("POST", ietf, IetfClient.Newest, new ByteArrayContent("hel"u8.ToArray()), ("Upload-Complete", "?0"));
        using HttpResponseMessage excess = await app.Client.FinishAsync(ProtocolClient.Ietf, created.Header("Location")!, 3, "lo!"u8.ToArray());
        Assert.Equal((201, 413), ((int)created.StatusCode, (int)excess.StatusCode));

        string fileId = app.CreateTicket(static options => options.MaxLength = 5).Url;
        await app.Client.SendFileIdAsync("POST", fileId, "hello!"u8.ToArray()).AssertProblemAsync(413, "too-large");
        Assert.Empty(app.Received);
    }

    [Theory]
    [InlineData("image/*", "image/png", 201)]
    [InlineData("image/png", "IMAGE/PNG; q=1", 201)]
    [InlineData("*/*", "text/plain", 201)]
    [InlineData("image/*", "text/html", 415)]
    [InlineData("image/*", "image/*", 415)]
    [InlineData("image/*", "*/*", 415)]
    [InlineData("image/*", "image", 415)]
    [InlineData("image/*", null, 415)]
    [InlineData("application/xml", "application/xhtml+xml", 415)]
    [InlineData("application/zip", "application/x+zip", 415)]
    [InlineData("application/ld+json", "application/LD+JSON", 201)]
    [InlineData("application/*", "application/xhtml+xml", 201)]
    [InlineData("application/*", "application/*+xml", 415)]
    public async Task Content_type_must_be_one_of_the_ticket(string allowed, string? sent, int status)
    {
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Mapped);
        string Ticket() => app.CreateTicket(options => options.ContentTypes.Add(allowed)).Url;
        (string, string)[] metadata = sent is null ? [] : [("Upload-Metadata", "filetype " + Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(sent)))];
        (string, string)[] header = sent is null ? [] : [("Content-Type", sent)];
        using HttpResponseMessage tus = await app.Client.TusAsync("POST", Ticket(), null, [("Upload-Length", "5"), .. metadata]);
        using HttpResponseMessage ietf = await app.Client.SendFirstAsync(ProtocolClient.Ietf, Ticket(), "hel"u8.ToArray(), 5, header);
        using HttpResponseMessage fileId = await app.Client.SendFirstAsync(ProtocolClient.FileId, Ticket(), "hel"u8.ToArray(), 5, header);
        Assert.Equal((status, status, status == 201 ? 200 : status), ((int)tus.StatusCode, (int)ietf.StatusCode, (int)fileId.StatusCode));
    }

    private static async Task<int> DeleteAsync(TicketApp app, string protocol, string url)
    {
        using HttpResponseMessage response = protocol switch
        {
            ProtocolClient.FileId => await app.Client.SendFileIdAsync("DELETE", url, null),
            ProtocolClient.Tus => await app.Client.TusAsync("DELETE", url),
            _ => await app.Client.IetfAsync("DELETE", url, IetfClient.Newest),
        };
        return (int)response.StatusCode;
    }
}
